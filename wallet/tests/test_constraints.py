"""What the tables refuse to everybody, the role that owns them included."""

import psycopg2
import pytest
from psycopg2 import errors

from chassis.ids import uuid7

ADJUST = "SELECT wallet_adjust('test', %s, sha256(''), %s, %s, %s, 'EUR', 500, 'test', 'test')"
TRANSFER = """
    INSERT INTO transfer (public_id, kind, currency, amount, reason, actor_sub)
    VALUES (gen_random_uuid(), 'adjustment', 'EUR', {amount}, 'test', 'test') RETURNING id
"""
ENTRY = """
    INSERT INTO entry (transfer_id, account_id, currency, amount, account_seq, balance_after, posted_at, hash)
    VALUES ({transfer}, {account}, {currency}, {amount}, 99, 99, 'epoch', sha256('forged'))
"""


class Ledger:
    """The owner's session after one posting: what it made, and a way to add to it by hand."""

    def __init__(self, cursor):
        self.cursor = cursor
        self.sub = str(uuid7())
        cursor.execute(ADJUST, [str(uuid7()), str(uuid7()), str(uuid7()), self.sub])
        self.customer = self.one("SELECT id FROM account WHERE owner_sub = %s", self.sub)
        self.shop = self.one("SELECT max(id) FROM account WHERE kind <> 'customer' AND currency = 'EUR'")
        self.end_transaction()
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def one(self, statement, *values):
        self.cursor.execute(statement, values)
        return self.cursor.fetchone()[0]

    def add_transfer(self, amount=100):
        return self.one(TRANSFER.format(amount=amount))

    def add_entry(self, transfer, account, amount, currency="'EUR'"):
        statement = ENTRY.format(transfer=transfer, account=account, amount=amount, currency=currency)
        self.cursor.execute(statement)

    def end_transaction(self):
        self.cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def ledger(owner):
    return Ledger(owner)


def test_takes_a_transfer_that_balances(ledger):
    transfer = ledger.add_transfer(100)
    ledger.add_entry(transfer, ledger.customer, -100)
    ledger.add_entry(transfer, ledger.shop, 100)

    ledger.end_transaction()

    assert ledger.one("SELECT balance FROM account WHERE id = %s", ledger.customer) == 400


def test_decides_itself_what_an_entry_says_of_its_place(ledger):
    transfer = ledger.add_transfer(100)
    ledger.add_entry(transfer, ledger.customer, -100)

    ledger.cursor.execute(
        "SELECT account_seq, balance_after, posted_at > created_at, hash <> sha256('forged')"
        "  FROM entry JOIN transfer t ON t.id = transfer_id WHERE transfer_id = %s",
        [transfer],
    )

    assert ledger.cursor.fetchone() == (2, 400, True, True)


@pytest.mark.parametrize(
    ("amount", "legs"),
    [
        (100, []),
        (100, [-100]),
        (100, [-100, 99]),
        (99, [-100, 100]),
        (100, [-100, 100, 1]),
    ],
)
def test_refuses_a_transfer_that_does_not_balance(ledger, amount, legs):
    other = ledger.one("SELECT wallet_account(gen_random_uuid(), 'customer', 'other', 'EUR', 0::smallint)")
    accounts = [ledger.customer, ledger.shop, other]
    transfer = ledger.add_transfer(amount)
    [ledger.add_entry(transfer, account, leg) for account, leg in zip(accounts, legs, strict=False)]

    with pytest.raises(errors.CheckViolation) as caught:
        ledger.end_transaction()

    assert caught.value.diag.constraint_name == "transfer_balances"


def test_refuses_to_overdraw_a_customer(ledger):
    transfer = ledger.add_transfer(501)

    with pytest.raises(errors.CheckViolation) as caught:
        ledger.add_entry(transfer, ledger.customer, -501)

    assert caught.value.diag.constraint_name == "account_overdraft_check"


def test_refuses_to_spend_what_is_held(ledger):
    ledger.cursor.execute("UPDATE account SET held = 500 WHERE id = %s", [ledger.customer])
    transfer = ledger.add_transfer(1)

    with pytest.raises(errors.CheckViolation) as caught:
        ledger.add_entry(transfer, ledger.customer, -1)

    assert caught.value.diag.constraint_name == "account_overdraft_check"


def test_refuses_to_hold_more_than_there_is(ledger):
    with pytest.raises(errors.CheckViolation):
        ledger.cursor.execute("UPDATE account SET held = 501 WHERE id = %s", [ledger.customer])


def test_refuses_another_currency_than_the_transfer_has(ledger):
    transfer = ledger.add_transfer()

    with pytest.raises(errors.ForeignKeyViolation):
        ledger.add_entry(transfer, ledger.customer, 100, currency="'USD'")


def test_refuses_another_currency_than_the_account_has(ledger):
    dollars = "INSERT INTO transfer (public_id, kind, currency, amount, reason, actor_sub)"
    transfer = ledger.one(
        f"{dollars} VALUES (gen_random_uuid(), 'adjustment', 'USD', 1, 'test', 'test') RETURNING id"
    )

    with pytest.raises(errors.ForeignKeyViolation):
        ledger.add_entry(transfer, ledger.customer, 100, currency="'USD'")


def test_refuses_a_second_leg_in_the_same_account(ledger):
    transfer = ledger.add_transfer(100)
    ledger.add_entry(transfer, ledger.customer, 100)

    with pytest.raises(errors.UniqueViolation):
        ledger.add_entry(transfer, ledger.customer, -100)


def test_refuses_a_leg_after_the_transaction_of_the_transfer(committed, adjust, owner, sub):
    adjust(sub, 100)

    with pytest.raises(errors.RestrictViolation):
        owner.execute(
            ENTRY.format(
                transfer="(SELECT max(id) FROM transfer)",
                account="(SELECT max(id) FROM account WHERE kind <> 'customer')",
                currency="'EUR'",
                amount=1,
            )
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE transfer SET amount = amount",
        "UPDATE transfer SET reason = 'other' WHERE false",
        "DELETE FROM transfer",
        "TRUNCATE transfer CASCADE",
        "UPDATE entry SET amount = 1",
        "DELETE FROM entry WHERE false",
        "TRUNCATE entry",
        "UPDATE audit_event SET actor_sub = 'nobody'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "DELETE FROM idempotency",
        "TRUNCATE idempotency",
        "DELETE FROM account",
        "TRUNCATE account CASCADE",
        "UPDATE account SET balance = balance + 1",
        "UPDATE account SET seq = 0",
        "UPDATE account SET head_hash = ''",
        "UPDATE account SET last_posted_at = now()",
        "UPDATE account SET owner_sub = 'me' WHERE owner_sub <> ''",
        "UPDATE account SET currency = 'USD'",
        "UPDATE account SET guarded = false",
    ],
)
def test_refuses_to_change_what_happened(ledger, statement):
    with pytest.raises(errors.RestrictViolation):
        ledger.cursor.execute(statement)


@pytest.mark.parametrize(
    ("name", "value"),
    [("balance", 1), ("held", 1), ("seq", 1), ("head_hash", "'x'"), ("last_posted_at", "now()")],
)
def test_opens_no_account_that_is_not_empty(ledger, name, value):
    with pytest.raises(errors.RestrictViolation):
        ledger.cursor.execute(
            f"INSERT INTO account (public_id, kind, owner_sub, currency, guarded, {name})"
            f" VALUES (gen_random_uuid(), 'customer', 'x', 'EUR', true, {value})"
        )


@pytest.mark.parametrize(
    "values",
    [
        "'customer', 'x', 'EUR', 0, false",
        "'customer', '', 'EUR', 0, true",
        "'customer', 'x', 'EUR', 1, true",
        "'customer', 'x', 'eur', 0, true",
        "'slush_fund', '', 'EUR', 0, false",
        "'manual_adjustment', '', 'EUR', 16, false",
    ],
)
def test_opens_no_account_of_a_wrong_kind(ledger, values):
    with pytest.raises((errors.CheckViolation, errors.RestrictViolation)):
        ledger.cursor.execute(
            "INSERT INTO account (public_id, kind, owner_sub, currency, stripe, guarded)"
            f" VALUES (gen_random_uuid(), {values})"
        )


def test_has_one_account_for_each_owner_and_currency(ledger):
    with pytest.raises(errors.UniqueViolation):
        ledger.cursor.execute(
            "INSERT INTO account (public_id, kind, owner_sub, currency, guarded)"
            " VALUES (gen_random_uuid(), 'customer', %s, 'EUR', true)",
            [ledger.sub],
        )


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1])
def test_refuses_an_amount_out_of_bounds(ledger, amount):
    with pytest.raises(errors.CheckViolation):
        ledger.add_transfer(amount)


def test_refuses_an_adjustment_without_a_reason(ledger):
    with pytest.raises(errors.CheckViolation):
        ledger.cursor.execute(TRANSFER.format(amount=1).replace("'test'", "' '", 1))


def test_keeps_the_result_of_a_key(committed, adjust, owner, sub):
    adjust(sub, 100)

    with pytest.raises(errors.RestrictViolation):
        owner.execute("UPDATE idempotency SET outcome = 'insufficient-funds'")


def test_is_one_transaction_with_its_key(owner):
    with pytest.raises(psycopg2.DatabaseError):
        owner.execute(ADJUST.replace("500", "0"), [*(str(uuid7()) for _ in range(3)), "x"])

    owner.connection.rollback()
    owner.execute("SELECT count(*) FROM account WHERE owner_sub = 'x'")
    assert owner.fetchone() == (0,)
