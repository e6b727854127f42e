import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from chassis.ids import uuid7
from wallet.management.commands.verify_ledger import checks

POST = "SELECT (wallet_adjust('test', %s, sha256(''), %s, %s, %s, 'EUR', %s, 'test', 'test')).public_id"


@pytest.fixture
def ledger(owner):
    """An open transaction of the owner with two postings of one subject and no trigger to stop him."""
    sub = str(uuid7())
    owner.execute(POST, [str(uuid7()), str(uuid7()), str(uuid7()), sub, 500])
    owner.execute(POST, [str(uuid7()), str(uuid7()), str(uuid7()), sub, -200])
    owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
    owner.execute("ALTER TABLE entry DISABLE TRIGGER USER")
    owner.execute("ALTER TABLE transfer DISABLE TRIGGER USER")
    owner.execute("ALTER TABLE account DISABLE TRIGGER USER")
    return owner


def failing(ledger):
    return {name.split()[0] for name, found in checks(ledger.connection) if list(found)}


def test_finds_nothing_wrong_with_a_good_ledger(ledger):
    assert failing(ledger) == set()


@pytest.mark.parametrize(
    ("statement", "noticed_by"),
    [
        ("UPDATE entry SET amount = -201 {entry}", {"entries", "transfers", "balances", "running", "hashes"}),
        ("UPDATE entry SET balance_after = 0 {entry}", {"running", "hashes"}),
        ("UPDATE entry SET posted_at = 'epoch' {entry}", {"running", "hashes"}),
        ("UPDATE entry SET account_seq = 7 {entry}", {"running", "hashes"}),
        ("UPDATE entry SET hash = sha256('') {entry}", {"hashes"}),
        ("DELETE FROM entry {entry}", {"entries", "transfers", "balances", "hashes"}),
        ("UPDATE account SET balance = balance + 1 {account}", {"balances"}),
        ("UPDATE account SET seq = seq + 1 {account}", {"balances"}),
        ("UPDATE account SET head_hash = sha256('') {account}", {"hashes"}),
        ("UPDATE transfer SET reason = 'a gift' {transfer}", {"hashes"}),
        ("UPDATE transfer SET actor_sub = 'somebody' {transfer}", {"hashes"}),
        ("UPDATE transfer SET amount = 1 {transfer}", {"transfers"}),
    ],
)
def test_notices_what_was_changed_behind_its_back(ledger, statement, noticed_by):
    account = "(SELECT max(id) FROM account WHERE kind = 'customer')"
    rows = {
        "account": f"WHERE id = {account}",
        "entry": f"WHERE account_id = {account} AND account_seq = 2",
        "transfer": "WHERE id = (SELECT max(id) FROM transfer)",
    }

    ledger.execute(statement.format(**rows))

    assert failing(ledger) == noticed_by


def test_reports_each_check_in_a_line(committed):
    out = io.StringIO()

    call_command("verify_ledger", stdout=out)

    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["ok"] * 5


def test_exits_with_1_when_anything_is_wrong(committed, monkeypatch):
    monkeypatch.setattr(
        "wallet.management.commands.verify_ledger._QUERIES", {"nothing is wrong": "SELECT 'all of it'"}
    )
    out = io.StringIO()

    with pytest.raises(CommandError) as caught:
        call_command("verify_ledger", stdout=out)

    assert caught.value.returncode == 1
    assert out.getvalue().startswith("FAIL  nothing is wrong: all of it\n")


def test_leaves_the_connection_usable(committed):
    call_command("verify_ledger", stdout=io.StringIO())

    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("5s",)
