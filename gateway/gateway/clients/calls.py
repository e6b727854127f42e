"""How pages ask: side by side, all within one deadline, and with a name for each way of getting no answer."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import cache
from typing import Final, Generic, ParamSpec, TypeVar

PAGE_SECONDS: Final = 2.0
"""How long one page may wait for services, however many of them hang."""

_THREADS: Final = 64  # More than five services can keep busy at once, so that none waits for another.

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D")


class Unanswered(Exception):
    """A service did not give what it was asked for."""


class Away(Unanswered):
    """The service gave no answer, a broken one, or 5xx; or it is not asked because it gave none of late."""


class Broken(Away):
    """The service answered, and said that it cannot (5xx)."""


class Missing(Unanswered):
    """The service knows of no such thing (404)."""


class Moved(Unanswered):
    """The thing is at another address now (301), which `location` tells."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class Refused(Unanswered):
    """The service did not like the question (any other 4xx); `code` is that of its problem document."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class NotInMemory(Exception):
    """Only memory may be looked at, and it has no fresh copy."""


class Deadline:
    """The end of one page's patience, and the services that have tried it."""

    def __init__(self, seconds: float = PAGE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + seconds
        self.given_up: set[tuple[str, str]] = set()

    @property
    def left(self) -> float:
        """Seconds, never below zero."""
        return max(0.0, self._ends_at - self._clock())


_deadline: ContextVar[Deadline | None] = ContextVar("deadline", default=None)
_memory_only: ContextVar[bool] = ContextVar("memory_only", default=False)


def current_deadline() -> Deadline | None:
    """The deadline of the page that this call is made for, None outside of pages."""
    return _deadline.get()


def is_memory_only() -> bool:
    """Whether nobody may be asked just now: what memory has no answer to raises NotInMemory."""
    return _memory_only.get()


@contextmanager
def deadline(seconds: float = PAGE_SECONDS) -> Iterator[Deadline]:
    """All calls that begin inside share this many seconds, unless there is a deadline already."""
    current = _deadline.get()
    if current is not None:
        yield current
        return
    begun = Deadline(seconds)
    mark = _deadline.set(begun)
    try:
        yield begun
    finally:
        _deadline.reset(mark)


class Answer(Generic[T]):
    """What a call that has begun will bring."""

    def __init__(self, future: "Future[T]", until: Deadline) -> None:
        self._future = future
        self._until = until

    def get(self) -> T:
        """Wait for it, as long as the page still may.

        Raises: Unanswered.
        """
        try:
            return self._future.result(self._until.left)
        except TimeoutError as exc:
            raise Away("The page could not wait longer.") from exc

    def or_else(self, default: D) -> T | D:
        """Wait for it; the default stands in for whatever the service did not give."""
        try:
            return self.get()
        except Unanswered:
            return default


def begin(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
    """Start a call beside others and go on; a call that memory answers needs no thread.

    The call may ask services one after the other, and nothing else: no database, no `begin`.
    """
    until = _deadline.get() or Deadline()
    future: Future[T] = Future()
    mark = _memory_only.set(True)
    try:
        future.set_result(call(*args, **kwargs))
    except NotInMemory:
        pass
    except Unanswered as exc:
        future.set_exception(exc)
    finally:
        _memory_only.reset(mark)
    if not future.done():
        context = copy_context()
        future = _pool().submit(lambda: context.run(call, *args, **kwargs))
    return Answer(future, until)


@cache
def _pool() -> ThreadPoolExecutor:
    # Made when first needed: granian forks its workers, and threads do not survive that.
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="calls")
