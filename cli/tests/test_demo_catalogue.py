"""The demo catalogue keeps what it promises: nothing dangling, nothing twice, nothing free of charge."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import pytest

from mercato.art import COLORS, KINDS, SCENES, STYLES
from mercato.art.colors import contrast
from mercato.demo.catalogue import catalogue, looks
from mercato.demo.models import COLOR, Banner, Product
from mercato.demo.pictures import pictures_of
from mercato.demo.variants import variants_of

CATALOGUE = catalogue()
PRODUCTS = CATALOGUE.products
VARIANTS = [variant for product in PRODUCTS for variant in variants_of(product)]
PICTURES = [picture for product in PRODUCTS for picture in pictures_of(product)]
VALUES = {option.code: {value.code for value in option.values} for option in CATALOGUE.options}
PATHS = [category.path for category in CATALOGUE.categories]
PLACEMENTS = {"home_hero", "home_strip", "category_top", "cart_side", "announcement"}
by_slug = pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.slug)
by_title = pytest.mark.parametrize("banner", CATALOGUE.banners, ids=lambda banner: banner.title)


def twice(values: Iterable[object]) -> list[object]:
    return [value for value, count in Counter(values).items() if count > 1]


def test_is_as_large_as_promised() -> None:
    statuses = Counter(product.status for product in PRODUCTS)

    assert len(PATHS) >= 30
    assert max(path.count("/") for path in PATHS) == 2
    assert len(CATALOGUE.brands) >= 10
    assert (statuses["published"] >= 64, statuses["draft"], statuses["archived"]) == (True, 1, 1)
    assert len(VARIANTS) >= 320
    assert len(CATALOGUE.banners) == 8


def test_draws_every_kind_and_no_picture_twice() -> None:
    assert {product.kind for product in PRODUCTS} == set(KINDS)
    assert len({picture.shot for picture in PICTURES}) <= 130


def test_names_nothing_twice() -> None:
    assert twice(PATHS) == []
    assert twice(brand.slug for brand in CATALOGUE.brands) == []
    assert twice(option.code for option in CATALOGUE.options) == []
    assert twice(product.slug for product in PRODUCTS) == []
    assert twice(product.title for product in PRODUCTS) == []
    assert twice(variant.sku.lower() for variant in VARIANTS) == []
    assert twice(variant.barcode for variant in VARIANTS) == []
    assert twice((banner.placement, banner.title) for banner in CATALOGUE.banners) == []


def test_says_nothing_twice() -> None:
    texts = [text for product in PRODUCTS for text in (product.subtitle, *product.description.split("\n\n"))]
    others = [*CATALOGUE.categories, *CATALOGUE.brands]

    assert twice([*texts, *(each.description for each in others)]) == []
    assert twice(sentence for text in texts for sentence in text.split(". ")) == []


def test_hangs_every_category_below_one_that_came_before() -> None:
    orphans = [
        category.path
        for number, category in enumerate(CATALOGUE.categories)
        if category.parent and category.parent not in PATHS[:number]
    ]

    assert orphans == []
    assert all(category.name and category.description for category in CATALOGUE.categories)


@by_slug
def test_refers_to_what_exists(product: Product) -> None:
    chosen = {(code, value) for code, values in product.options.items() for value in values}

    assert product.brand in {brand.slug for brand in CATALOGUE.brands}
    assert set(product.categories) <= set(PATHS)
    assert twice(product.categories) == []
    assert product.style in STYLES[product.kind]
    assert (product.kind, product.style) in looks()
    assert set(product.colors) <= set(COLORS)
    assert set(product.close_up) <= set(product.colors)
    assert all(value in VALUES[code] for code, value in chosen)
    assert set(product.surcharges) <= {f"{code}/{value}" for code, value in chosen}


@by_slug
def test_asks_sensible_prices(product: Product) -> None:
    variants = variants_of(product)

    assert all(variant.price > 0 and variant.price % 100 in {0, 50, 90, 95} for variant in variants)
    assert all(variant.compare_at is None or variant.compare_at > variant.price for variant in variants)
    assert product.weight > 0


@by_slug
def test_describes_with_care(product: Product) -> None:
    assert 180 <= len(product.description) <= 1200
    assert product.description.count("\n\n") == 1
    assert len(product.details) >= 3
    assert all(label and value for label, value in product.details)
    assert twice(label for label, _ in product.details) == []
    assert "\n" not in product.description.replace("\n\n", "")


@by_slug
def test_shows_each_color_with_words(product: Product) -> None:
    pictures = pictures_of(product)

    assert {picture.shot.color for picture in pictures} == set(product.colors)
    assert all(picture.alt and picture.alt[0].isupper() for picture in pictures)
    assert twice(picture.alt for picture in pictures) == []
    assert all(picture.options == {COLOR: picture.shot.color} for picture in pictures)


def test_reduces_every_seventh_product() -> None:
    reduced = [product for product in PRODUCTS if product.compare_at]

    assert 0.12 <= len(reduced) / len(PRODUCTS) <= 0.2


def test_begins_with_some_sold_out_and_some_few() -> None:
    stock = [variant.stock for variant in VARIANTS if variant.status == "published"]

    assert 0.03 <= stock.count(0) / len(stock) <= 0.12
    assert 0.06 <= sum(1 <= pieces <= 4 for pieces in stock) / len(stock) <= 0.22
    assert max(stock) <= 60


def test_has_barcodes_with_their_check_digit() -> None:
    sums = {
        sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(variant.barcode)) % 10
        for variant in VARIANTS
    }

    assert sums == {0}
    assert {len(variant.barcode) for variant in VARIANTS} == {13}


@by_title
def test_shows_banners_that_can_be_read(banner: Banner) -> None:
    assert banner.placement in PLACEMENTS
    assert contrast(banner.background, banner.foreground) >= 4.5
    assert bool(banner.scene) == bool(banner.alt)
    assert not banner.scene or banner.scene in SCENES


@by_title
def test_leads_banners_somewhere(banner: Banner) -> None:
    kind, ref = banner.target
    known = {"category": PATHS, "product": [product.slug for product in PRODUCTS]}.get(kind, [ref])

    assert kind in {"category", "product", "search", "page"}
    assert ref in known
    assert set(banner.categories) <= set(PATHS)


def test_has_one_banner_to_come_and_one_that_is_over() -> None:
    seed_day = datetime.fromisoformat("2026-11-23T00:00:00Z")
    starts = [datetime.fromisoformat(banner.starts_at) for banner in CATALOGUE.banners if banner.starts_at]
    ends = [datetime.fromisoformat(banner.ends_at) for banner in CATALOGUE.banners if banner.ends_at]

    assert len([start for start in starts if start > seed_day]) == 1
    assert len([end for end in ends if end < seed_day]) == 1
    assert {banner.placement for banner in CATALOGUE.banners} == PLACEMENTS
