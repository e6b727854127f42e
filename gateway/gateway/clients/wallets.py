"""The wallet service, always with the token of whose wallet it is, and never from memory."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gateway.clients import calls, services

_PATH: Final = "/api/v1/wallet"


@dataclass(frozen=True, slots=True)
class Balance:
    """What is in a wallet in one currency, in minor units: total is available and held together."""

    currency: str
    total_minor: int
    held_minor: int
    available_minor: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """A movement; amount_minor is negative when money left the wallet."""

    id: str
    kind: str
    amount_minor: int
    currency: str
    balance_after_minor: int
    reason: str
    reference: str
    created_at: datetime

    @property
    def is_credit(self) -> bool:
        """Whether money came in."""
        return self.amount_minor >= 0


@dataclass(frozen=True, slots=True)
class Statement:
    """A month (UTC) in one currency, oldest movement first; debited_minor is negative."""

    currency: str
    start_at: datetime
    end_at: datetime
    opening_minor: int
    credited_minor: int
    debited_minor: int
    closing_minor: int
    transactions: tuple[Transaction, ...]


def balances(token: str) -> tuple[Balance, ...]:
    """One for each currency that was ever used, by its code; that of the shop before any was.

    Raises: Unanswered.
    """
    return services.service("wallet").get_private(_PATH, _read_balances, token=token)


def transaction(token: str, transaction_id: UUID) -> Transaction:
    """One movement of the own wallet.

    Raises: Unanswered.
    """
    path = f"{_PATH}/transactions/{transaction_id}"
    return services.service("wallet").get_private(path, _read_transaction, token=token)


def statement(token: str, month: str, currency: str | None = None) -> Statement:
    """The statement of a month (yyyy-mm); without a currency, that of the shop.

    Raises: Unanswered.
    """
    path = services.path_with(f"{_PATH}/statements/{month}", currency=currency)
    return services.service("wallet").get_private(path, _read_statement, token=token)


def statement_csv(token: str, month: str, currency: str | None = None) -> bytes:
    """The same statement as a CSV file, as the service wrote it.

    Raises: Unanswered.
    """
    path = services.path_with(f"{_PATH}/statements/{month}", currency=currency, format="csv")
    response = services.service("wallet").fetch(path, token=token, headers={"Accept": "text/csv"})
    if not response.headers.get("content-type", "").startswith("text/csv"):
        raise calls.Away("wallet")
    return response.body


def is_balanced(token: str) -> bool:
    """Whether the whole ledger adds up to zero, for staff.

    Raises: Unanswered.
    """
    path = f"{_PATH}/integrity"
    return services.service("wallet").get_private(path, _read_is_balanced, token=token, lane=services.STAFF)


def _read_is_balanced(data: Any) -> bool:
    return bool(data["is_balanced"])


def _read_balances(data: Any) -> tuple[Balance, ...]:
    return tuple(
        Balance(
            str(each["currency"]),
            int(each["balance_minor"]),
            int(each["held_minor"]),
            int(each["available_minor"]),
        )
        for each in data["balances"]
    )


def _read_statement(data: Any) -> Statement:
    return Statement(
        currency=str(data["currency"]),
        start_at=_time(data["start_at"]),
        end_at=_time(data["end_at"]),
        opening_minor=int(data["opening_minor"]),
        credited_minor=int(data["credited_minor"]),
        debited_minor=int(data["debited_minor"]),
        closing_minor=int(data["closing_minor"]),
        transactions=tuple(_read_transaction(each) for each in data["transactions"]),
    )


def _read_transaction(data: Any) -> Transaction:
    return Transaction(
        id=str(UUID(data["id"])),
        kind=str(data["kind"]),
        amount_minor=int(data["amount_minor"]),
        currency=str(data["currency"]),
        balance_after_minor=int(data["balance_after_minor"]),
        reason=str(data["reason"]),
        reference=str(data["reference"]),
        created_at=_time(data["created_at"]),
    )


def _time(text: str) -> datetime:
    # A time of nowhere cannot be compared with any other.
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found
