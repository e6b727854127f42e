"""The variant service: what products cost, and what a picker needs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gateway.clients import services


@dataclass(frozen=True, slots=True)
class OptionValue:
    """One value of an option; swatch is a color (#rrggbb) or empty."""

    code: str
    name: str
    swatch: str


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose, such as a size; display says how it is shown: swatch, pill, …"""

    code: str
    name: str
    display: str
    values: tuple[OptionValue, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """All variants of a product in one line; prices in minor units of the currency."""

    product: str
    variants: int
    currency: str
    price_min_minor: int
    price_max_minor: int
    compare_at_min_minor: int | None
    in_stock: bool
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """What is bought in the end. state is in_stock, low or sold_out; left is told when there are few."""

    sku: str
    options: Mapping[str, str]
    amount_minor: int
    currency: str
    compare_at_minor: int | None
    state: str
    left: int | None

    @property
    def is_sold_out(self) -> bool:
        """Whether there is none to be had."""
        return self.state == "sold_out"


@dataclass(frozen=True, slots=True)
class Matrix:
    """All options and variants of a product, in the merchant's order. No variant lacks a value."""

    options: tuple[Option, ...]
    variants: tuple[Variant, ...]


def summaries(product_ids: Iterable[str]) -> dict[str, Summary]:
    """The summaries of at most 100 products, by product id; one without variants to sell is left out.

    Raises: Unanswered.
    """
    ids = ",".join(product_ids)
    if not ids:
        return {}
    path = services.path_with("/api/v1/variants/summary", product=ids)
    rows = services.service("catalog_variant").get(path, _read_summaries)
    return {row.product: row for row in rows}


def matrix(product_id: str) -> Matrix:
    """What the picker of a product needs.

    Raises: Unanswered.
    """
    path = services.path_with("/api/v1/variants/matrix", product=product_id)
    return services.service("catalog_variant").get(path, _read_matrix)


def low_stock(token: str, limit: int = 100) -> tuple[int, bool]:
    """How many variants run low, and whether there are more than this answer tells.

    Raises: Unanswered.
    """
    path = services.path_with("/api/v1/stock/low", limit=limit)
    return services.service("catalog_variant").get_private(
        path, _read_count, token=token, lane=services.STAFF
    )


def _read_count(data: Any) -> tuple[int, bool]:
    return len(data["data"]), bool(data["next_cursor"])


def _read_summaries(data: Any) -> tuple[Summary, ...]:
    return tuple(
        Summary(
            product=str(each["product"]),
            variants=int(each["variants"]),
            currency=str(each["currency"]),
            price_min_minor=int(each["price_min_minor"]),
            price_max_minor=int(each["price_max_minor"]),
            compare_at_min_minor=_number(each["compare_at_min_minor"]),
            in_stock=bool(each["in_stock"]),
            options=_read_options(each["options"]),
        )
        for each in data["data"]
    )


def _read_matrix(data: Any) -> Matrix:
    options = _read_options(data["options"])
    variants = (_read_variant(each) for each in data["variants"])
    return Matrix(options, tuple(variant for variant in variants if _is_complete(variant, options)))


def _is_complete(variant: Variant, options: tuple[Option, ...]) -> bool:
    # A value that is deleted between two statements of the service is missing here for that one answer.
    return all(
        any(value.code == variant.options.get(option.code) for value in option.values) for option in options
    )


def _read_options(data: Any) -> tuple[Option, ...]:
    return tuple(
        Option(
            str(each["code"]),
            str(each["name"]),
            str(each["display"]),
            tuple(OptionValue(str(v["code"]), str(v["name"]), str(v["swatch"])) for v in each["values"]),
        )
        for each in data
    )


def _read_variant(data: Any) -> Variant:
    compare_at = data["compare_at"]
    return Variant(
        sku=str(data["sku"]),
        options=MappingProxyType({str(key): str(value) for key, value in data["options"].items()}),
        amount_minor=int(data["price"]["amount_minor"]),
        currency=str(data["price"]["currency"]),
        compare_at_minor=int(compare_at["amount_minor"]) if compare_at else None,
        state=str(data["availability"]["state"]),
        left=_number(data["availability"]["left"]),
    )


def _number(value: Any) -> int | None:
    return None if value is None else int(value)
