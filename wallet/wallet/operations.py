"""Every write of the wallet: each is one call of a function that the database guards (migrations/sql/)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import OperationalError, connection

from chassis.ids import uuid7
from chassis.problems import DomainError
from wallet.queries import Transaction

REPLAYED: Final = {"Idempotent-Replayed": "true"}
"""Marks the answer to a request that was executed before."""

_ATTEMPTS: Final = 3
_DEADLOCK: Final = "40P01"
_SERIALIZATION: Final = "40001"
_LOCK_TIMEOUT: Final = "55P03"


class Refused(DomainError):
    """The ledger said no; the answer is kept with the key and marked when it is given again."""

    def __init__(self, *, is_replay: bool) -> None:
        super().__init__(self.__doc__ or "")
        self.headers = REPLAYED if is_replay else {}


class InsufficientFunds(Refused):
    """The wallet does not hold enough for this."""

    code = "insufficient-funds"


class BalanceLimitReached(Refused):
    """A wallet cannot hold more than 10^15 minor units."""

    code = "balance-limit"


class IdempotencyKeyReused(Refused):
    """This Idempotency-Key was sent before, with another body."""

    code = "idempotency-key-reused"
    status = 422


class StillRunning(DomainError):
    """A request with this key, or one for the same wallet, did not end in time."""

    headers: Final = {"Retry-After": "1"}


_REFUSALS: Final = {
    refusal.code: refusal for refusal in (InsufficientFunds, BalanceLimitReached, IdempotencyKeyReused)
}


@dataclass(frozen=True, slots=True)
class Posting:
    """What a request did, and whether an earlier request with the same key had done it."""

    transaction: Transaction
    is_replay: bool


def adjust_balance(
    *, sub: str, amount_minor: int, currency: str, reason: str, actor_sub: str, idempotency_key: str
) -> Posting:
    """Credit (amount_minor > 0) or debit (< 0) a subject's wallet by hand, once for each key of the actor.

    The counterpart is the shop's account for adjustments. Refusals are kept with the key and repeat alike.
    Raises: InsufficientFunds, BalanceLimitReached, IdempotencyKeyReused, StillRunning.
    """
    return _call(
        "wallet_adjust",
        f"{actor_sub}:adjust",
        idempotency_key,
        _fingerprint(sub, amount_minor, currency, reason),
        uuid7(),
        uuid7(),
        sub,
        currency,
        amount_minor,
        reason,
        actor_sub,
    )


def _fingerprint(*members: str | int) -> bytes:
    return hashlib.sha256(json.dumps(members, ensure_ascii=False).encode()).digest()


def _call(function: str, *arguments: Any) -> Posting:
    outcome, is_replay, *values = _fetch(function, arguments)
    if outcome != "done":
        raise _REFUSALS[outcome](is_replay=is_replay)
    return Posting(Transaction(*values), is_replay)


def _fetch(function: str, arguments: Sequence[Any]) -> tuple[Any, ...]:
    # No atomic block: the call is a transaction by itself, one round trip that holds its locks shortly.
    statement = f"SELECT * FROM {function}({', '.join(['%s'] * len(arguments))})"  # noqa: S608 - a constant name.
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments)
                return tuple(cursor.fetchone())
        except OperationalError as exc:
            state = getattr(exc.__cause__, "pgcode", None)
            if state == _LOCK_TIMEOUT:
                raise StillRunning("The same is still under way; repeat it with the same key.") from exc
            if state not in {_DEADLOCK, _SERIALIZATION} or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")
