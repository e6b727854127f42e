"""Products as cards, in grids and in rails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from django.urls import reverse

from gateway.clients import calls, products, variants
from gateway.clients.pictures import Picture
from gateway.clients.products import ProductRow
from gateway.clients.variants import Summary

SWATCHES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A price in minor units; is_from when there are dearer variants too."""

    amount_minor: int
    currency: str
    is_from: bool
    compare_at_minor: int | None


@dataclass(frozen=True, slots=True)
class Swatch:
    """A color that a product comes in."""

    name: str
    color: str


@dataclass(frozen=True, slots=True)
class Card:
    """A product to click on. Without a price, or with in_stock None, nobody knows them just now."""

    url: str
    title: str
    subtitle: str
    brand: str
    picture: Picture | None
    price: PriceLine | None
    in_stock: bool | None
    swatches: tuple[Swatch, ...]
    more_swatches: int


@dataclass(frozen=True, slots=True)
class Rail:
    """A row of cards with a title, and where there are more of them."""

    title: str
    url: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a rail is made from: its title, where there are more, and the list that was asked for."""

    title: str
    url: str
    found: "calls.Answer[products.ProductList]"


def cards_of(rows: Sequence[ProductRow]) -> tuple[Card, ...]:
    """Cards with prices, or without any while the variant service is away."""
    known = calls.begin(variants.summaries, [row.id for row in rows]).or_else({})
    return tuple(card(row, known) for row in rows)


def card(row: ProductRow, summaries: Mapping[str, Summary]) -> Card:
    """One product; a summary that is not there leaves price and stock open."""
    summary = summaries.get(row.id)
    swatches = _swatches(summary) if summary else ()
    return Card(
        url=product_url(row.slug),
        title=row.title,
        subtitle=row.subtitle,
        brand=row.brand.name if row.brand else "",
        picture=row.image,
        price=_price(summary) if summary else None,
        in_stock=summary.in_stock if summary else None,
        swatches=swatches[:SWATCHES_SHOWN],
        more_swatches=max(0, len(swatches) - SWATCHES_SHOWN),
    )


def rail(title: str, url: str, found: "calls.Answer[products.ProductList]", *, but: str = "") -> Rail | None:
    """A rail of a list that was asked for, without the product of an id; None when there is nothing in it."""
    rows = [row for row in found.or_else(_NOTHING).rows if row.id != but]
    return Rail(title, url, cards_of(rows)) if rows else None


def rails(shelves: Sequence[Shelf], length: int) -> list[Rail | None]:
    """A rail of each shelf, of at most so many cards; None when there is nothing in it.

    No rail shows what one before it does, and the prices of all come with one question.
    """
    shown: set[str] = set()
    picked: list[list[ProductRow]] = []
    for shelf in shelves:
        rows = [row for row in shelf.found.or_else(_NOTHING).rows if row.id not in shown][:length]
        shown.update(row.id for row in rows)
        picked.append(rows)
    cards = iter(cards_of([row for rows in picked for row in rows]))
    taken = (tuple(islice(cards, len(rows))) for rows in picked)
    return [
        Rail(shelf.title, shelf.url, some) if some else None
        for shelf, some in zip(shelves, taken, strict=True)
    ]


def product_url(slug: str) -> str:
    """The page of a product."""
    return reverse("product", args=[slug])


_NOTHING: Final = products.ProductList((), "")


def _price(summary: Summary) -> PriceLine:
    return PriceLine(
        amount_minor=summary.price_min_minor,
        currency=summary.currency,
        is_from=summary.price_max_minor > summary.price_min_minor,
        compare_at_minor=summary.compare_at_min_minor,
    )


def _swatches(summary: Summary) -> tuple[Swatch, ...]:
    return tuple(
        Swatch(value.name, value.swatch)
        for option in summary.options
        for value in option.values
        if value.swatch
    )
