import pytest

from catalog_variant import queries
from chassis.ids import uuid7

pytestmark = pytest.mark.django_db
URL = "/api/v1/variants"
CACHE = "public, max-age=30, stale-while-revalidate=300"
PRODUCT = uuid7()


def skus(response):
    return [row["sku"] for row in response.json()["data"]]


def test_lists_the_variants_of_a_product_to_anybody(anonymous, make_variant, shirt):
    made = make_variant(PRODUCT, {"colour": "forest", "size": "m"}, sku="SHIRT")
    make_variant()

    response = anonymous.get(URL, {"product": PRODUCT})

    assert response.status_code == 200
    assert response.json() == {
        "data": [
            {
                "id": str(made.public_id),
                "product": str(PRODUCT),
                "sku": "SHIRT",
                "options": {"colour": "forest", "size": "m"},
                "price": {"amount_minor": 1990, "currency": "EUR"},
                "compare_at": None,
                "barcode": "",
                "weight_grams": None,
                "status": "published",
                "position": 0,
                "availability": {"state": "out_of_stock", "left": None},
                "created_at": made.created_at.isoformat().replace("+00:00", "Z"),
                "updated_at": made.updated_at.isoformat().replace("+00:00", "Z"),
            }
        ],
        "next_cursor": None,
    }


def test_keeps_the_order_of_positions(anonymous, make_variant, shirt):
    make_variant(PRODUCT, {"size": "m"}, sku="B", position=4)
    make_variant(PRODUCT, {"size": "l"}, sku="C")
    make_variant(PRODUCT, {"size": "s"}, sku="A", position=0)

    assert skus(anonymous.get(URL, {"product": PRODUCT})) == ["A", "B", "C"]


def test_shows_stock_to_who_may_read_it(keeper, make_variant, adjust):
    adjust(make_variant(PRODUCT, safety=2), 10)

    response = keeper.get(URL, {"product": PRODUCT})

    assert response.json()["data"][0]["stock"] == {
        "on_hand": 10,
        "reserved": 0,
        "allocated": 0,
        "safety": 2,
        "available": 8,
    }
    assert response["Cache-Control"] == "no-store"


def test_shows_stock_to_nobody_else(editor, anonymous, make_variant):
    make_variant(PRODUCT)

    assert "stock" not in editor.get(URL, {"product": PRODUCT}).json()["data"][0]
    assert "stock" not in anonymous.get(URL, {"product": PRODUCT}).json()["data"][0]


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_hides_what_is_not_published(anonymous, customer, make_variant, status):
    hidden = make_variant(sku="HIDDEN", status=status)

    assert skus(anonymous.get(URL, {"product": hidden.product})) == []
    assert skus(customer.get(URL, {"sku": "HIDDEN"})) == []
    assert skus(anonymous.get(URL, {"ids": hidden.public_id})) == []


def test_shows_drafts_to_who_may_read_them(editor, make_variant):
    make_variant(PRODUCT, status="draft", sku="DRAFT")

    assert skus(editor.get(URL, {"product": PRODUCT})) == ["DRAFT"]


def test_finds_a_status(editor, make_variant):
    make_variant(sku="DRAFT", status="draft")
    make_variant()

    assert skus(editor.get(URL, {"status": "draft"})) == ["DRAFT"]


def test_finds_a_sku_in_any_case(anonymous, make_variant):
    make_variant(sku="Shirt_1")
    make_variant(sku="ShirtX1")

    assert skus(anonymous.get(URL, {"sku": "SHIRT_1"})) == ["Shirt_1"]
    assert skus(anonymous.get(URL, {"sku": "shirt"})) == []


def test_gives_a_batch_of_ids_in_one_answer(anonymous, make_variant):
    wanted = [str(make_variant().public_id) for _ in range(25)]
    make_variant()

    response = anonymous.get(URL, {"ids": ",".join(wanted)})

    assert {row["id"] for row in response.json()["data"]} == set(wanted)
    assert response.json()["next_cursor"] is None


def test_continues_after_the_cursor(anonymous, make_variant):
    made = {make_variant().sku for _ in range(5)}
    first = anonymous.get(URL, {"limit": 3})

    second = anonymous.get(URL, {"limit": 3, "cursor": first.json()["next_cursor"]})

    assert (len(skus(first)), len(skus(second))) == (3, 2)
    assert {*skus(first), *skus(second)} == made
    assert second.json()["next_cursor"] is None


def test_may_be_shared_by_caches_when_nobody_in_particular_asks(anonymous, customer):
    response = anonymous.get(URL)

    assert response["Cache-Control"] == CACHE
    assert "Authorization" in response["Vary"]
    assert customer.get(URL)["Cache-Control"] == "no-store"


def test_answers_304_until_something_changes(anonymous, make_variant, adjust):
    variant = make_variant(PRODUCT)
    tag = anonymous.get(URL, {"product": PRODUCT})["ETag"]

    unchanged = anonymous.get(URL, {"product": PRODUCT}, headers={"If-None-Match": tag})
    adjust(variant, 1)
    changed = anonymous.get(URL, {"product": PRODUCT}, headers={"If-None-Match": tag})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=x", "cursor"),
        ("product=7", "product"),
        ("product=", "product"),
        ("status=gone", "status"),
        ("ids=", "ids"),
        ("ids=1,2", "ids"),
        ("ids=" + ",".join([str(PRODUCT)] * 101), "ids"),
        ("sku=", "sku"),
        ("sku=%00", "sku"),
        ("sku=" + "x" * 65, "sku"),
    ],
)
def test_points_at_a_wrong_parameter(editor, query, parameter):
    response = editor.get(f"{URL}?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert response.json()["errors"][0]["pointer"] == f"?{parameter}"


@pytest.mark.parametrize("query", ["colour=red", "sku=a&sku=b"])
def test_refuses_a_parameter_it_does_not_know(anonymous, query):
    response = anonymous.get(f"{URL}?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "unknown-parameter")


def test_asks_who_filters_by_status_for_a_token(anonymous):
    response = anonymous.get(URL, {"status": "draft"})

    assert (response.status_code, response.json()["code"]) == (401, "authentication-required")


def test_refuses_the_filter_by_status_without_the_scope(customer):
    response = customer.get(URL, {"status": "published"})

    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")


def test_refuses_a_bad_token(anonymous):
    assert anonymous.get(URL, headers={"Authorization": "Bearer a.b.c"}).status_code == 401


def test_asks_two_queries_however_long_the_page_is(anonymous, make_variant, shirt, django_assert_num_queries):
    [make_variant(options={"size": "m", "colour": "sand"}) for _ in range(30)]

    with django_assert_num_queries(2):
        anonymous.get(URL, {"limit": 100})


def test_leaves_out_a_value_that_was_deleted_after_the_variant_was_read(make_variant, shirt):
    read = make_variant(PRODUCT, {"colour": "forest", "size": "m"})
    read.value_ids.append(0)

    assert queries.rows_of([read])[0].options == {"colour": "forest", "size": "m"}
