import json
import time

import pytest
from django.db import connection

from chassis.ids import uuid7
from wallet.models import Account, AuditEvent, Transfer

pytestmark = pytest.mark.django_db
URL = "/api/v1/wallet/adjustments"
SAME_ID = {"X-Request-ID": "the-same-id"}  # A problem names its request; the rest must be the same bytes.


@pytest.fixture
def body(sub):
    return {"sub": sub, "direction": "credit", "amount_minor": 5000, "currency": "EUR", "reason": "welcome"}


def post(client, body, key="key", **headers):
    headers = {"Idempotency-Key": key} | headers
    return client.post(URL, json.dumps(body), content_type="application/json", headers=headers)


def test_credits_a_wallet(finance, sub, body):
    response = post(finance, body)

    assert response.status_code == 201
    assert response.json()["kind"] == "adjustment"
    assert response.json()["amount_minor"] == response.json()["balance_after_minor"] == 5000
    assert "Idempotent-Replayed" not in response.headers
    assert Account.objects.customer(sub).get().balance_minor == 5000


def test_debits_a_wallet(finance, sub, body, adjust):
    adjust(sub, 5000)

    response = post(finance, body | {"direction": "debit", "amount_minor": 1200})

    assert response.json()["amount_minor"] == -1200
    assert response.json()["balance_after_minor"] == 3800


def test_records_who_did_it(finance, sub, body):
    response = post(finance, body)

    transfer = Transfer.objects.get(public_id=response.json()["id"])
    event = AuditEvent.objects.get(transfer=transfer)
    assert transfer.actor_sub == event.actor_sub == finance.sub
    assert (event.action, event.outcome, event.owner_sub) == ("adjust", "done", sub)
    assert event.detail == {"amount": 5000, "currency": "EUR", "reason": "welcome"}


def test_refuses_to_overdraw(finance, sub, body, adjust):
    adjust(sub, 4999)

    response = post(finance, body | {"direction": "debit"})

    assert response.status_code == 409
    assert response.json()["code"] == "insufficient-funds"
    assert response.json()["type"] == "/problems/insufficient-funds"
    assert Account.objects.customer(sub).get().balance_minor == 4999


def test_records_what_was_refused(finance, sub, body):
    post(finance, body | {"direction": "debit"})

    event = AuditEvent.objects.get(owner_sub=sub)
    assert event.outcome == "insufficient-funds"
    assert event.transfer is None


def test_refuses_to_fill_a_wallet_past_what_json_holds_exactly(finance, sub, body, adjust):
    [adjust(sub, 10**12) for _ in range(1000)]

    response = post(finance, body | {"amount_minor": 1})

    assert response.status_code == 409
    assert response.json()["code"] == "balance-limit"


@pytest.mark.case("K7")
def test_repeats_the_same_bytes_for_the_same_key(finance, sub, body):
    first = post(finance, body)

    second = post(finance, dict(reversed(body.items())))

    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert Account.objects.customer(sub).get().balance_minor == 5000


@pytest.mark.case("K7")
def test_repeats_a_refusal_even_when_the_wallet_could_pay_by_now(finance, sub, body, adjust):
    debit = body | {"direction": "debit"}
    first = post(finance, debit, **SAME_ID)
    adjust(sub, 9000)

    second = post(finance, debit, **SAME_ID)

    assert (second.status_code, second.content) == (409, first.content)
    assert second.headers["Idempotent-Replayed"] == "true"


@pytest.mark.case("K7")
@pytest.mark.parametrize(
    "change", [{"amount_minor": 5001}, {"currency": "USD"}, {"direction": "debit"}, {"reason": "other"}]
)
def test_refuses_another_body_for_the_same_key(finance, sub, body, change):
    post(finance, body)

    response = post(finance, body | change)

    assert response.status_code == 422
    assert response.json()["code"] == "idempotency-key-reused"
    assert Account.objects.customer(sub).get().balance_minor == 5000


@pytest.mark.case("K7")
def test_keeps_the_keys_of_two_actors_apart(finance, as_staff, sub, body):
    post(finance, body)

    post(as_staff("wallet:admin"), body)

    assert Account.objects.customer(sub).get().balance_minor == 10000


@pytest.mark.parametrize("key", ["", "with space", "ümlaut", "x" * 256])
def test_needs_a_usable_key(finance, body, key):
    response = post(finance, body, key.encode().decode("latin-1"))

    assert response.status_code == 400
    assert response.json()["code"] == "idempotency-key-missing"


@pytest.mark.case("K7")
def test_needs_a_key_at_all(finance, body):
    response = finance.post(URL, body, format="json")

    assert response.status_code == 400
    assert response.json()["code"] == "idempotency-key-missing"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sub", "someone"),
        ("sub", True),
        ("sub", 12345),
        ("sub", "{01999999-0000-7000-8000-000000000001}"),
        ("sub", "urn:uuid:01999999-0000-7000-8000-000000000001"),
        ("reason", 5),
        ("colour", "blue"),
        ("direction", "gift"),
        ("amount_minor", 0),
        ("amount_minor", -100),
        ("amount_minor", 10**12 + 1),
        ("amount_minor", 10**400),
        ("amount_minor", 1.5),
        ("amount_minor", 5.0),
        ("amount_minor", "5000"),
        ("amount_minor", True),
        ("amount_minor", None),
        ("currency", "eur"),
        ("currency", "XXX"),
        ("reason", ""),
        ("reason", "  "),
        ("reason", "x" * 501),
        ("reason", "nul \x00"),
    ],
)
def test_refuses_a_bad_value(finance, body, field, value):
    response = post(finance, body | {field: value})

    assert response.status_code == 400
    assert response.json()["code"] == "invalid-input"
    assert [error["pointer"] for error in response.json()["errors"]] == [f"#/{field}"]


@pytest.mark.parametrize("field", ["sub", "direction", "amount_minor", "currency", "reason"])
def test_needs_every_field(finance, body, field):
    del body[field]

    response = post(finance, body)

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"#/{field}"


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "NaN", "\xff", "1" * 5000, "[" * 50_000])
def test_refuses_what_is_no_json_object(finance, text):
    response = finance.post(
        URL, text.encode("latin-1"), content_type="application/json", headers={"Idempotency-Key": "key"}
    )

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"


def test_refuses_a_form(finance, body):
    response = finance.post(URL, body, headers={"Idempotency-Key": "key"})

    assert response.status_code == 415


@pytest.mark.case("K6")
def test_asks_for_a_recent_log_in(as_staff, sub, body):
    finance = as_staff("wallet:admin", auth_time=int(time.time()) - 1000)

    response = post(finance, body)

    assert (response.status_code, response.json()["code"]) == (401, "step-up-required")
    assert 'max_age="900"' in response.headers["WWW-Authenticate"]
    assert not Account.objects.customer(sub).exists()


@pytest.mark.case("K2")
def test_refuses_the_anonymous(anonymous, body):
    assert post(anonymous, body).status_code == 401


@pytest.mark.case("K2")
def test_refuses_the_customer_himself(ann, sub, body):
    response = post(ann, body)

    assert response.status_code == 403
    assert not Account.objects.customer(sub).exists()


def test_takes_one_round_trip(finance, body, django_assert_num_queries):
    with django_assert_num_queries(1):
        post(finance, body | {"sub": str(uuid7())})


@pytest.mark.case("K7")
def test_answers_409_when_the_same_is_still_under_way(committed, connect, finance, body):
    other = connect().cursor()
    other.execute(
        "SELECT wallet_adjust(%s, 'busy', sha256(''), %s, %s, 'x', 'EUR', 1, 'r', 'a')",
        [f"{finance.sub}:adjust", str(uuid7()), str(uuid7())],
    )
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 50")

    response = post(finance, body, "busy")

    assert response.status_code == 409
    assert response.json()["code"] == "conflict"
    assert response.headers["Retry-After"] == "1"
