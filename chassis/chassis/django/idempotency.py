"""Writes that happen once however often they are sent: a key from the caller, an SQL function that claims it.

The function runs in one round trip and gives back its outcome ('done' or the code of a refusal), whether an
earlier request with the same key had it, and what it made.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any, Final

from django.db import OperationalError, connection
from drf_spectacular.utils import OpenApiParameter
from prometheus_client import Counter
from rest_framework.request import Request

from chassis.problems import DomainError

KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    required=True,
    description="1 to 255 visible ASCII characters. The same key with the same body has its effect once.",
)
REPLAYED: Final = {"Idempotent-Replayed": "true"}
"""Marks the answer to a request that was executed before."""

_FORM: Final = re.compile(r"[!-~]{1,255}")
_ATTEMPTS: Final = 3
_writes: Final = Counter(
    "mercato_idempotent_writes", "Writes with an Idempotency-Key, by what came of them.", ["write", "outcome"]
)
_DEADLOCK: Final = "40P01"
_SERIALIZATION: Final = "40001"
_LOCK_TIMEOUT: Final = "55P03"


class IdempotencyKeyMissing(DomainError):
    """A request that must happen once has no usable Idempotency-Key."""

    code = "idempotency-key-missing"
    status = 400


class Refused(DomainError):
    """The function said no; the answer is kept with the key and marked when it is given again."""

    def __init__(self, *, is_replay: bool) -> None:
        super().__init__(self.__doc__ or "")
        self.headers = REPLAYED if is_replay else {}


class IdempotencyKeyReused(Refused):
    """This Idempotency-Key was sent before, with another body."""

    code = "idempotency-key-reused"
    status = 422


class StillRunning(DomainError):
    """A request with this key, or one that needs the same rows, did not end in time."""

    headers: Final = {"Retry-After": "1"}


def required_key(request: Request) -> str:
    """The request's Idempotency-Key.

    Raises: IdempotencyKeyMissing.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not _FORM.fullmatch(key):
        raise IdempotencyKeyMissing("Send an Idempotency-Key of 1 to 255 visible ASCII characters.")
    return key


def fingerprint(*members: str | int) -> bytes:
    """What tells a request from another one with the same key: SHA-256 of its members."""
    return hashlib.sha256(json.dumps(members, ensure_ascii=False).encode()).digest()


def call(function: str, arguments: Sequence[Any]) -> tuple[Any, ...]:
    """The row that an SQL function answers with, called again after a deadlock.

    There must be no transaction around it: the call is one by itself, which holds its locks shortly, and what
    it refuses must be kept with the key whatever becomes of the caller.
    Raises: StillRunning, RuntimeError within a transaction.
    """
    # As atomic(durable=True) tells: the transaction of a test does not count.
    if connection.atomic_blocks and not connection.atomic_blocks[-1]._from_testcase:  # type: ignore[attr-defined]
        raise RuntimeError(f"{function} was called within a transaction.")
    statement = f"SELECT * FROM {function}({', '.join(['%s'] * len(arguments))})"  # noqa: S608 - a constant name.
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, arguments)
                row = tuple(cursor.fetchone())
                _writes.labels(function, "replayed" if row[1] else row[0]).inc()
                return row
        except OperationalError as exc:
            state = getattr(exc.__cause__, "pgcode", None)
            if state == _LOCK_TIMEOUT:
                raise StillRunning("The same is still under way; repeat it with the same key.") from exc
            if state not in {_DEADLOCK, _SERIALIZATION} or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")
