"""Keeps a service that does not answer from being waited for again and again."""

import threading
import time
from collections.abc import Callable
from typing import Final

FAILURES: Final = 5
OPEN_SECONDS: Final = 10.0


class Breaker:
    """Opens when FAILURES calls in a row got no answer; then one call in OPEN_SECONDS may try again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a call would be refused now."""
        return self._failures >= FAILURES and self._clock() < self._open_until

    def permits(self) -> bool:
        """Whether this call may be made; the one that tries again keeps the others waiting."""
        with self._lock:
            if self.is_open:
                return False
            self._open_until = self._clock() + OPEN_SECONDS
            return True

    def succeeded(self) -> None:
        """The service answered."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """The service did not answer."""
        with self._lock:
            self._failures += 1
            self._open_until = self._clock() + OPEN_SECONDS
