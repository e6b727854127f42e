"""Reads of the ledger that join, sum, or are used twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from wallet.models import Account, Entry

_WINDOW: Final = 1000


class LedgerBroken(Exception):
    """Figures that must agree do not, so nothing that rests on them may be shown."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What a wallet holds in one currency, in minor units."""

    currency: str
    balance_minor: int
    held_minor: int

    @property
    def available_minor(self) -> int:
        """What can be spent now."""
        return self.balance_minor - self.held_minor


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transfer as the owner of one wallet sees it: signed amount and running balance, in minor units."""

    id: UUID
    kind: str
    amount_minor: int
    currency: str
    balance_after_minor: int
    reason: str
    reference: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Statement:
    """One account's figures from start_at up to but without end_at, in minor units.

    first_seq and last_seq number its entries in that time; without any, first_seq is last_seq + 1.
    Where there is no account yet, account_id is 0 and so are the figures.
    """

    account_id: int
    currency: str
    start_at: datetime
    end_at: datetime
    opening_minor: int
    credited_minor: int
    debited_minor: int
    closing_minor: int
    first_seq: int
    last_seq: int

    def transactions(self) -> Iterator[Transaction]:
        """The transactions, oldest first, read a window at a time so that memory stays constant.

        Entries never change and their numbers have no gaps: what is read later still agrees with the totals.
        """
        entries = Entry.objects.filter(account_id=self.account_id).select_related("transfer")
        for start in range(self.first_seq, self.last_seq + 1, _WINDOW):
            end = min(start + _WINDOW - 1, self.last_seq)
            for entry in entries.filter(account_seq__range=(start, end)).order_by("account_seq"):
                yield transaction_of(entry)


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """All accounts of one currency added up, in minor units: the customers', and the shop's own."""

    currency: str
    accounts: int
    customers_minor: int
    held_minor: int
    shop_minor: int

    @property
    def is_balanced(self) -> bool:
        """Whether what customers have is exactly what the shop's accounts lack."""
        return self.customers_minor + self.shop_minor == 0


def balances(sub: str, *, default_currency: str) -> list[Balance]:
    """What a subject's wallet holds, by currency; zeros in the default currency before the first posting."""
    rows = Account.objects.customer(sub).order_by("currency")
    found = [Balance(row.currency, row.balance_minor, row.held_minor) for row in rows]
    return found or [Balance(default_currency, 0, 0)]


def entries_of(sub: str) -> QuerySet[Entry]:
    """The entries of a subject's wallet, each with its transfer; time and public id are a unique order.

    The accounts are found first and named by number: with a single one, PostgreSQL then reads a page straight
    off the index on (account, time), however long the history is.
    """
    ids = list(Account.objects.customer(sub).values_list("pk", flat=True))
    return Entry.objects.filter(account_id__in=ids).select_related("transfer")


def transaction_of(entry: Entry) -> Transaction:
    """An entry, fetched with its transfer, as its owner sees it."""
    return Transaction(
        id=entry.transfer.public_id,
        kind=entry.transfer.kind,
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        balance_after_minor=entry.balance_after_minor,
        reason=entry.transfer.reason,
        reference=entry.transfer.order_ref,
        created_at=entry.posted_at,
    )


def statement(sub: str, currency: str, *, start_at: datetime, end_at: datetime) -> Statement:
    """The statement of a subject's wallet in one currency, from start_at up to but without end_at.

    Raises: LedgerBroken when the opening balance and what moved do not make the closing balance.
    """
    account = Account.objects.customer(sub).filter(currency=currency).first()
    entries = Entry.objects.filter(account_id=account.pk if account else 0)
    total = entries.filter(posted_at__gte=start_at, posted_at__lt=end_at).aggregate(
        count=Count("pk"),
        first=Min("account_seq"),
        last=Max("account_seq"),
        credited=Coalesce(Sum("amount_minor", filter=Q(amount_minor__gt=0)), 0),
        debited=Coalesce(Sum("amount_minor", filter=Q(amount_minor__lt=0)), 0),
    )
    before = entries.filter(posted_at__lt=start_at)
    if total["count"]:
        before = entries.filter(account_seq=total["first"] - 1)
    balance = before.order_by("-posted_at").values_list("balance_after_minor", "account_seq").first()
    opening, seq = balance or (0, 0)
    last = entries.filter(account_seq=total["last"]).first()

    made = Statement(
        account_id=account.pk if account else 0,
        currency=currency,
        start_at=start_at,
        end_at=end_at,
        opening_minor=opening,
        credited_minor=total["credited"],
        debited_minor=total["debited"],
        closing_minor=last.balance_after_minor if last else opening,
        first_seq=seq + 1,
        last_seq=seq + total["count"],
    )
    if made.opening_minor + made.credited_minor + made.debited_minor != made.closing_minor:
        raise LedgerBroken(f"Account {made.account_id} from {start_at} to {end_at} does not add up.")
    return made


def currency_totals() -> list[CurrencyTotal]:
    """All accounts added up, by currency. Reads every account, but no entry."""
    is_customer = Q(kind=Account.CUSTOMER)
    rows = (
        Account.objects.values("currency")
        .order_by("currency")
        .annotate(
            accounts=Count("pk"),
            customers_minor=Coalesce(Sum("balance_minor", filter=is_customer), 0),
            held_minor=Coalesce(Sum("held_minor"), 0),
            shop_minor=Coalesce(Sum("balance_minor", filter=~is_customer), 0),
        )
    )
    return [CurrencyTotal(**row) for row in rows]
