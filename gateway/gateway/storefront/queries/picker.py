"""Choosing a variant: what is chosen, what gives way when it does not go together, and what is said of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.clients.variants import Matrix, Option, OptionValue, Variant
from gateway.storefront.money import money
from gateway.storefront.queries.cards import PriceLine

SELECT_FROM: Final = 11
"""So many values are shown as a drop-down."""

Choice = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Value:
    """A value of an axis. Not available: it does not go with the rest of the choice, which would give way."""

    code: str
    name: str
    swatch: str
    is_chosen: bool
    is_available: bool
    is_sold_out: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """Something to choose."""

    code: str
    name: str
    display: str
    is_select: bool
    is_chosen: bool
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class ChosenVariant:
    """What would be bought."""

    sku: str
    price: PriceLine
    state: str
    stock_text: str


@dataclass(frozen=True, slots=True)
class Picked:
    """The state of a picker. choice is by axis; missing names the axes that are still to choose, or is empty;
    price is the one to show; was is for the next request.
    """

    axes: tuple[Axis, ...]
    choice: Choice
    missing: str
    chosen: ChosenVariant | None
    price: PriceLine | None
    announcement: str
    notice: str
    was: str


def pick(matrix: Matrix, *, pictured: Choice, asked: Choice, sku: str = "", was: str = "") -> Picked | None:
    """The state after what was asked for, by `sku` or by values of axes; None when there are no variants.

    Whatever was clicked last stays: the axis that differs from `was` (the field of that name in the form
    before). The rest gives way to the nearest that there is. Where nothing is asked, the axes that the first
    picture shows (`pictured`) are preset, and those that leave no choice.
    """
    if not matrix.variants:
        return None
    wanted, notice = _wanted(matrix, asked, sku)
    firm = _preset(matrix, pictured) | wanted
    before = _read_was(was)
    changed = [code for code, value in wanted.items() if before.get(code) != value]
    choice = _settled(matrix, firm, wanted, kept=next(iter(changed), ""))
    given_way = "" if choice == firm else _given_way(matrix, firm, choice, wanted)
    found = [variant for variant in matrix.variants if _goes_with(variant, choice)]
    chosen = found[0] if len(choice) == len(matrix.options) else None
    return Picked(
        axes=tuple(_axis(matrix, option, choice) for option in matrix.options),
        choice=choice,
        missing=_missing(matrix, choice),
        chosen=_chosen(chosen) if chosen else None,
        price=_price(chosen) if chosen else _price_of(found),
        announcement=" ".join(part for part in (given_way, _said(matrix, choice, chosen, found)) if part),
        notice=notice or given_way,
        was=",".join(f"{code}:{value}" for code, value in choice.items()),
    )


def stock_text(variant: Variant) -> str:
    """Whether there is any, in words."""
    if variant.is_sold_out:
        return "Sold out"
    if variant.left is not None:
        return f"Only {variant.left} left"
    return "Only a few left" if variant.state == "low" else "In stock"


def _wanted(matrix: Matrix, asked: Choice, sku: str) -> tuple[dict[str, str], str]:
    codes = {option.code: {value.code for value in option.values} for option in matrix.options}
    wanted = {code: value for code, value in asked.items() if value in codes.get(code, ())}
    if not sku:
        return wanted, ""
    named = next((variant for variant in matrix.variants if variant.sku == sku), None)
    if named is None:
        return wanted, "The variant you followed a link to is not sold any more. This is what there is."
    # Whoever changes an axis on a page that was linked by SKU sends both: the axes are the later word.
    return wanted or dict(named.options), ""


def _read_was(was: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in was.split(","))
    return {code: value for code, _, value in pairs}


def _preset(matrix: Matrix, pictured: Choice) -> dict[str, str]:
    codes = [option.code for option in matrix.options]
    to_sell = [variant for variant in matrix.variants if not variant.is_sold_out] or list(matrix.variants)
    as_pictured = [variant for variant in to_sell if _agrees(variant, pictured)]
    first = (as_pictured or to_sell)[0]
    if len(codes) == 1:
        return dict(first.options)
    alone = {option.code for option in matrix.options if len(option.values) == 1}
    return {code: first.options[code] for code in codes if code in pictured or code in alone}


def _settled(matrix: Matrix, firm: Choice, wanted: Choice, kept: str) -> dict[str, str]:
    if any(_goes_with(variant, firm) for variant in matrix.variants):
        return {option.code: firm[option.code] for option in matrix.options if option.code in firm}
    kept = kept or next((option.code for option in matrix.options if option.code in wanted), "")
    held = {kept: firm[kept]} if kept else {}
    possible = [variant for variant in matrix.variants if _goes_with(variant, held)] or matrix.variants
    nearest = min(possible, key=lambda variant: _distance(matrix, variant, firm, wanted))
    return {option.code: nearest.options[option.code] for option in matrix.options if option.code in firm}


def _distance(matrix: Matrix, variant: Variant, firm: Choice, wanted: Choice) -> tuple[int, int, bool, int]:
    # What was asked for weighs more than what was preset; then a size that is next to the wanted one is
    # nearer than one far off, and what can be had is nearer than what is sold out.
    lost = sum(variant.options[code] != value for code, value in wanted.items())
    moved = sum(variant.options[code] != value for code, value in firm.items())
    steps = 0
    for option in matrix.options:
        places = [value.code for value in option.values]
        if option.code in firm and option.display != "swatch":
            steps += abs(places.index(firm[option.code]) - places.index(variant.options[option.code]))
    return lost, moved, variant.is_sold_out, steps


def _goes_with(variant: Variant, choice: Choice) -> bool:
    return all(variant.options.get(code) == value for code, value in choice.items())


def _agrees(variant: Variant, pictured: Choice) -> bool:
    return all(variant.options.get(code, value) == value for code, value in pictured.items())


def _axis(matrix: Matrix, option: Option, choice: Choice) -> Axis:
    others = {code: value for code, value in choice.items() if code != option.code}
    values = tuple(_value(matrix, option, value, others, choice) for value in option.values)
    is_select, is_chosen = len(values) >= SELECT_FROM, option.code in choice
    return Axis(option.code, option.name, option.display, is_select, is_chosen, values)


def _value(matrix: Matrix, option: Option, value: OptionValue, others: Choice, choice: Choice) -> Value:
    having = [variant for variant in matrix.variants if variant.options.get(option.code) == value.code]
    fitting = [variant for variant in having if _goes_with(variant, others)]
    return Value(
        code=value.code,
        name=value.name,
        swatch=value.swatch,
        is_chosen=choice.get(option.code) == value.code,
        is_available=bool(fitting),
        is_sold_out=all(variant.is_sold_out for variant in fitting or having),
    )


def _chosen(variant: Variant) -> ChosenVariant:
    return ChosenVariant(variant.sku, _price(variant), variant.state, stock_text(variant))


def _price(variant: Variant) -> PriceLine:
    return PriceLine(variant.amount_minor, variant.currency, False, variant.compare_at_minor)


def _price_of(found: Sequence[Variant]) -> PriceLine | None:
    if not found:
        return None
    least = min(found, key=lambda variant: variant.amount_minor)
    is_from = any(variant.amount_minor != least.amount_minor for variant in found)
    return PriceLine(least.amount_minor, least.currency, is_from, least.compare_at_minor)


def _said(matrix: Matrix, choice: Choice, chosen: Variant | None, found: Sequence[Variant]) -> str:
    names = ", ".join(
        _name(option, choice[option.code]) for option in matrix.options if option.code in choice
    )
    price = _price(chosen) if chosen else _price_of(found)
    amount = money(price.amount_minor, price.currency) if price else ""
    if chosen:
        words = f"{amount}, {_lowered(stock_text(chosen))}."
    else:
        words = f"{'from ' if price and price.is_from else ''}{amount}, choose {_missing(matrix, choice)}."
    return f"{names}: {words}" if names else words[:1].upper() + words[1:]


def _missing(matrix: Matrix, choice: Choice) -> str:
    return " and ".join(option.name.lower() for option in matrix.options if option.code not in choice)


def _given_way(matrix: Matrix, firm: Choice, choice: Choice, wanted: Choice) -> str:
    changed = [option for option in matrix.options if choice.get(option.code) != firm.get(option.code)]
    kept = [option for option in matrix.options if option.code in wanted and option not in changed]
    told = [option for option in changed if option.code in wanted]
    if not told:
        return ""
    here = ", ".join(_name(option, choice[option.code]) for option in kept) or "this product"
    lost = ", ".join(_name(option, firm[option.code]) for option in told)
    now = ", ".join(_name(option, choice[option.code]) for option in told)
    return f"{here} does not come in {lost}, so {now} is chosen instead."


def _name(option: Option, code: str) -> str:
    return next(value.name for value in option.values if value.code == code)


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]
