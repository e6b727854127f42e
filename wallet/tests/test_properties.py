"""Random postings, compared with a ledger of a few lines of Python."""

import io

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.ids import uuid7
from wallet import queries
from wallet.models import Account
from wallet.operations import IdempotencyKeyReused, InsufficientFunds

CURRENCIES = ["EUR", "USD"]
text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1).filter(str.strip)
postings = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(CURRENCIES),
        st.integers(-500, 500).filter(bool),
        st.integers(0, 4),
        text,
    ),
    max_size=12,
)


class Oracle:
    """What the wallet should do: refuse to overdraw, execute a key once, remember both."""

    def __init__(self):
        self.balances = {}
        self.keys = {}

    def post(self, sub, currency, amount, key, reason):
        request = (sub, currency, amount, reason)
        if key in self.keys:
            before, answer = self.keys[key]
            return answer if before == request else IdempotencyKeyReused
        balance = self.balances.get((sub, currency), 0) + amount
        answer = balance if balance >= 0 else InsufficientFunds
        self.keys[key] = (request, answer)
        if balance >= 0:
            self.balances[sub, currency] = balance
        return answer


def answer_of(adjust, sub, currency, amount, key, reason):
    try:
        posting = adjust(sub, amount, currency, idempotency_key=key, reason=reason)
    except (IdempotencyKeyReused, InsufficientFunds) as exc:
        return type(exc)
    return posting.transaction.balance_after_minor


@pytest.mark.usefixtures("committed")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=postings)
def test_answers_like_the_oracle_and_stays_sound(adjust, requests):
    oracle, run = Oracle(), uuid7()
    subs = [str(uuid7()) for _ in range(3)]

    for who, currency, amount, key, reason in requests:
        request = (subs[who], currency, amount, f"{run}:{key}", reason)
        assert answer_of(adjust, *request) == oracle.post(*request)

    accounts = Account.objects.filter(owner_sub__in=subs, balance_minor__gt=0)
    found = {(row.owner_sub, row.currency): row.balance_minor for row in accounts}
    assert found == {wallet: balance for wallet, balance in oracle.balances.items() if balance}
    assert all(total.is_balanced for total in queries.currency_totals())


@pytest.mark.usefixtures("committed")
def test_leaves_a_ledger_that_verifies(adjust, sub):
    adjust(sub, 1, reason='quotes " \\ / controls \x01\x1f\x7f\b\f\n\r\t and 日本語 🐘 \u2028')

    call_command("verify_ledger", stdout=io.StringIO())
