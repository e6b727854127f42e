"""Public answers of a service, kept in this process: nobody's own, and no more than so many bytes."""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

STALE_SECONDS: Final = 24 * 3600.0
LONGEST_FRESH_SECONDS: Final = 300.0
MAX_BYTES: Final = 4 * 1024 * 1024
COPY_BYTES: Final = 1024
"""What a copy is counted for besides the bytes of its answer: many small ones are not small together."""

_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=([0-9]{1,9})(?:$|[\s,])")


@dataclass(frozen=True, slots=True)
class Copy:
    """What a service answered: the value that was read from it, and when it was last known to hold.

    Times are seconds of the monotonic clock; size is that of the answer in bytes.
    """

    value: Any
    etag: str
    size: int
    confirmed_at: float
    fresh_until: float


class Memory:
    """Copies by path. Past max_bytes the one that was used longest ago goes."""

    def __init__(self, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._copies: OrderedDict[str, Copy] = OrderedDict()
        self._max_bytes = max_bytes
        self._bytes = 0
        self._clock = clock
        self._lock = threading.Lock()

    def find(self, path: str) -> Copy | None:
        """The copy of a path, unless it is older than STALE_SECONDS."""
        with self._lock:
            copy = self._copies.get(path)
            if copy is None:
                return None
            if self.age(copy) > STALE_SECONDS:
                self._drop(path)
                return None
            self._copies.move_to_end(path)
            return copy

    def age(self, copy: Copy) -> float:
        """Seconds since the service last said that this holds."""
        return self._clock() - copy.confirmed_at

    def is_fresh(self, copy: Copy) -> bool:
        """Whether it may be shown without asking the service."""
        return self._clock() < copy.fresh_until

    def keep(self, path: str, value: Any, headers: Mapping[str, str], size: int) -> None:
        """Keep an answer if its headers say that it is everybody's."""
        seconds = public_seconds(headers)
        if seconds is None or size > self._max_bytes:
            self.drop(path)
            return
        now = self._clock()
        with self._lock:
            self._drop(path)
            self._copies[path] = Copy(value, headers.get("etag", ""), size, now, now + seconds)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._copies)))

    def confirm(self, path: str, copy: Copy, headers: Mapping[str, str]) -> None:
        """The service said that this copy still holds (304)."""
        now = self._clock()
        seconds = public_seconds(headers) or 0.0
        with self._lock:
            if path in self._copies:
                self._copies[path] = replace(copy, confirmed_at=now, fresh_until=now + seconds)

    def drop(self, path: str) -> None:
        """Forget a path."""
        with self._lock:
            self._drop(path)

    def _drop(self, path: str) -> None:
        copy = self._copies.pop(path, None)
        if copy is not None:
            self._bytes -= copy.size


def public_seconds(headers: Mapping[str, str]) -> float | None:
    """How long an answer is fresh by its Cache-Control (RFC 9111), or None when it is not everybody's."""
    control = headers.get("cache-control", "").lower()
    directives = {part.strip() for part in control.split(",")}
    if "public" not in directives or "no-store" in directives:
        return None
    match = _MAX_AGE.search(control)
    return min(float(match[1]), LONGEST_FRESH_SECONDS) if match else 0.0
