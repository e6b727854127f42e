import pytest

from catalog_variant.models import Money
from chassis.ids import uuid7

pytestmark = pytest.mark.django_db
URL = "/api/v1/variants/summary"
PRODUCT = uuid7()


def test_sums_a_product_up_to_anybody(anonymous, make_variant, shirt, adjust):
    make_variant(PRODUCT, {"colour": "sand", "size": "m"}, 2190, compare_at=Money(2990, "EUR"))
    stocked = make_variant(PRODUCT, {"colour": "forest", "size": "m"}, 1990)
    make_variant(PRODUCT, {"colour": "sand", "size": "s"}, 990, status="draft")
    adjust(stocked, 1)

    response = anonymous.get(URL, {"product": PRODUCT})

    assert response.status_code == 200
    assert response.json() == {
        "data": [
            {
                "product": str(PRODUCT),
                "variants": 2,
                "currency": "EUR",
                "price_min_minor": 1990,
                "price_max_minor": 2190,
                "compare_at_min_minor": 2990,
                "in_stock": True,
                "options": [
                    {
                        "code": "colour",
                        "name": "Colour",
                        "display": "swatch",
                        "values": [
                            {"code": "forest", "name": "Forest", "swatch": ""},
                            {"code": "sand", "name": "Sand", "swatch": ""},
                        ],
                    },
                    {
                        "code": "size",
                        "name": "Size",
                        "display": "pill",
                        "values": [{"code": "m", "name": "M", "swatch": ""}],
                    },
                ],
            }
        ]
    }
    assert response["Cache-Control"] == "public, max-age=30, stale-while-revalidate=300"


def test_says_that_nothing_is_in_stock(anonymous, make_variant):
    variant = make_variant(safety=5)

    (row,) = anonymous.get(URL, {"product": variant.product}).json()["data"]

    assert (row["in_stock"], row["options"], row["compare_at_min_minor"]) == (False, [], None)


def test_leaves_out_products_without_published_variants(editor, make_variant):
    variant = make_variant(status="draft")

    assert editor.get(URL, {"product": f"{variant.product},{uuid7()}"}).json() == {"data": []}


def test_answers_304_until_something_changes(anonymous, make_variant, adjust):
    variant = make_variant()
    tag = anonymous.get(URL, {"product": variant.product})["ETag"]

    unchanged = anonymous.get(URL, {"product": variant.product}, headers={"If-None-Match": tag})
    adjust(variant, 1)
    changed = anonymous.get(URL, {"product": variant.product}, headers={"If-None-Match": tag})

    assert (unchanged.status_code, changed.status_code) == (304, 200)


def test_asks_one_query_for_a_hundred_products(anonymous, make_variant, shirt, django_assert_num_queries):
    products = [uuid7() for _ in range(100)]
    [make_variant(product, {"size": size}) for product in products for size in "sml"]

    with django_assert_num_queries(1):
        response = anonymous.get(URL, {"product": ",".join(map(str, products))})

    assert {row["product"] for row in response.json()["data"]} == set(map(str, products))


@pytest.mark.parametrize("query", ["", "product=", "product=7", "product=" + ",".join([str(PRODUCT)] * 101)])
def test_points_at_wrong_products(anonymous, query):
    response = anonymous.get(f"{URL}?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert response.json()["errors"][0]["pointer"] == "?product"


def test_refuses_a_parameter_it_does_not_know(anonymous):
    assert anonymous.get(f"{URL}?product={PRODUCT}&limit=1").json()["code"] == "unknown-parameter"


def test_refuses_a_bad_token(anonymous):
    assert anonymous.get(URL, headers={"Authorization": "Bearer a.b.c"}).status_code == 401
