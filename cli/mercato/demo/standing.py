"""What of the demo catalogue stands in the shop already."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from mercato.accounts import Account
from mercato.demo.models import Catalogue, Product

ImageKey = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class StandingOption:
    """An option with the codes of its values."""

    id: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class StandingVariant:
    """A variant and how many of it the shop has on hand."""

    id: str
    on_hand: int


@dataclass(frozen=True, slots=True)
class StandingProduct:
    """A product with its pictures, known by alt text and options, and its variants by SKU."""

    id: str
    pictures: frozenset[ImageKey] = frozenset()
    variants: Mapping[str, StandingVariant] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StandingBanner:
    """A banner, and whether it has its image."""

    id: str
    has_image: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything of the catalogue that is there: by path, slug, code, and placement with title."""

    categories: Mapping[str, str] = field(default_factory=dict)
    brands: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, StandingOption] = field(default_factory=dict)
    products: Mapping[str, StandingProduct] = field(default_factory=dict)
    banners: Mapping[tuple[str, str], StandingBanner] = field(default_factory=dict)


def look_up(catalogue: Catalogue, *, editor: Account, marketing: Account, pool: Executor) -> Standing:
    """Ask the shop, drafts and archived things included. Raises: ApiRefused."""
    banners = pool.submit(_banners, marketing)
    products = pool.map(lambda product: _product(editor, product), catalogue.products)
    return Standing(
        categories={row["path"]: row["id"] for row in editor.rows("/categories")},
        brands={row["slug"]: row["id"] for row in editor.rows("/brands")},
        options={row["code"]: _option(row) for row in editor.rows("/options")},
        products={
            product.slug: found
            for product, found in zip(catalogue.products, products, strict=True)
            if found is not None
        },
        banners=banners.result(),
    )


def image_key(alt: str, options: Mapping[str, str]) -> ImageKey:
    """What a product's picture is known by."""
    return alt, tuple(sorted(options.items()))


def _product(editor: Account, product: Product) -> StandingProduct | None:
    # By its slug, for the service knows former slugs too: what was renamed since is not made again.
    row = editor.find("/products", slug=product.slug)
    if row is None:
        return None
    return StandingProduct(
        id=row["id"],
        pictures=frozenset(image_key(each["alt"], each["options"]) for each in row["media"]),
        variants={
            variant["sku"]: StandingVariant(variant["id"], variant["stock"]["on_hand"])
            for variant in editor.rows("/variants", product=row["id"])
        },
    )


def _option(row: Mapping[str, Any]) -> StandingOption:
    return StandingOption(row["id"], frozenset(value["code"] for value in row["values"]))


def _banners(marketing: Account) -> dict[tuple[str, str], StandingBanner]:
    return {
        (row["placement"], row["title"]): StandingBanner(row["id"], row["image"] is not None)
        for row in marketing.rows("/banners")
    }
