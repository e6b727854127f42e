"""The signed list of what was revoked before its time; verifiers read the file and call nobody."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from chassis.files import stamp_of
from chassis.keys import GATEWAY, SigningKey
from chassis.metrics import look_up
from chassis.tokens import InvalidToken, Keys, Principal, read_signed, sign

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

REVOCATIONS_FILE: Final = "revoked.jws"
TYP: Final = "revocation+jwt"
RELOAD_SECONDS: Final = 0.5
MAX_FILE_BYTES: Final = 2 * 1024 * 1024

_CLAIMS: Final = frozenset({"iss", "iat", "seq", "sids", "subs", "not_before"})
_SID: Final = re.compile(r"[A-Za-z0-9:_.-]{1,128}", re.ASCII)
_SUB: Final = re.compile(r"[0-9a-f-]{36}", re.ASCII)
_MOST: Final = 2**53

_logger = logging.getLogger(__name__)
_failures = Counter(
    "mercato_revocations_reload_failures",
    "Lists of revocations that were refused while the last good one went on.",
)


class BadRevocations(Exception):
    """A list that must not be believed; the text says why."""


@dataclass(frozen=True, slots=True)
class Revocations:
    """What was revoked: sessions, and everything from before a time, of one subject or of every user.

    seq grows from list to list; subs maps a subject to the Unix second before which nothing of it is good;
    not_before is the same for all users, 0: nothing. kid names the key that has signed the list.
    """

    seq: int = 0
    sids: frozenset[str] = frozenset()
    subs: Mapping[str, int] = field(default_factory=dict)
    not_before: int = 0
    kid: str = ""

    def refuses(self, principal: Principal) -> bool:
        """Whether a token that was good is good no more.

        Of a subject also what was issued later counts as revoked when its log-in was before that time:
        whoever logged in with the old password may have been given a token a moment after the change.
        """
        not_before = self.subs.get(principal.sub, 0)
        return (
            principal.sid in self.sids
            or principal.issued_at < not_before
            or principal.auth_time < not_before
            or (principal.issued_at < self.not_before and not principal.is_service)
        )


class RevocationStore:
    """The list in a directory, read again within half a second of a change.

    A reader keeps the last good list: a file that is half-written, forged, older or gone changes nothing but
    a metric and a log line. Without a file nothing is revoked. One that cannot be read at the start may have
    named anybody, so no user's token from before the start is good until a list comes that can.
    Safe to share between threads.
    """

    def __init__(
        self,
        directory: Path,
        keys: Keys,
        *,
        issuer: str,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path = directory / REVOCATIONS_FILE
        self._keys = keys
        self._issuer = issuer
        self._clock = clock
        self._now = now
        self._lock = Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._list = Revocations()
        self._checked_at = -RELOAD_SECONDS
        self.confirmed_at = 0.0
        """When the list was last found good, in Unix seconds; 0: never."""
        self._refresh(at_first=True)
        _stores.add(self)

    def current(self) -> Revocations:
        """The last good list. Looks at the file at most twice a second, whatever the number of calls."""
        if self._clock() - self._checked_at >= RELOAD_SECONDS:
            self._refresh()
        return self._list

    def _refresh(self, *, at_first: bool = False) -> None:
        if not self._lock.acquire(blocking=False):
            return  # Another thread is reading; the last good list serves meanwhile.
        try:
            self._checked_at = self._clock()
            self._read(must_exist=not at_first and self._stamp is not None)
            self.confirmed_at = self._now()
        except (OSError, BadRevocations) as exc:
            _failures.inc()
            _logger.error("Kept the last good list of revocations.", extra={"reason": str(exc)})
            if at_first:
                self._list = Revocations(not_before=int(self._now()))
        finally:
            self._lock.release()

    def _read(self, *, must_exist: bool) -> None:
        try:
            stamp = stamp_of(self._path)
        except FileNotFoundError:
            if must_exist:
                raise
            return
        if stamp == self._stamp:
            return
        found = read_revocations(self._path, self._keys, issuer=self._issuer)
        if found.seq < self._list.seq:
            raise BadRevocations("the list is older than the last one")
        self._list, self._stamp = found, stamp


class _Lists(Collector):
    """What the stores of this process hold; the worst of them counts."""

    def collect(self) -> "Iterator[Metric]":
        stores = list(_stores)
        lists = [store.current() for store in stores]
        yield GaugeMetricFamily(
            "mercato_revocations",
            "Sessions and subjects on the list of revocations.",
            value=min((len(one.sids) + len(one.subs) for one in lists), default=0),
        )
        yield GaugeMetricFamily(
            "mercato_revocations_confirmed_timestamp_seconds",
            "When the list of revocations was last found good, or found missing as it was from the start.",
            value=min((store.confirmed_at for store in stores), default=0),
        )


_stores: WeakSet[RevocationStore] = WeakSet()
look_up(_Lists())


def sign_revocations(revoked: Revocations, key: SigningKey, *, issuer: str, now: int) -> bytes:
    """The list as a file holds it, signed with an access key; now in Unix seconds."""
    claims = {
        "iss": issuer,
        "iat": now,
        "seq": revoked.seq,
        "sids": sorted(revoked.sids),
        "subs": dict(sorted(revoked.subs.items())),
        "not_before": revoked.not_before,
    }
    return sign(claims, key, TYP).encode()


def read_revocations(path: Path, keys: Keys, *, issuer: str) -> Revocations:
    """The list in a file, all of it or none.

    Refuses what is no compact JWS of ours with the type of a list, what no access key of the gateway has
    signed, another issuer, members that are missing, twice, unknown or not of their form, and 2 MiB.
    Raises: OSError, BadRevocations.
    """
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    try:
        claims, key = read_signed(data.decode("ascii"), keys.current(), typ=TYP, max_bytes=MAX_FILE_BYTES)
    except (InvalidToken, UnicodeDecodeError) as exc:
        raise BadRevocations(f"the file is no signed list: {exc}") from exc
    if key.holder != GATEWAY:
        raise BadRevocations("it was not signed by the gateway")
    if claims.keys() != _CLAIMS or claims["iss"] != issuer:
        raise BadRevocations("it is the list of another shop, or of another version")
    if not _is_well_formed(claims):
        raise BadRevocations("a member is not of its form")
    sids = frozenset(claims["sids"])
    return Revocations(claims["seq"], sids, claims["subs"], claims["not_before"], key.kid)


def _is_well_formed(claims: dict[str, Any]) -> bool:
    sids, subs = claims["sids"], claims["subs"]
    return (
        all(_is_number(claims[name]) for name in ("iat", "seq", "not_before"))
        and isinstance(sids, list)
        and all(isinstance(sid, str) and _SID.fullmatch(sid) for sid in sids)
        and isinstance(subs, dict)
        and all(_SUB.fullmatch(sub) and _is_number(subs[sub]) for sub in subs)
    )


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MOST
