"""The page of a product: its pictures, its picker, and what machines are told about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from gateway.clients import calls, categories, products, variants
from gateway.clients.categories import Node
from gateway.clients.pictures import Picture
from gateway.clients.products import Product
from gateway.clients.variants import Matrix
from gateway.storefront.pages import absolute
from gateway.storefront.queries.cards import PriceLine, Rail, product_url, rail
from gateway.storefront.queries.home import category_url
from gateway.storefront.queries.listings import Link, breadcrumb
from gateway.storefront.queries.picker import Axis, ChosenVariant, Picked, pick
from gateway.storefront.queries.structured_data import structured_data

RELATED: Final = 9  # One of them may be the product itself.


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: a variant by SKU, or values by axis, and what was chosen before."""

    sku: str
    values: Mapping[str, str]
    was: str


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A product, one of its variants chosen or not yet. here is the address of exactly this state."""

    title: str
    subtitle: str
    brand: str
    paragraphs: tuple[str, ...]
    details: tuple[tuple[str, str], ...]
    breadcrumb: tuple[Link, ...]
    gallery: tuple[Picture, ...]
    axes: tuple[Axis, ...]
    missing: str
    chosen: ChosenVariant | None
    price: PriceLine | None
    announcement: str
    notice: str
    was: str
    related: Rail | None
    options_down: bool
    url: str
    here: str
    canonical: str
    json_ld: str


def product_page(slug: str, asked: Asked) -> ProductPage:
    """The product of a slug. Without the variant service there is no picker, and options_down says so.

    Raises: Missing, Moved; Away when nobody knows the product now.
    """
    tree = calls.begin(categories.tree)
    product = calls.begin(products.find, slug).get()
    row, home = product.row, product.row.primary_category
    matrix = calls.begin(variants.matrix, row.id)
    near = calls.begin(products.listing, category=home, limit=RELATED) if home else None
    lineage = categories.lineage(tree.or_else(()), home)
    picked, options_down = _picked(product, matrix, asked)
    url = product_url(row.slug)
    trail = (*breadcrumb(lineage), Link(row.title, url))
    return ProductPage(
        title=row.title,
        subtitle=row.subtitle,
        brand=row.brand.name if row.brand else "",
        paragraphs=tuple(part.strip() for part in product.description.split("\n\n") if part.strip()),
        details=product.details,
        breadcrumb=trail,
        gallery=_gallery(product.media, picked.choice if picked else {}),
        axes=picked.axes if picked else (),
        missing=picked.missing if picked else "",
        chosen=picked.chosen if picked else None,
        price=picked.price if picked else None,
        announcement=picked.announcement if picked else "",
        notice=picked.notice if picked else "",
        was=picked.was if picked else "",
        related=_related(near, lineage, row.id) if near else None,
        options_down=options_down,
        url=url,
        here=_here(url, picked),
        canonical=absolute(url),
        json_ld=structured_data(product, matrix.or_else(Matrix((), ())), trail),
    )


def _picked(product: Product, matrix: calls.Answer[Matrix], asked: Asked) -> tuple[Picked | None, bool]:
    first = product.row.image or next(iter(product.media), None)
    try:
        known = matrix.get()
    except calls.Unanswered:
        return None, True
    picked = pick(
        known,
        pictured=first.options if first else {},
        asked=asked.values,
        sku=asked.sku,
        was=asked.was,
    )
    return picked, False


def _gallery(media: Sequence[Picture], choice: Mapping[str, str]) -> tuple[Picture, ...]:
    # Those of the chosen color first; sorting keeps the merchant's order otherwise.
    return tuple(sorted(media, key=lambda picture: not _shows(picture, choice)))


def _shows(picture: Picture, choice: Mapping[str, str]) -> bool:
    return bool(picture.options) and all(choice.get(code) == value for code, value in picture.options.items())


def _related(
    near: calls.Answer[products.ProductList], lineage: tuple[Node, ...], product_id: str
) -> Rail | None:
    url = category_url(lineage[-1].path) if lineage else ""
    title = f"More {lineage[-1].name.lower()}" if lineage else "You may also like"
    return rail(title, url, near, but=product_id)


def _here(url: str, picked: Picked | None) -> str:
    if picked is None:
        return url
    if picked.chosen:
        return f"{url}?{urlencode({'variant': picked.chosen.sku})}"
    return f"{url}?{urlencode(picked.choice)}" if picked.choice else url
