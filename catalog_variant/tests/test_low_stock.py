import pytest

pytestmark = pytest.mark.django_db
URL = "/api/v1/stock/low"


def skus(response):
    return [row["sku"] for row in response.json()["data"]]


@pytest.fixture
def shelf(make_variant, adjust):
    """Variants of which 0, 3, 5 and 6 units can be sold, and an archived one with none."""
    for sku, on_hand in {"five": 5, "three": 3, "six": 6}.items():
        adjust(make_variant(sku=sku), on_hand)
    make_variant(sku="none", status="draft")
    make_variant(sku="gone", status="archived")


def test_lists_what_few_are_left_of_with_the_fewest_first(keeper, shelf):
    response = keeper.get(URL)

    assert response.status_code == 200
    assert skus(response) == ["none", "three", "five"]
    assert response.json()["data"][1]["stock"]["available"] == 3


def test_continues_after_the_cursor(keeper, shelf):
    first = keeper.get(URL, {"limit": 2})

    second = keeper.get(URL, {"limit": 2, "cursor": first.json()["next_cursor"]})

    assert skus(first) + skus(second) == ["none", "three", "five"]


@pytest.mark.parametrize("query", ["limit=0", "cursor=x"])
def test_points_at_a_wrong_parameter(keeper, query):
    assert keeper.get(f"{URL}?{query}").status_code == 400


def test_refuses_a_parameter_it_does_not_know(keeper):
    assert keeper.get(f"{URL}?product=a").json()["code"] == "unknown-parameter"


def test_refuses_the_anonymous(anonymous):
    assert anonymous.get(URL).status_code == 401


@pytest.mark.parametrize("scope", ["catalog:read", "stock:write"])
def test_refuses_another_scope(as_staff, scope):
    assert as_staff(scope).get(URL).status_code == 403


def test_asks_two_queries_however_long_the_page_is(keeper, make_variant, shirt, django_assert_num_queries):
    [make_variant(options={"size": "m"}) for _ in range(30)]

    with django_assert_num_queries(2):
        keeper.get(URL, {"limit": 100})
