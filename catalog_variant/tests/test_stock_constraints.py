"""What the tables of stock refuse to everybody, the role that owns them included."""

import pytest
from psycopg2 import errors

from chassis.ids import uuid7

VARIANT = """
    INSERT INTO variant (public_id, product, sku, value_ids, price_minor, currency, price_version, barcode,
                         status, position, on_hand, reserved, allocated, safety, version, created_at,
                         updated_at)
    VALUES (%s, %s, %s, '{}', 1, 'EUR', 1, '', 'draft', 0, 0, 0, 0, %s, 1, now(), now()) RETURNING id
"""
MOVE = """
    INSERT INTO stock_movement (public_id, variant_id, delta, on_hand_after, reason, actor_sub, created_at)
    VALUES (gen_random_uuid(), %s, %s, 99, %s, %s, 'epoch') RETURNING on_hand_after
"""
ADJUST = """
    SELECT (stock_adjust('s', %s, sha256(''), %s, public_id, %s, 'damage', '', 'somebody')).outcome
      FROM variant WHERE id = %s
"""


def one(cursor, statement, values):
    cursor.execute(statement, values)
    return cursor.fetchone()[0]


def variant_with(owner, safety=0):
    return one(owner, VARIANT, [str(uuid7()), str(uuid7()), uuid7().hex, safety])


def move(owner, variant, delta, reason="receive", actor="somebody"):
    return one(owner, MOVE, [variant, delta, reason, actor])


def test_changes_stock_only_with_a_movement(owner):
    variant = variant_with(owner)

    with pytest.raises(errors.RestrictViolation):
        owner.execute("UPDATE variant SET on_hand = 5 WHERE id = %s", [variant])


def test_decides_itself_what_a_movement_says_of_its_place(owner):
    variant = variant_with(owner)

    assert (move(owner, variant, 5), move(owner, variant, -2)) == (5, 3)
    assert one(owner, "SELECT bool_and(created_at > 'epoch') FROM stock_movement", [])


@pytest.mark.parametrize(
    "wrong",
    [{"delta": 0}, {"delta": 10**6 + 1}, {"delta": 1, "reason": "gift"}, {"delta": 1, "actor": ""}],
)
def test_checks_every_column_of_a_movement(owner, wrong):
    variant = variant_with(owner)

    with pytest.raises(errors.CheckViolation):
        move(owner, variant, **wrong)


def test_counts_out_what_is_promised_or_kept_back(owner):
    variant = variant_with(owner, 4)
    move(owner, variant, 10)

    owner.execute("UPDATE variant SET reserved = 2, allocated = 1 WHERE id = %s", [variant])

    assert one(owner, "SELECT available FROM variant WHERE id = %s", [variant]) == 3


def test_offers_nothing_rather_than_less_than_nothing(owner):
    assert one(owner, "SELECT available FROM variant WHERE id = %s", [variant_with(owner, 4)]) == 0


def test_takes_away_nothing_that_is_promised(owner):
    variant = variant_with(owner)
    move(owner, variant, 5)
    owner.execute("UPDATE variant SET reserved = 2, allocated = 1 WHERE id = %s", [variant])
    move(owner, variant, -2)

    with pytest.raises(errors.CheckViolation) as caught:
        move(owner, variant, -1)

    assert caught.value.diag.constraint_name == "variant_promise_check"


def test_says_so_when_what_is_promised_is_asked_for(owner):
    variant = variant_with(owner)
    move(owner, variant, 5)
    owner.execute("UPDATE variant SET reserved = 2, allocated = 1 WHERE id = %s", [variant])

    outcomes = [one(owner, ADJUST, [uuid7().hex, str(uuid7()), delta, variant]) for delta in (-3, -2)]

    assert outcomes == ["insufficient-stock", "done"]


@pytest.mark.parametrize("counter", ["reserved", "allocated"])
def test_promises_no_more_than_there_is(owner, counter):
    variant = variant_with(owner)

    with pytest.raises(errors.CheckViolation):
        owner.execute(f"UPDATE variant SET {counter} = 1 WHERE id = %s", [variant])


def test_deletes_no_variant_that_ever_had_stock(owner):
    variant = variant_with(owner)
    move(owner, variant, 1)

    with pytest.raises(errors.ForeignKeyViolation):
        owner.execute("DELETE FROM variant WHERE id = %s", [variant])


@pytest.mark.parametrize("table", ["stock_movement", "idempotency"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}"])
def test_loses_no_movement_and_no_key(owner, table, statement):
    with pytest.raises(errors.RestrictViolation):
        owner.execute(statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stock_movement SET delta = 7",
        "UPDATE option_value SET option_id = 7",
    ],
)
def test_changes_nothing_that_is_said_for_good(owner, statement):
    with pytest.raises(errors.RestrictViolation):
        owner.execute(statement)


def test_keeps_the_result_of_a_key(owner):
    owner.execute("INSERT INTO idempotency VALUES ('s', 'k', sha256(''), 'done', gen_random_uuid(), '1')")

    with pytest.raises(errors.RestrictViolation):
        owner.execute("UPDATE idempotency SET outcome = 'insufficient-stock' WHERE key = 'k'")
