"""Every write of the wallet: each is one call of a function that the database guards (migrations/sql/)."""

from dataclasses import dataclass
from typing import Any, Final

from chassis.django import idempotency
from chassis.django.idempotency import IdempotencyKeyReused, Refused
from chassis.ids import uuid7
from wallet.queries import Transaction


class InsufficientFunds(Refused):
    """The wallet does not hold enough for this."""

    code = "insufficient-funds"


class BalanceLimitReached(Refused):
    """A wallet cannot hold more than 10^15 minor units."""

    code = "balance-limit"


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
        idempotency.fingerprint(sub, amount_minor, currency, reason),
        uuid7(),
        uuid7(),
        sub,
        currency,
        amount_minor,
        reason,
        actor_sub,
    )


def _call(function: str, *arguments: Any) -> Posting:
    outcome, is_replay, *values = idempotency.call(function, arguments)
    if outcome != "done":
        raise _REFUSALS[outcome](is_replay=is_replay)
    return Posting(Transaction(*values), is_replay)
