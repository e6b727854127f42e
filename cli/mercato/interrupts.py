"""Ctrl-C and its like, heeded where it is safe to."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130  # The exit status that shells give to what Ctrl-C ended.
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):
    """Somebody asked for the end: not a failure."""


class Interrupts:
    """Counts signals; whoever waits for something asks now and then.

    The handler raises nothing: an exception in the middle of Popen.poll() can leave its lock taken, and
    then the child can never be waited for.
    """

    def __init__(self) -> None:
        self._received = 0
        self._received_before_stop: int | None = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals in this block, from the main thread."""
        before = {number: signal.signal(number, self._count) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def check(self) -> None:
        """Raises: Interrupted once a signal came."""
        if self._received:
            raise Interrupted

    def begin_stop(self) -> None:
        """From here on another signal means that the person is in a hurry."""
        if self._received_before_stop is None:
            self._received_before_stop = self._received

    @property
    def are_impatient(self) -> bool:
        """Whether a signal came after the stop began."""
        return self._received_before_stop is not None and self._received > self._received_before_stop

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self._received += 1
