import pytest

from chassis.ids import uuid7

pytestmark = pytest.mark.django_db
URL = "/api/v1/variants/availability"


@pytest.mark.parametrize(
    ("on_hand", "state", "left"),
    [(2, "out_of_stock", None), (3, "low_stock", 1), (7, "low_stock", 5), (8, "in_stock", None)],
)
def test_says_whether_a_variant_can_be_bought(anonymous, make_variant, adjust, on_hand, state, left):
    variant = make_variant(safety=2)
    adjust(variant, on_hand)

    response = anonymous.get(URL, {"ids": variant.public_id})

    assert response.json() == {"data": [{"id": str(variant.public_id), "state": state, "left": left}]}
    assert response["Cache-Control"] == "public, max-age=30, stale-while-revalidate=300"


def test_keeps_the_number_to_itself_when_told_to(anonymous, settings, make_variant, adjust):
    settings.LOW_STOCK = 0
    variant = make_variant()
    adjust(variant, 1)

    (row,) = anonymous.get(URL, {"ids": variant.public_id}).json()["data"]

    assert (row["state"], row["left"]) == ("in_stock", None)


def test_leaves_out_what_is_not_there_or_not_seen(anonymous, editor, make_variant):
    ids = f"{make_variant(status='draft').public_id},{uuid7()}"

    assert anonymous.get(URL, {"ids": ids}).json() == {"data": []}
    assert len(editor.get(URL, {"ids": ids}).json()["data"]) == 1


def test_asks_one_query_however_many_there_are(anonymous, make_variant, django_assert_num_queries):
    ids = ",".join(str(make_variant().public_id) for _ in range(20))

    with django_assert_num_queries(1):
        response = anonymous.get(URL, {"ids": ids})

    assert len(response.json()["data"]) == 20


@pytest.mark.parametrize("query", ["", "ids=", "ids=7"])
def test_points_at_wrong_ids(anonymous, query):
    response = anonymous.get(f"{URL}?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert response.json()["errors"][0]["pointer"] == "?ids"


def test_refuses_a_parameter_it_does_not_know(anonymous):
    assert anonymous.get(f"{URL}?ids={uuid7()}&a=b").json()["code"] == "unknown-parameter"


def test_refuses_a_bad_token(anonymous):
    assert anonymous.get(URL, headers={"Authorization": "Bearer a.b.c"}).status_code == 401
