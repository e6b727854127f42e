"""What is missing is posted, and nothing else."""

from dataclasses import replace

import pytest

from mercato.demo.catalogue import catalogue
from mercato.demo.models import Catalogue, Product
from mercato.demo.pictures import pictures_of
from mercato.demo.planning import plan
from mercato.demo.standing import (
    Standing,
    StandingBanner,
    StandingOption,
    StandingProduct,
    StandingVariant,
    image_key,
)
from mercato.demo.variants import variants_of

CATALOGUE = catalogue()
TEE = next(product for product in CATALOGUE.products if product.slug == "meadow-heavy-tee")


def standing_product(product: Product) -> StandingProduct:
    return StandingProduct(
        id=f"id of {product.slug}",
        pictures=frozenset(image_key(each.alt, each.options) for each in pictures_of(product)),
        variants={
            each.sku: StandingVariant(f"id of {each.sku}", each.stock) for each in variants_of(product)
        },
    )


@pytest.fixture
def seeded() -> Standing:
    return Standing(
        categories={each.path: f"id of {each.path}" for each in CATALOGUE.categories},
        brands={each.slug: f"id of {each.slug}" for each in CATALOGUE.brands},
        options={
            each.code: StandingOption(f"id of {each.code}", frozenset(value.code for value in each.values))
            for each in CATALOGUE.options
        },
        products={each.slug: standing_product(each) for each in CATALOGUE.products},
        banners={
            (each.placement, each.title): StandingBanner("id", bool(each.scene)) for each in CATALOGUE.banners
        },
    )


def with_tee(seeded: Standing, tee: StandingProduct) -> Standing:
    return replace(seeded, products={**seeded.products, TEE.slug: tee})


def test_posts_nothing_into_a_seeded_shop(seeded: Standing) -> None:
    missing = plan(CATALOGUE, seeded)

    assert missing.steps == 0
    assert missing.products == missing.banners == missing.categories == ()


def test_posts_everything_into_an_empty_shop() -> None:
    missing = plan(CATALOGUE, Standing())

    variants = [variant for product in CATALOGUE.products for variant in variants_of(product)]
    assert missing.categories == CATALOGUE.categories
    assert [each.product for each in missing.products] == list(CATALOGUE.products)
    assert [variant for each in missing.products for variant in each.variants] == variants
    assert missing.steps > len(variants) + len(CATALOGUE.products)


def test_completes_a_product_that_lacks_a_variant(seeded: Standing) -> None:
    tee = seeded.products[TEE.slug]
    kept = {sku: variant for sku, variant in tee.variants.items() if sku != "TAM-MHT-CHALK-M"}

    missing = plan(CATALOGUE, with_tee(seeded, replace(tee, variants=kept)))

    assert [variant.sku for variant in missing.products[0].variants] == ["TAM-MHT-CHALK-M"]
    assert missing.products[0].id == tee.id
    assert missing.products[0].pictures == ()


def test_completes_a_product_that_lacks_a_picture(seeded: Standing) -> None:
    tee = replace(seeded.products[TEE.slug], pictures=frozenset())

    missing = plan(CATALOGUE, with_tee(seeded, tee))

    assert missing.products[0].pictures == tuple(pictures_of(TEE))
    assert missing.steps == len(pictures_of(TEE))


def test_delivers_what_was_never_delivered(seeded: Standing) -> None:
    tee = seeded.products[TEE.slug]
    empty = {sku: replace(variant, on_hand=0) for sku, variant in tee.variants.items()}

    missing = plan(CATALOGUE, with_tee(seeded, replace(tee, variants=empty)))

    wanted = [variant.sku for variant in variants_of(TEE) if variant.stock]
    assert [delivery.variant.sku for delivery in missing.products[0].stock] == wanted
    assert missing.steps == len(wanted)


def test_adds_the_value_that_an_option_lacks(seeded: Standing) -> None:
    size = replace(seeded.options["size"], values=frozenset({"xs", "s", "m", "l", "xl"}))

    missing = plan(CATALOGUE, replace(seeded, options={**seeded.options, "size": size}))

    assert [(each.option_id, each.value.code) for each in missing.values] == [("id of size", "xxl")]
    assert missing.steps == 1


def test_gives_a_banner_its_image(seeded: Standing) -> None:
    bare = {key: replace(banner, has_image=False) for key, banner in seeded.banners.items()}

    missing = plan(CATALOGUE, replace(seeded, banners=bare))

    assert [each.banner for each in missing.banners] == [each for each in CATALOGUE.banners if each.scene]
    assert missing.steps == len(missing.banners)


def test_a_smaller_catalogue_is_a_smaller_plan() -> None:
    small = Catalogue((), (), (), (TEE,), ())

    missing = plan(small, Standing())

    delivered = sum(variant.stock > 0 for variant in variants_of(TEE))
    assert missing.steps == 1 + len(variants_of(TEE)) + delivered + len(pictures_of(TEE))
