"""Tells the edge and the services what was revoked: rows in the database, and from them one signed file."""

import logging
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Max
from django.db.models.functions import Now
from prometheus_client import Counter

from chassis.django.authentication import get_keys
from chassis.env import ConfigurationError
from chassis.files import replace_file, stamp_of
from chassis.revocations import (
    REVOCATIONS_FILE,
    BadRevocations,
    Revocations,
    read_revocations,
    sign_revocations,
)
from gateway.accounts.models import User
from gateway.background import TASKS, Task
from gateway.tokens import issuing
from gateway.tokens.models import RefreshFamily, Revocation

MOST_ENTRIES: Final = 5000
"""Of the list. What is older is covered by one time for all, before which nothing is good."""

KEPT: Final = timedelta(seconds=330)
"""As long as an access token lives, with the leeway of verifiers and some seconds more."""

_BETWEEN_WRITES: Final = 0.25
_LOOKED_AT_EVERY: Final = 1.0
_TURNS: Final = 0x7265766F  # The advisory lock of whoever publishes; any number that nobody else takes.

_logger = logging.getLogger(__name__)
_writes = Counter("mercato_revocations_writes", "Lists of revocations, by what came of them.", ["result"])
for _result in ("written", "failed"):
    _writes.labels(_result)


def revoke_sid(sid: str | UUID) -> None:
    """Have the tokens of a session refused everywhere within a second, once the transaction has committed."""
    revoke_sids([sid])


def revoke_sids(sids: Iterable[str | UUID]) -> None:
    """The same for many sessions."""
    _revoke(_ended(sids, int(time.time()) + 1))


def revoke_sub(user: User, *, at: datetime | None = None) -> None:
    """Have whatever a user was given in sessions from before a moment refused everywhere within a second,
    once the transaction has committed. Without a moment it is the last change of credentials.
    """
    at = at or User.objects.values_list("credentials_changed_at", flat=True).get(pk=user.pk)
    second = int(at.timestamp())
    # Tokens tell time in whole seconds, so those of a log-in in the second of the change look alike before it
    # and after it: the ones from before are named.
    begun = RefreshFamily.objects.filter(user=user, authenticated_at__lt=at).filter(
        authenticated_at__gte=at.replace(microsecond=0)
    )
    sids = begun.values_list("sid", flat=True)
    _revoke([Revocation(sub=str(user.public_id), not_before=second), *_ended(sids, second + 1)])


def revoke_everybody() -> None:
    """Have whatever any user was given before now refused everywhere within a second, once that has
    committed. Of what is given in this very second, the access token is refused too.
    """
    _revoke([Revocation(not_before=int(time.time()) + 1)])


class Publisher:
    """Writes what the database says into one file. All processes take turns, so there are at most four files
    a second, and each has a higher seq than the one before.
    """

    def __init__(self) -> None:
        self._known: tuple[tuple[int, int, int], Revocations] | None = None
        self._seq = 0  # The highest that this process has seen: readers take nothing below.
        self._has_failed = False

    def publish(self) -> None:
        """Bring the file up to date. While it cannot be, for want of folder or database, nothing else is
        wrong: tokens live to their end, at most 300 seconds more. That is said once.
        """
        try:
            self._publish()
            self._has_failed = False
        except (OSError, ConfigurationError, OperationalError, InterfaceError) as exc:
            _writes.labels("failed").inc()
            if not self._has_failed:
                _logger.warning("Cannot publish what was revoked.", extra={"reason": str(exc)})
            self._has_failed = True

    @transaction.atomic
    def _publish(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURNS])
        path, key = settings.KEYS_PUBLIC / REVOCATIONS_FILE, issuing.access_key()
        there = self._read(path)
        is_old, self._seq = there.seq < self._seq, max(there.seq, self._seq)
        if not is_old and replace(there, seq=0) == replace(_wanted(), kid=key.kid):
            return
        _rest_since(self._seq)
        # Read anew: what came meanwhile goes with it.
        wanted = replace(_wanted(), seq=max(self._seq + 1, time.time_ns() // 1_000_000))
        replace_file(path, sign_revocations(wanted, key, issuer=settings.ORIGIN, now=int(time.time())))
        self._seq = wanted.seq
        _writes.labels("written").inc()
        forget_expired()

    def _read(self, path: Path) -> Revocations:
        """What the file says: an empty list that nobody has signed when that is nothing.

        Somebody else may have written it or spoiled it: it is looked at each time, read when it changed.
        """
        try:
            stamp = stamp_of(path)
            if self._known is None or self._known[0] != stamp:
                self._known = stamp, read_revocations(path, get_keys(), issuer=settings.ORIGIN)
        except (FileNotFoundError, BadRevocations):
            return Revocations()
        return self._known[1]


def forget_expired() -> int:
    """Let go of what concerns no living token any more; says how many rows that were."""
    return Revocation.objects.filter(expires_at__lte=Now()).delete()[0]


PUBLISHER: Final = Publisher()
PUBLISHING: Final = TASKS.add(
    Task("publish-revocations", PUBLISHER.publish, every=_LOOKED_AT_EVERY, rest=_BETWEEN_WRITES)
)


def _ended(sids: Iterable[str | UUID], not_before: int) -> list[Revocation]:
    return [Revocation(sid=str(sid), not_before=not_before) for sid in sids]


def _revoke(rows: list[Revocation]) -> None:
    for row in rows:
        row.expires_at = Now() + KEPT
    Revocation.objects.bulk_create(rows)
    transaction.on_commit(PUBLISHING.ask)


def _wanted() -> Revocations:
    live = Revocation.objects.filter(expires_at__gt=Now()).order_by("-pk")
    rows = list(live.values_list("pk", "sid", "sub", "not_before")[: MOST_ENTRIES + 1])
    not_before = 0
    if len(rows) > MOST_ENTRIES:
        # What is left out is covered by a time at which all of it had been revoked: the second after.
        not_before = live.filter(pk__lte=rows.pop()[0]).aggregate(last=Max("not_before"))["last"] + 1
    subs: dict[str, int] = {}
    for _, sid, sub, since in rows:
        if sub:
            subs[sub] = max(since, subs.get(sub, 0))
        elif not sid:
            not_before = max(since, not_before)
    return Revocations(sids=frozenset(sid for _, sid, _, _ in rows if sid), subs=subs, not_before=not_before)


def _rest_since(seq: int) -> None:
    # Other processes may have written a moment ago. A clock that was set back makes nobody wait.
    pause = _BETWEEN_WRITES - (time.time() - seq / 1000)
    if 0 < pause <= _BETWEEN_WRITES:
        time.sleep(pause)
