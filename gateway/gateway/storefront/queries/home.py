"""The first page: banners, categories with a picture each, and rails; each part is there or not by itself."""

from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from gateway.clients import banners, calls, categories, products
from gateway.clients.banners import Banner
from gateway.clients.categories import Node
from gateway.clients.pictures import Picture
from gateway.clients.products import ProductList
from gateway.storefront.queries.cards import Rail, Shelf, rails

RAIL_LENGTH: Final = 8
RAILS: Final = 2


@dataclass(frozen=True, slots=True)
class Tile:
    """A category with a picture from it."""

    name: str
    url: str
    picture: Picture | None


@dataclass(frozen=True, slots=True)
class HomePage:
    """What a visitor sees first."""

    heroes: tuple[Banner, ...]
    strips: tuple[Banner, ...]
    categories: tuple[Tile, ...]
    newest: Rail | None
    rails: tuple[Rail, ...]


def home_page(audience: str) -> HomePage:
    """Everything at once; what does not come in time is left out."""
    heroes = calls.begin(banners.live, "home_hero", audience)
    strips = calls.begin(banners.live, "home_strip", audience)
    newest = calls.begin(products.listing, sort="newest", limit=RAIL_LENGTH)
    nodes = calls.begin(categories.tree).or_else(())
    lists = [(node, _begin_list(node, is_rail=place < RAILS)) for place, node in enumerate(nodes)]
    shelves = [Shelf(node.name, category_url(node.path), found) for node, found in lists[:RAILS]]
    first, *others = rails([Shelf("New in", "", newest), *shelves], RAIL_LENGTH)
    return HomePage(
        heroes=heroes.or_else(()),
        strips=strips.or_else(()),
        categories=tuple(_tile(node, found) for node, found in lists),
        newest=first,
        rails=tuple(each for each in others if each),
    )


def category_url(path: str) -> str:
    """The page of a category."""
    return reverse("category", args=[path])


def _begin_list(node: Node, *, is_rail: bool) -> calls.Answer[ProductList]:
    # For a rail so many that enough are left when all rails above it show the same.
    limit = RAIL_LENGTH * (RAILS + 1) if is_rail else RAIL_LENGTH
    return calls.begin(products.listing, category=node.id, limit=limit)


def _tile(node: Node, found: calls.Answer[ProductList]) -> Tile:
    rows = found.or_else(ProductList((), "")).rows
    pictures = [row.image for row in rows if row.image]
    return Tile(node.name, category_url(node.path), pictures[0] if pictures else None)
