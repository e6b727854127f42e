"""The wire format of the wallet: what comes in, checked for shape, and what goes out."""

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers

from chassis.django.fields import PublicId, StrictInput, Text, WholeNumber
from wallet.queries import Statement

KINDS: Final = ["adjustment"]
CSV: Final = OpenApiTypes.STR
_FORMULA: Final = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")  # noqa: RUF001 - full width works too.
_COLUMNS: Final = [
    "created_at",
    "id",
    "kind",
    "amount_minor",
    "currency",
    "balance_after_minor",
    "reason",
    "reference",
]


class TransactionFilter(serializers.Serializer[Any]):
    """The sources are what the entries are filtered by."""

    kind = serializers.ChoiceField(KINDS, required=False, source="transfer__kind")
    currency = serializers.ChoiceField(settings.CURRENCIES, required=False)
    created_from = serializers.DateTimeField(required=False, source="posted_at__gte")
    created_before = serializers.DateTimeField(required=False, source="posted_at__lt")


class StatementQuery(serializers.Serializer[Any]):
    currency = serializers.ChoiceField(settings.CURRENCIES, default=settings.DEFAULT_CURRENCY)
    format = serializers.ChoiceField(["json", "csv"], required=False)


class AdjustmentInput(StrictInput):
    """What staff book by hand: which wallet, which way, how much, and why."""

    sub = PublicId()
    direction = serializers.ChoiceField(["credit", "debit"])
    amount_minor = WholeNumber(min_value=1, max_value=10**12)
    currency = serializers.ChoiceField(settings.CURRENCIES)
    reason = Text(max_length=500)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The sign takes the place of the direction."""
        sign = 1 if attrs["direction"] == "credit" else -1
        return {
            "sub": str(attrs["sub"]),
            "amount_minor": sign * attrs["amount_minor"],
            "currency": attrs["currency"],
            "reason": attrs["reason"],
        }


class BalanceOutput(serializers.Serializer[Any]):
    currency = serializers.CharField()
    balance_minor = serializers.IntegerField()
    held_minor = serializers.IntegerField()
    available_minor = serializers.IntegerField()


class WalletOutput(serializers.Serializer[Any]):
    balances = BalanceOutput(many=True)


class TransactionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(KINDS)
    amount_minor = serializers.IntegerField(help_text="Negative when money left the wallet.")
    currency = serializers.CharField()
    balance_after_minor = serializers.IntegerField()
    reason = serializers.CharField()
    reference = serializers.CharField(allow_blank=True, help_text="The order, or empty.")
    created_at = serializers.DateTimeField()


class TransactionList(serializers.Serializer[Any]):
    data = TransactionOutput(many=True)  # type: ignore[assignment]  # The list's name hides Serializer.data.
    next_cursor = serializers.CharField(allow_null=True)


class StatementOutput(serializers.Serializer[Any]):
    currency = serializers.CharField()
    start_at = serializers.DateTimeField()
    end_at = serializers.DateTimeField()
    opening_minor = serializers.IntegerField()
    credited_minor = serializers.IntegerField()
    debited_minor = serializers.IntegerField()
    closing_minor = serializers.IntegerField()
    transactions = TransactionOutput(many=True)


class CurrencyTotalOutput(serializers.Serializer[Any]):
    currency = serializers.CharField()
    accounts = serializers.IntegerField()
    customers_minor = serializers.IntegerField()
    held_minor = serializers.IntegerField()
    shop_minor = serializers.IntegerField()
    is_balanced = serializers.BooleanField()


class IntegrityOutput(serializers.Serializer[Any]):
    is_balanced = serializers.BooleanField()
    currencies = CurrencyTotalOutput(many=True)


def statement_csv(statement: Statement) -> Iterator[str]:
    """A statement as CSV lines: the opening balance, every transaction, the closing balance."""
    writer = csv.writer(_Echo())
    yield writer.writerow(_COLUMNS)
    yield writer.writerow(_balance_row("opening", statement.start_at, statement.opening_minor, statement))
    for transaction in statement.transactions():
        row = TransactionOutput(transaction).data
        yield writer.writerow([_cell(row[name]) for name in _COLUMNS])
    yield writer.writerow(_balance_row("closing", statement.end_at, statement.closing_minor, statement))


class _Echo:
    """A file for csv.writer that hands each line back."""

    def write(self, line: str) -> str:
        return line


def _balance_row(kind: str, at: datetime, balance_minor: int, statement: Statement) -> list[Any]:
    return [at.isoformat().replace("+00:00", "Z"), "", kind, "", statement.currency, balance_minor, "", ""]


def _cell(value: Any) -> Any:
    # A spreadsheet runs a text that starts like a formula; the quote makes it plain text. Numbers are ours.
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value
