"""Counting what is tried, in the database: it holds for all processes, and after a restart."""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Final

from django.db import connection
from django.utils.crypto import salted_hmac
from prometheus_client import Counter as Figure

from chassis.problems import DomainError
from gateway.limits.quotas import LIMITS, Limit

_logger = logging.getLogger(__name__)
_exceeded = Figure("mercato_limits_exceeded", "Attempts past a limit.", ["limit"])
for _limit in LIMITS:
    _exceeded.labels(_limit.name)  # There from the start, so that the first one is seen as an increase.

# Nobody waits until a count of its own is on the disk: if PostgreSQL crashes, those of the last second may be
# lost. A count in somebody's transaction is written with it.
_AT_ONCE: Final = "SET LOCAL synchronous_commit TO off;"
# Rows in the order of their keys, in which every statement here locks them.
_TAKE: Final = """
INSERT INTO limits_counter AS known (key, count, ends_at)
VALUES {rows}
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN known.ends_at <= statement_timestamp() THEN 1 ELSE known.count + 1 END,
    ends_at = CASE WHEN known.ends_at <= statement_timestamp() THEN excluded.ends_at ELSE known.ends_at END
RETURNING key, count, ends_at, extract(epoch FROM ends_at - statement_timestamp())
"""
_ROW: Final = "(%s, 1, statement_timestamp() + make_interval(secs => %s))"
_GIVE_BACK: Final = """
UPDATE limits_counter SET count = count - 1
WHERE count > 0 AND (key, ends_at) IN ({rows})
    AND id IN (SELECT id FROM limits_counter WHERE key = ANY(%s) ORDER BY key FOR UPDATE)
"""
_FORGET: Final = """
DELETE FROM {table} WHERE id IN (
    SELECT id FROM {table} WHERE {column} < statement_timestamp() LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""
_TABLES: Final = (("limits_counter", "ends_at"), ("limits_knowndevice", "expires_at"))


@dataclass(frozen=True, slots=True)
class Count:
    """What a limit stands at, this attempt included."""

    limit: Limit
    key: str
    count: int
    ends_at: datetime
    seconds_left: int

    @property
    def is_exceeded(self) -> bool:
        return self.count > self.limit.most

    @property
    def left(self) -> int:
        return max(0, self.limit.most - self.count)


@dataclass(frozen=True, slots=True)
class Taken:
    """An attempt that was counted, for each of its limits."""

    counts: tuple[Count, ...]

    def exceeds(self, limit: Limit) -> bool:
        """Whether this attempt is past a limit, which it may not be counted for at all."""
        return any(count.limit is limit and count.is_exceeded for count in self.counts)

    @property
    def headers(self) -> dict[str, str]:
        """RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-11), of limits that refuse."""
        told = [count for count in self.counts if count.limit.refuses]
        if not told:
            return {}
        policy = ", ".join(f'"{one.limit.name}";q={one.limit.most};w={one.limit.seconds}' for one in told)
        state = ", ".join(f'"{one.limit.name}";r={one.left};t={one.seconds_left}' for one in told)
        return {"RateLimit-Policy": policy, "RateLimit": state}


NOTHING: Final = Taken(())
"""What was not counted."""


class TooManyRequests(DomainError):
    """It was tried too often. When it may be tried again stands in Retry-After, in seconds."""

    code = "too-many-requests"
    status = 429

    def __init__(self, taken: Taken) -> None:
        super().__init__()
        # Only what refuses: the others are of no use before that, and say less than they seem to.
        refusing = tuple(count for count in taken.counts if count.limit.refuses and count.is_exceeded)
        self.retry_after = max(count.seconds_left for count in refusing)
        self.headers = {"Retry-After": str(self.retry_after), **Taken(refusing).headers}


@dataclass(frozen=True, slots=True)
class Claim:
    """A limit, and whom or what it is counted for."""

    limit: Limit
    values: tuple[str, ...]

    @property
    def key(self) -> str:
        said = json.dumps([self.limit.name, *self.values])
        return salted_hmac("gateway.limits", said, algorithm="sha256").hexdigest()


def take(limit: Limit, *values: str) -> Taken:
    """Count an attempt before the work that it asks for. values say whom or what it is counted for.

    It stands even if what follows fails, so it is never part of a larger transaction.
    Raises: TooManyRequests.
    """
    return take_together(Claim(limit, values))


def take_together(*claims: Claim) -> Taken:
    """The same for several limits at once, all of which must allow it: none counts what another refuses.

    Raises: TooManyRequests.
    """
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        # What transaction.atomic(durable=True) asks too, without the two round trips of a transaction.
        raise RuntimeError("A refusal would undo the count.")
    taken = _count(claims, _AT_ONCE + _TAKE)
    for over in (one for one in taken.counts if one.is_exceeded):
        _exceeded.labels(over.limit.name).inc()
    if any(one.is_exceeded and one.limit.refuses for one in taken.counts):
        give_back(taken)
        _logger.info("Refused an attempt.", extra={"limits": [one.limit.name for one in taken.counts]})
        raise TooManyRequests(taken)
    return taken


def count(claims: Sequence[Claim]) -> Taken:
    """Count an attempt, whatever it comes to, in the caller's transaction."""
    return _count(claims, _TAKE)


def give_back(taken: Taken) -> None:
    """Let an attempt not have counted, because it succeeded; those of others go on counting."""
    counts = taken.counts
    rows = ", ".join(["(%s, %s)"] * len(counts))
    parameters = [part for one in counts for part in (one.key, one.ends_at)]
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK.format(rows=rows), [*parameters, [one.key for one in counts]])


def end_window(count: Count) -> bool:
    """End a window before its time: the next attempt is the first of another one. False when it has ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM limits_counter WHERE key = %s AND ends_at = %s", [count.key, count.ends_at]
        )
        return bool(cursor.rowcount)


def forget_expired() -> int:
    """Remove what counts no more, up to a thousand rows of each table; gives how many went."""
    return sum(_forget(table, column) for table, column in _TABLES)


def _count(claims: Sequence[Claim], statement: str) -> Taken:
    by_key = {claim.key: claim for claim in claims}
    parameters = [part for key in sorted(by_key) for part in (key, by_key[key].limit.seconds)]
    rows = _fetch(statement.format(rows=", ".join([_ROW] * len(by_key))), parameters)
    counts = {key: _read(by_key[key].limit, key, *found) for key, *found in rows}
    return Taken(tuple(counts[key] for key in by_key))


def _forget(table: str, column: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_FORGET.format(table=table, column=column))
        return int(cursor.rowcount)


def _fetch(statement: str, parameters: Iterable[Any]) -> Iterator[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return iter(cursor.fetchall())


def _read(limit: Limit, key: str, count: int, ends_at: datetime, seconds_left: Any) -> Count:
    return Count(limit, key, count, ends_at, max(1, ceil(seconds_left)))
