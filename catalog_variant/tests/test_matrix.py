import time

import pytest

from catalog_variant.models import OptionValue, Variant
from chassis.ids import uuid7

pytestmark = pytest.mark.django_db
URL = "/api/v1/variants/matrix"
PRODUCT = uuid7()
MOST = 2048


@pytest.fixture
def large(make_option):
    """A product with 2,048 variants, each another choice among three options."""
    shape = {"colour": 16, "size": 16, "fit": 8}
    [make_option(code, *(f"{code}-{number}" for number in range(count))) for code, count in shape.items()]
    by_option = [list(OptionValue.objects.filter(option__code=code)) for code in shape]
    choices = [[a.pk, b.pk, c.pk] for a in by_option[0] for b in by_option[1] for c in by_option[2]]
    Variant.objects.bulk_create(
        Variant(product=PRODUCT, sku=f"V-{number}", value_ids=ids, price_minor=1990, currency="EUR")
        for number, ids in enumerate(choices)
    )
    Variant.objects.update(status="published")


def test_shows_a_picker_all_it_needs(anonymous, make_variant, shirt, adjust):
    make_variant(PRODUCT, {"colour": "sand", "size": "m"}, status="draft")
    few = make_variant(PRODUCT, {"colour": "forest", "size": "m"}, sku="FEW")
    make_variant(PRODUCT, {"colour": "forest", "size": "l"}, sku="NONE")
    adjust(few, 3)

    matrix = anonymous.get(URL, {"product": PRODUCT}).json()

    assert matrix["product"] == str(PRODUCT)
    assert [(one["code"], one["display"]) for one in matrix["options"]] == [
        ("colour", "swatch"),
        ("size", "pill"),
    ]
    assert matrix["options"][1]["values"] == [
        {"code": "m", "name": "M", "swatch": ""},
        {"code": "l", "name": "L", "swatch": ""},
    ]
    assert matrix["variants"][0] == {
        "id": str(few.public_id),
        "sku": "FEW",
        "options": {"colour": "forest", "size": "m"},
        "price": {"amount_minor": 1990, "currency": "EUR"},
        "compare_at": None,
        "availability": {"state": "low_stock", "left": 3},
    }
    assert [row["sku"] for row in matrix["variants"]] == ["FEW", "NONE"]


def test_is_empty_for_a_product_without_variants(anonymous):
    assert anonymous.get(URL, {"product": PRODUCT}).json() == {
        "product": str(PRODUCT),
        "options": [],
        "variants": [],
    }


def test_asks_two_queries_and_is_quick_for_2048_variants(anonymous, large, django_assert_num_queries):
    anonymous.get(URL, {"product": PRODUCT})
    started = time.perf_counter()

    with django_assert_num_queries(2):
        response = anonymous.get(URL, {"product": PRODUCT})

    seconds = time.perf_counter() - started
    assert len(response.json()["variants"]) == MOST
    assert len({str(row["options"]) for row in response.json()["variants"]}) == MOST
    assert seconds < 1


def test_answers_304_until_something_changes(anonymous, make_variant, adjust):
    variant = make_variant(PRODUCT)
    tag = anonymous.get(URL, {"product": PRODUCT})["ETag"]

    unchanged = anonymous.get(URL, {"product": PRODUCT}, headers={"If-None-Match": tag})
    adjust(variant, 1)
    changed = anonymous.get(URL, {"product": PRODUCT}, headers={"If-None-Match": tag})

    assert (unchanged.status_code, changed.status_code) == (304, 200)
    assert changed["Cache-Control"] == "public, max-age=30, stale-while-revalidate=300"


@pytest.mark.parametrize("query", ["", "product=", "product=7"])
def test_points_at_a_wrong_product(anonymous, query):
    response = anonymous.get(f"{URL}?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert response.json()["errors"][0]["pointer"] == "?product"


def test_refuses_a_parameter_it_does_not_know(anonymous):
    assert anonymous.get(f"{URL}?product={PRODUCT}&limit=1").json()["code"] == "unknown-parameter"


def test_refuses_a_bad_token(anonymous):
    assert anonymous.get(URL, headers={"Authorization": "Bearer a.b.c"}).status_code == 401
