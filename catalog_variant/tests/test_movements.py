import pytest

pytestmark = pytest.mark.django_db
URL = "/api/v1/stock/movements"


def deltas(response):
    return [row["delta"] for row in response.json()["data"]]


def test_lists_the_newest_first(keeper, make_variant, adjust):
    variant = make_variant()
    adjust(variant, 5, note="Delivery 7")
    adjust(variant, -2, reason="damage")

    response = keeper.get(URL)

    rows = response.json()["data"]
    assert [(row["delta"], row["on_hand_after"], row["reason"]) for row in rows] == [
        (-2, 3, "damage"),
        (5, 5, "receive"),
    ]
    assert (rows[1]["note"], rows[1]["variant"]) == ("Delivery 7", str(variant.public_id))
    assert response["Cache-Control"] == "no-store"


def test_filters_by_variant_and_reason(keeper, make_variant, adjust):
    variant = make_variant()
    adjust(variant, 5)
    adjust(variant, 1, reason="return")
    adjust(make_variant(), 7)

    assert deltas(keeper.get(URL, {"variant": variant.public_id})) == [1, 5]
    assert deltas(keeper.get(URL, {"reason": "return"})) == [1]


def test_continues_after_the_cursor(keeper, make_variant, adjust):
    variant = make_variant()
    [adjust(variant, delta) for delta in range(1, 6)]
    first = keeper.get(URL, {"limit": 3})

    second = keeper.get(URL, {"limit": 3, "cursor": first.json()["next_cursor"]})

    assert deltas(first) + deltas(second) == [5, 4, 3, 2, 1]
    assert second.json()["next_cursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "cursor=x", "variant=7", "variant=", "reason=gift", "reason="])
def test_points_at_a_wrong_parameter(keeper, query):
    response = keeper.get(f"{URL}?{query}")

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"?{query.split('=')[0]}"


def test_refuses_a_parameter_it_does_not_know(keeper):
    assert keeper.get(f"{URL}?sku=a").json()["code"] == "unknown-parameter"


def test_refuses_the_anonymous(anonymous):
    assert anonymous.get(URL).status_code == 401


@pytest.mark.parametrize("scope", ["catalog:read", "stock:write"])
def test_refuses_another_scope(as_staff, scope):
    assert as_staff(scope).get(URL).status_code == 403


def test_asks_one_query_however_long_the_page_is(keeper, make_variant, adjust, django_assert_num_queries):
    variant = make_variant()
    [adjust(variant, 1) for _ in range(30)]

    with django_assert_num_queries(1):
        keeper.get(URL, {"limit": 100})
