import json

import pytest
from django.db import connection

from catalog_variant.models import StockMovement
from chassis.ids import uuid7

pytestmark = pytest.mark.django_db
URL = "/api/v1/stock/adjustments"
SAME_ID = {"X-Request-ID": "the-same-id"}  # A problem names its request; the rest must be the same bytes.
UNKNOWN = "01999999-0000-7000-8000-000000000000"


@pytest.fixture
def variant(make_variant):
    return make_variant()


@pytest.fixture
def body(variant):
    return {"variant": str(variant.public_id), "delta": 5, "reason": "receive", "note": "Delivery 7"}


def post(client, body, key="key", **headers):
    headers = {"Idempotency-Key": key} | headers
    return client.post(URL, json.dumps(body), content_type="application/json", headers=headers)


def on_hand(variant):
    variant.refresh_from_db()
    return variant.on_hand


def test_takes_units_into_the_house(keeper, variant, body):
    response = post(keeper, body)

    movement = StockMovement.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": str(movement.public_id),
        "variant": str(variant.public_id),
        "delta": 5,
        "on_hand_after": 5,
        "reason": "receive",
        "note": "Delivery 7",
        "actor": keeper.sub,
        "created_at": movement.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert "Idempotent-Replayed" not in response.headers
    assert on_hand(variant) == 5


def test_takes_units_out_of_it(keeper, variant, body, adjust):
    adjust(variant, 5)

    response = post(keeper, body | {"delta": -2, "reason": "damage"})

    assert (response.json()["delta"], response.json()["on_hand_after"]) == (-2, 3)


def test_makes_no_version_of_the_variant(keeper, variant, body):
    post(keeper, body)

    variant.refresh_from_db()
    assert variant.version == 1


def test_refuses_to_take_more_than_there_is(keeper, variant, body, adjust):
    adjust(variant, 4)

    response = post(keeper, body | {"delta": -5})

    assert (response.status_code, response.json()["code"]) == (409, "insufficient-stock")
    assert on_hand(variant) == 4


def test_refuses_an_unknown_variant(keeper, body):
    response = post(keeper, body | {"variant": UNKNOWN})

    assert (response.status_code, response.json()["code"]) == (422, "unknown-variant")
    assert response.json()["errors"][0]["pointer"] == "#/variant"


def test_refuses_more_than_a_variant_can_have(keeper, variant, body, adjust):
    [adjust(variant, 10**6) for _ in range(1000)]

    response = post(keeper, body | {"delta": 1})

    assert (response.status_code, response.json()["code"]) == (409, "stock-limit")


def test_repeats_the_same_bytes_for_the_same_key(keeper, variant, body):
    first = post(keeper, body)

    second = post(keeper, dict(reversed(body.items())))

    assert (second.status_code, second.content) == (201, first.content)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert on_hand(variant) == 5


def test_repeats_a_refusal_even_when_there_would_be_enough_by_now(keeper, variant, body, adjust):
    first = post(keeper, body | {"delta": -1}, **SAME_ID)
    adjust(variant, 9)

    second = post(keeper, body | {"delta": -1}, **SAME_ID)

    assert (second.status_code, second.content) == (409, first.content)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert on_hand(variant) == 9


@pytest.mark.parametrize(
    "change", [{"delta": 6}, {"reason": "return"}, {"note": ""}, {"variant": UNKNOWN}, {"delta": -5}]
)
def test_refuses_another_body_for_the_same_key(keeper, variant, body, change):
    post(keeper, body)

    response = post(keeper, body | change)

    assert (response.status_code, response.json()["code"]) == (422, "idempotency-key-reused")
    assert on_hand(variant) == 5


def test_keeps_the_keys_of_two_actors_apart(keeper, as_staff, variant, body):
    post(keeper, body)

    post(as_staff("stock:write"), body)

    assert on_hand(variant) == 10


@pytest.mark.parametrize("key", ["", "with space", "x" * 256])
def test_needs_a_usable_key(keeper, body, key):
    response = post(keeper, body, key)

    assert (response.status_code, response.json()["code"]) == (400, "idempotency-key-missing")


def test_needs_a_key_at_all(keeper, body):
    response = keeper.post(URL, json.dumps(body), content_type="application/json")

    assert response.json()["code"] == "idempotency-key-missing"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"variant": "7"}, "#/variant", "invalid"),
        ({"delta": 0}, "#/delta", "zero"),
        ({"delta": 10**6 + 1}, "#/delta", "max-value"),
        ({"delta": -(10**6) - 1}, "#/delta", "min-value"),
        ({"delta": 1.0}, "#/delta", "invalid"),
        ({"delta": "5"}, "#/delta", "invalid"),
        ({"delta": True}, "#/delta", "invalid"),
        ({"delta": None}, "#/delta", "null"),
        ({"reason": "gift"}, "#/reason", "invalid-choice"),
        ({"note": 7}, "#/note", "invalid"),
        ({"note": "x" * 501}, "#/note", "max-length"),
        ({"note": "a\x00b"}, "#/note", "null-characters-not-allowed"),
        ({"on_hand": 7}, "#/on_hand", "unknown"),
    ],
)
def test_points_at_a_wrong_member(keeper, variant, body, change, pointer, code):
    response = post(keeper, body | change)

    assert (response.status_code, response.json()["code"]) == (400, "invalid-input")
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [(pointer, code)]
    assert on_hand(variant) == 0


@pytest.mark.parametrize("member", ["variant", "delta", "reason"])
def test_needs_what_has_no_default(keeper, body, member):
    del body[member]

    assert post(keeper, body).json()["errors"][0]["pointer"] == f"#/{member}"


def test_refuses_a_form(keeper, body):
    assert keeper.post(URL, body, headers={"Idempotency-Key": "key"}).status_code == 415


def test_refuses_the_anonymous(anonymous, body):
    assert post(anonymous, body).status_code == 401


@pytest.mark.parametrize("scope", ["catalog:write", "stock:read", "stock:admin"])
def test_refuses_another_scope(as_staff, variant, body, scope):
    response = post(as_staff(scope), body)

    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")
    assert on_hand(variant) == 0


def test_takes_one_round_trip(keeper, body, django_assert_num_queries):
    with django_assert_num_queries(1):
        post(keeper, body)


@pytest.mark.usefixtures("emptied")
def test_answers_409_when_the_same_is_still_under_way(connect, keeper, body):
    other = connect().cursor()
    other.execute(
        "SELECT stock_adjust(%s, 'busy', sha256(''), %s, %s, 1, 'receive', '', 'a')",
        [f"{keeper.sub}:adjust", str(uuid7()), str(uuid7())],
    )
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 50")

    response = post(keeper, body, "busy")

    assert (response.status_code, response.json()["code"]) == (409, "conflict")
    assert response.headers["Retry-After"] == "1"
