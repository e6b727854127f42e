import pytest

pytestmark = pytest.mark.django_db
URL = "/api/v1/wallet"


def test_shows_the_balance(ann, sub, adjust):
    adjust(sub, 5000)

    response = ann.get(URL)

    assert response.status_code == 200
    assert response.json() == {
        "balances": [{"currency": "EUR", "balance_minor": 5000, "held_minor": 0, "available_minor": 5000}]
    }


def test_shows_one_balance_for_each_currency(ann, sub, adjust):
    adjust(sub, 700, "USD")
    adjust(sub, 300, "EUR")

    response = ann.get(URL)

    balances = {row["currency"]: row["balance_minor"] for row in response.json()["balances"]}
    assert balances == {"EUR": 300, "USD": 700}


def test_shows_zeros_before_the_first_posting(ann):
    response = ann.get(URL)

    assert response.json()["balances"] == [
        {"currency": "EUR", "balance_minor": 0, "held_minor": 0, "available_minor": 0}
    ]


@pytest.mark.case("K1")
def test_never_shows_what_another_has(bob, sub, adjust):
    adjust(sub, 5000)

    response = bob.get(URL)

    assert response.json()["balances"][0]["balance_minor"] == 0


def test_may_not_be_stored(ann):
    response = ann.get(URL)

    assert response.headers["Cache-Control"] == "no-store"


def test_reads_one_row_set_and_no_user(ann, django_assert_num_queries):
    with django_assert_num_queries(1):
        ann.get(URL)


def test_refuses_the_anonymous(anonymous):
    response = anonymous.get(URL)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="mercato"'
    assert response.headers["Content-Type"] == "application/problem+json"


def test_refuses_a_token_without_the_scope(as_user):
    response = as_user("catalog:read").get(URL)

    assert response.status_code == 403
    assert response.json()["code"] == "insufficient-scope"


@pytest.mark.case("B7")
def test_refuses_a_token_for_another_service(as_user):
    response = as_user("wallet:read", aud="banner").get(URL)

    assert response.status_code == 401


def test_refuses_an_unknown_parameter(ann):
    response = ann.get(f"{URL}?user=someone")

    assert response.status_code == 400
    assert response.json()["code"] == "unknown-parameter"


def test_refuses_another_method(ann):
    response = ann.delete(URL)

    assert response.status_code == 405
    assert response.json()["code"] == "method-not-allowed"
