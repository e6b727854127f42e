"""Samples of everything that pages are made of, from what is in the shop now."""

from dataclasses import dataclass

from gateway.clients import banners, calls, products
from gateway.clients.banners import Banner
from gateway.clients.pictures import Picture
from gateway.clients.products import ProductList
from gateway.storefront.queries.cards import Card, PriceLine, cards_of
from gateway.storefront.queries.listings import Link


@dataclass(frozen=True, slots=True)
class Styleguide:
    """Sample cards, pictures and banners; empty where the services are away."""

    cards: tuple[Card, ...]
    pictures: tuple[Picture, ...]
    banners: tuple[Banner, ...]
    breadcrumb: tuple[Link, ...]
    price: PriceLine
    sale: PriceLine


def styleguide() -> Styleguide:
    """The samples."""
    live = calls.begin(banners.live, "home_hero")
    rows = calls.begin(products.listing, limit=8).or_else(ProductList((), "")).rows
    return Styleguide(
        cards=cards_of(rows),
        pictures=tuple(row.image for row in rows if row.image),
        banners=live.or_else(()),
        breadcrumb=(Link("Home", "/"), Link("Styleguide", "/styleguide")),
        price=PriceLine(8450, "EUR", True, None),
        sale=PriceLine(5900, "EUR", False, 7900),
    )
