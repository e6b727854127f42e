"""Real transactions on real connections, side by side. They commit, each on subjects of its own."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from chassis.ids import uuid7
from wallet.models import Account, AuditEvent, Entry
from wallet.operations import InsufficientFunds

THREADS = 8
pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def at_once():
    """Calls a function once for each argument, all at the same moment, each on a connection of its own."""

    def at_once(function, arguments):
        barrier = Barrier(len(arguments))

        def run(argument):
            connection.ensure_connection()
            barrier.wait()
            try:
                return function(argument)
            except InsufficientFunds as exc:
                return exc
            finally:
                connection.close()

        with ThreadPoolExecutor(len(arguments)) as pool:
            return list(pool.map(run, arguments))

    return at_once


def test_two_debits_cannot_spend_the_same_money(at_once, adjust, sub):
    adjust(sub, 100)

    results = at_once(lambda _: adjust(sub, -30), range(THREADS))

    assert sum(isinstance(result, InsufficientFunds) for result in results) == THREADS - 3
    assert Account.objects.customer(sub).get().balance_minor == 10


def test_one_key_is_executed_once(at_once, adjust, sub):
    results = at_once(lambda _: adjust(sub, 100, idempotency_key=f"twin:{sub}"), range(THREADS))

    assert Counter(result.is_replay for result in results) == {False: 1, True: THREADS - 1}
    assert {result.transaction for result in results} == {results[0].transaction}
    assert Account.objects.customer(sub).get().balance_minor == 100
    assert AuditEvent.objects.filter(owner_sub=sub).count() == 1


def test_a_refusal_is_given_once_for_one_key(at_once, adjust, sub):
    results = at_once(lambda _: adjust(sub, -1, idempotency_key=f"twin:{sub}"), range(THREADS))

    assert Counter(bool(result.headers) for result in results) == {False: 1, True: THREADS - 1}
    assert AuditEvent.objects.filter(owner_sub=sub).count() == 1


@pytest.mark.case("K7")
def test_a_twin_of_a_crashed_request_executes(connect, at_once, adjust, sub):
    crashed = connect()
    crashed.cursor().execute(
        "SELECT wallet_adjust('actor:adjust', %s, sha256(''), %s, %s, %s, 'EUR', 100, 'test', 'actor')",
        [f"crash:{sub}", str(uuid7()), str(uuid7()), sub],
    )
    crashed.close()

    result = adjust(sub, 100, idempotency_key=f"crash:{sub}", actor_sub="actor")

    assert not result.is_replay
    assert Account.objects.customer(sub).get().balance_minor == 100


def test_the_first_postings_open_one_account(at_once, adjust, sub):
    at_once(lambda amount: adjust(sub, amount), range(1, THREADS + 1))

    assert Account.objects.customer(sub).get().balance_minor == sum(range(1, THREADS + 1))


def test_entries_of_one_account_stand_in_one_order(at_once, adjust, sub):
    at_once(lambda amount: adjust(sub, amount), range(1, THREADS + 1))

    entries = Entry.objects.filter(account__owner_sub=sub).order_by("account_seq")
    times = [entry.posted_at for entry in entries]
    assert [entry.account_seq for entry in entries] == list(range(1, THREADS + 1))
    assert times == sorted(set(times))
