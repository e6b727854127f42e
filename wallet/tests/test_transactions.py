import base64
import json
from datetime import datetime
from uuid import UUID

import pytest

pytestmark = pytest.mark.django_db
URL = "/api/v1/wallet/transactions"


def test_lists_the_newest_first_with_a_running_balance(ann, sub, adjust):
    adjust(sub, 5000, reason="welcome")
    adjust(sub, -1200, reason="correction")

    rows = ann.get(URL).json()["data"]

    assert [row["amount_minor"] for row in rows] == [-1200, 5000]
    assert [row["balance_after_minor"] for row in rows] == [3800, 5000]
    assert [row["reason"] for row in rows] == ["correction", "welcome"]


def test_shows_what_the_contract_says(ann, sub, adjust):
    posted = adjust(sub, 5000).transaction

    row = ann.get(URL).json()["data"][0]

    assert row == {
        "id": str(posted.id),
        "kind": "adjustment",
        "amount_minor": 5000,
        "currency": "EUR",
        "balance_after_minor": 5000,
        "reason": "test",
        "reference": "",
        "created_at": posted.created_at.isoformat().replace("+00:00", "Z"),
    }


def test_continues_after_the_cursor(ann, sub, adjust):
    amounts = [adjust(sub, amount).transaction.amount_minor for amount in (1, 2, 3)]
    first = ann.get(URL, {"limit": 2}).json()

    second = ann.get(URL, {"limit": 2, "cursor": first["next_cursor"]}).json()

    rows = first["data"] + second["data"]
    assert [row["amount_minor"] for row in rows] == amounts[::-1]
    assert second["next_cursor"] is None


def test_shows_no_integer_key_in_a_cursor(ann, sub, adjust):
    for amount in (1, 2):
        adjust(sub, amount)

    cursor = ann.get(URL, {"limit": 1}).json()["next_cursor"]

    content = cursor.split(".")[0]
    at, public_id = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    assert datetime.fromisoformat(at)
    assert UUID(public_id)


def test_pages_through_two_currencies_without_loss(ann, sub, adjust):
    ids = [str(adjust(sub, 1, currency).transaction.id) for currency in ("EUR", "USD", "EUR", "USD")]
    first = ann.get(URL, {"limit": 3}).json()

    second = ann.get(URL, {"limit": 3, "cursor": first["next_cursor"]}).json()

    assert [row["id"] for row in first["data"] + second["data"]] == ids[::-1]


def test_filters_by_currency_and_kind(ann, sub, adjust):
    adjust(sub, 1, "EUR")
    adjust(sub, 2, "USD")

    rows = ann.get(URL, {"currency": "USD", "kind": "adjustment"}).json()["data"]

    assert [row["amount_minor"] for row in rows] == [2]


def test_filters_by_time_with_the_start_in_and_the_end_out(ann, sub, adjust):
    early, late = (adjust(sub, amount).transaction.created_at for amount in (1, 2))

    rows = ann.get(URL, {"created_from": early.isoformat(), "created_before": late.isoformat()}).json()

    assert [row["amount_minor"] for row in rows["data"]] == [1]


def test_never_lists_what_another_has(bob, sub, adjust):
    adjust(sub, 5000)

    response = bob.get(URL)

    assert response.json() == {"data": [], "next_cursor": None}


def test_asks_two_queries_however_long_the_list_is(ann, sub, adjust, django_assert_num_queries):
    adjust(sub, 1)
    adjust(sub, 2)

    with django_assert_num_queries(2):
        ann.get(URL)


def test_refuses_the_anonymous(anonymous):
    assert anonymous.get(URL).status_code == 401


def test_refuses_a_token_without_the_scope(as_user):
    assert as_user("wallet:write").get(URL).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=%2B5",
        "cursor=abc",
        "cursor=",
        "kind=gift",
        "currency=XXX",
        "created_from=yesterday",
    ],
)
def test_refuses_a_bad_value(ann, query):
    response = ann.get(f"{URL}?{query}")

    assert response.status_code == 400
    assert response.json()["code"] == "invalid-input"
    assert response.json()["errors"][0]["pointer"] == f"?{query.split('=')[0]}"


@pytest.mark.parametrize("query", ["offset=1", "sub=someone", "limit=1&limit=2"])
def test_refuses_a_parameter_it_does_not_know(ann, query):
    response = ann.get(f"{URL}?{query}")

    assert response.status_code == 400
    assert response.json()["code"] == "unknown-parameter"
