import pytest

pytestmark = pytest.mark.django_db
URL = "/api/v1/variants"
UNKNOWN = "01999999-0000-7000-8000-000000000000"


def test_shows_one_variant_to_anybody(anonymous, make_variant, shirt):
    variant = make_variant(options={"size": "m"})

    response = anonymous.get(f"{URL}/{variant.public_id}")

    assert response.status_code == 200
    assert (response.json()["sku"], response.json()["options"]) == (variant.sku, {"size": "m"})
    assert response["ETag"].startswith('"1-')
    assert response["Cache-Control"] == "public, max-age=30, stale-while-revalidate=300"


def test_shows_stock_to_who_may_read_it(keeper, make_variant, adjust):
    variant = make_variant()
    adjust(variant, 4)

    shown = keeper.get(f"{URL}/{variant.public_id}").json()

    assert shown["stock"]["on_hand"] == 4
    assert shown["availability"] == {"state": "low_stock", "left": 4}


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_hides_what_is_not_published(anonymous, customer, editor, make_variant, status):
    url = f"{URL}/{make_variant(status=status).public_id}"

    assert anonymous.get(url).status_code == 404
    assert customer.get(url).status_code == 404
    assert editor.get(url).status_code == 200


def test_does_not_know_others(anonymous):
    assert anonymous.get(f"{URL}/{UNKNOWN}").status_code == 404
    assert anonymous.get(f"{URL}/7").status_code == 404


def test_answers_304_until_stock_moves(anonymous, make_variant, adjust):
    variant = make_variant()
    url = f"{URL}/{variant.public_id}"
    tag = anonymous.get(url)["ETag"]

    unchanged = anonymous.get(url, headers={"If-None-Match": tag})
    adjust(variant, 1)

    assert unchanged.status_code == 304
    assert anonymous.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_refuses_a_parameter_it_does_not_know(anonymous, make_variant):
    assert anonymous.get(f"{URL}/{make_variant().public_id}?a=b").status_code == 400


def test_refuses_a_bad_token(anonymous, make_variant):
    headers = {"Authorization": "Bearer a.b.c"}

    assert anonymous.get(f"{URL}/{make_variant().public_id}", headers=headers).status_code == 401


def test_asks_two_queries(anonymous, make_variant, shirt, django_assert_num_queries):
    variant = make_variant(options={"size": "m", "colour": "sand"})

    with django_assert_num_queries(2):
        anonymous.get(f"{URL}/{variant.public_id}")
