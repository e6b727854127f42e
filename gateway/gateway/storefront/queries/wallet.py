"""The wallet as its owner sees it: balances, a month of movements, and how the balance went."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from gateway.clients import calls, wallets
from gateway.clients.wallets import Balance, Statement, Transaction
from gateway.storefront.queries.listings import Choice

MONTHS_BACK: Final = 12
ROWS_SHOWN: Final = 200

_STEPS_SHOWN: Final = 200
_MONTH: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_LABELS: Final = {"adjustment": ("Credit by the shop", "Debit by the shop")}
_CHART_WIDTH: Final = 600
_CHART_HEIGHT: Final = 120


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of a currency."""

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Row:
    """A movement in words; amount_minor is negative when money left."""

    id: str
    kind: str
    label: str
    reason: str
    reference: str
    amount_minor: int
    currency: str
    balance_after_minor: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Chart:
    """A line of the balance over a month: points of an SVG polyline, and the same in words."""

    width: int
    height: int
    points: str
    label: str
    low: Money
    high: Money


@dataclass(frozen=True, slots=True)
class WalletPage:
    """A wallet in one of its currencies; with several there is a choice of them. more_rows are those of the
    month that are not in rows, all_rows how many it has. When is_down nothing else is known, and nothing is
    shown as if it were zero.
    """

    is_down: bool
    month: str
    months: tuple[Choice, ...]
    csv_url: str
    currency: str = ""
    currencies: tuple[Choice, ...] = ()
    available: Money | None = None
    held: Money | None = None
    total: Money | None = None
    opening: Money | None = None
    closing: Money | None = None
    rows: tuple[Row, ...] = ()
    more_rows: int = 0
    all_rows: int = 0
    chart: Chart | None = None
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class TransactionPage:
    """The receipt of one movement."""

    row: Row | None
    is_down: bool


def month_of(text: str, *, now: datetime) -> str:
    """The month (yyyy-mm) that was asked for: the present one unless it is one of the last MONTHS_BACK."""
    match = _MONTH.fullmatch(text)
    known = _months(now)
    return text if match and text in known else known[0]


def currency_of(text: str) -> str:
    """The code of a currency (ISO 4217), empty for what cannot be one."""
    return text if _CURRENCY.fullmatch(text) else ""


def wallet_page(token: str, month: str, currency: str, *, now: datetime) -> WalletPage:
    """Balances and one month of the wallet whose token this is, in a currency if it holds that; else in the
    shop's, or in the first that it holds.

    Raises: Refused.
    """
    try:
        balances, statement = _asked(token, month, currency)
    except (calls.Away, calls.Missing):
        return WalletPage(is_down=True, month=_month_label(month), months=(), csv_url="")
    return _shown(balances, statement, month, now)


def _asked(token: str, month: str, currency: str) -> tuple[tuple[Balance, ...], Statement]:
    # Side by side for the most part: only whoever names a currency waits to see whether they hold it.
    asked_balances = calls.begin(wallets.balances, token)
    usual = None if currency else calls.begin(wallets.statement, token, month)
    balances = asked_balances.get()
    held = [each.currency for each in balances]
    if currency in held:
        return balances, calls.begin(wallets.statement, token, month, currency).get()
    found = (usual or calls.begin(wallets.statement, token, month)).get()
    if held and found.currency not in held:
        found = calls.begin(wallets.statement, token, month, held[0]).get()
    return balances, found


def transaction_page(token: str, transaction_id: UUID) -> TransactionPage:
    """The receipt of one movement of the own wallet.

    Raises: Missing, Refused.
    """
    try:
        found = calls.begin(wallets.transaction, token, transaction_id).get()
    except calls.Away:
        return TransactionPage(None, is_down=True)
    return TransactionPage(_row(found), is_down=False)


def _shown(balances: tuple[Balance, ...], statement: Statement, month: str, now: datetime) -> WalletPage:
    currency, label = statement.currency, _month_label(month)
    own = next((each for each in balances if each.currency == currency), Balance(currency, 0, 0, 0))
    newest_first = statement.transactions[::-1]
    return WalletPage(
        is_down=False,
        month=label,
        months=_month_choices(month, now),
        csv_url=f"{reverse('statement-csv')}?{urlencode({'month': month, 'currency': currency})}",
        currency=currency,
        currencies=_currency_choices(balances, currency, month),
        available=Money(own.available_minor, currency),
        held=Money(own.held_minor, currency),
        total=Money(own.total_minor, currency),
        opening=Money(statement.opening_minor, currency),
        closing=Money(statement.closing_minor, currency),
        rows=tuple(_row(each) for each in newest_first[:ROWS_SHOWN]),
        more_rows=max(0, len(newest_first) - ROWS_SHOWN),
        all_rows=len(newest_first),
        chart=_chart(statement, label, now),
        as_of=now,
    )


def _row(found: Transaction) -> Row:
    credit, debit = _LABELS.get(found.kind, (found.kind.replace("_", " ").capitalize(),) * 2)
    return Row(
        id=found.id,
        kind=found.kind,
        label=found.reason or (credit if found.is_credit else debit),
        reason=found.reason,
        reference=found.reference,
        amount_minor=found.amount_minor,
        currency=found.currency,
        balance_after_minor=found.balance_after_minor,
        created_at=found.created_at,
    )


def _chart(statement: Statement, label: str, now: datetime) -> Chart | None:
    # A step for each movement, or for each so many; the line ends now, or with the month.
    every = -(-len(statement.transactions) // _STEPS_SHOWN)
    if not every:
        return None
    end = min(statement.end_at, max(now, statement.transactions[-1].created_at))
    levels = [(statement.start_at, statement.opening_minor)]
    for each in statement.transactions[::-1][::every][::-1]:
        levels += [(each.created_at, levels[-1][1]), (each.created_at, each.balance_after_minor)]
    levels.append((end, statement.closing_minor))
    amounts = [amount for _, amount in levels]
    low, high = min(0, *amounts), max(amounts)
    seconds = max(1.0, (end - statement.start_at).total_seconds())
    points = " ".join(
        f"{(at - statement.start_at).total_seconds() / seconds * _CHART_WIDTH:.1f},"
        f"{(1 - (amount - low) / max(1, high - low)) * _CHART_HEIGHT:.1f}"
        for at, amount in levels
    )
    currency = statement.currency
    words = f"Balance in {label}: {len(statement.transactions)} movements"
    return Chart(_CHART_WIDTH, _CHART_HEIGHT, points, words, Money(low, currency), Money(high, currency))


def _months(now: datetime) -> list[str]:
    there = now.astimezone(UTC)
    counted = [there.year * 12 + there.month - 1 - back for back in range(MONTHS_BACK + 1)]
    return [f"{count // 12:04}-{count % 12 + 1:02}" for count in counted]


def _month_choices(current: str, now: datetime) -> tuple[Choice, ...]:
    url = reverse("wallet")
    return tuple(
        Choice(month, _month_label(month), month == current, f"{url}?month={month}") for month in _months(now)
    )


def _currency_choices(balances: tuple[Balance, ...], current: str, month: str) -> tuple[Choice, ...]:
    codes = [each.currency for each in balances]
    url = reverse("wallet")
    return tuple(
        Choice(code, code, code == current, f"{url}?{urlencode({'month': month, 'currency': code})}")
        for code in codes
        if len(codes) > 1
    )


def _month_label(month: str) -> str:
    return f"{calendar.month_name[int(month[5:])]} {month[:4]}"
