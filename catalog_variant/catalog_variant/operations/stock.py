"""Writes of stock: each is one call of a function that the database guards (migrations/sql/)."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from catalog_variant.queries import Movement
from chassis.django import idempotency
from chassis.django.idempotency import IdempotencyKeyReused, Refused
from chassis.ids import uuid7
from chassis.problems import FieldError


class InsufficientStock(Refused):
    """There are not so many units that are not promised to somebody."""

    code = "insufficient-stock"


class StockLimitReached(Refused):
    """A variant cannot have more than 10^9 units."""

    code = "stock-limit"


class UnknownVariant(Refused):
    """There is no variant with this id."""

    code = "unknown-variant"
    status = 422

    def __init__(self, *, is_replay: bool) -> None:
        super().__init__(is_replay=is_replay)
        self.errors = (FieldError("#/variant", "unknown", self.detail),)


NOTHING_MOVED: Final = (InsufficientStock, StockLimitReached, UnknownVariant)
"""Refusals after which it is sure that no request with the key has moved anything, or ever will."""

_REFUSALS: Final = {refusal.code: refusal for refusal in (*NOTHING_MOVED, IdempotencyKeyReused)}


@dataclass(frozen=True, slots=True)
class Posting:
    """What a request did, and whether an earlier request with the same key had done it."""

    movement: Movement
    is_replay: bool


def adjust_stock(
    *, variant: UUID, delta: int, reason: str, note: str = "", actor_sub: str, idempotency_key: str
) -> Posting:
    """Take units of a variant into the house (delta > 0) or out of it (< 0), once for each key of the actor.

    What is reserved or allocated stays. Refusals are kept with the key and repeat alike.
    Raises: UnknownVariant, InsufficientStock, StockLimitReached, IdempotencyKeyReused, StillRunning.
    """
    scope = f"{actor_sub}:adjust"
    fingerprint = idempotency.fingerprint(str(variant), delta, reason, note)
    request = (scope, idempotency_key, fingerprint, uuid7(), variant, delta, reason, note, actor_sub)
    outcome, is_replay, *values = idempotency.call("stock_adjust", request)
    if outcome != "done":
        raise _REFUSALS[outcome](is_replay=is_replay)
    return Posting(Movement(*values), is_replay)
