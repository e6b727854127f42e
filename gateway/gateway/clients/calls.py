"""How pages ask the services: side by side, never for long, and with what was last heard when one is away."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import cache
from typing import Any, Final, Generic, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from prometheus_client import Counter

from chassis.http import READ_SECONDS, CallFailed, Client, Response, Unknown
from gateway.clients.breaker import Breaker
from gateway.clients.memory import Copy, Memory

PAGE_SECONDS: Final = 2.0
"""How long one page may wait for services, however many of them hang."""

RENEW_SECONDS: Final = 0.5
"""How long a service is waited for when there is a copy to show instead."""

AT_ONCE: Final = 8
"""Calls to one lane of a service under way in this process; the next ones wait for their turn."""

_THREADS: Final = 64  # More than five services can keep busy at once, so that none waits for another.

_STALE: Final = Counter("gateway_stale_answers", "Pages' questions answered from a stale copy.", ["upstream"])
_AWAY: Final = Counter("gateway_away_answers", "Pages' questions that got no answer.", ["upstream"])

_logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
D = TypeVar("D")


class Unanswered(Exception):
    """A service did not give what it was asked for."""


class Away(Unanswered):
    """The service gave no answer, a broken one, or 5xx; or it is not asked because it gave none of late."""


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


class _NotInMemory(Exception):
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
    except _NotInMemory:
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


def service(name: str) -> "Service":
    """The service of that name, as this process knows it."""
    return _service(name, settings.UPSTREAMS[name], settings.ORIGIN)


@cache
def _service(name: str, base_url: str, origin: str) -> "Service":
    return Service(name, base_url, origin=origin)


def path_with(path: str, /, **parameters: Any) -> str:
    """A path with a query of those parameters that are not None."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


class _Lane:
    """Questions that fail together. What a service answers only with the help of another has its own lane:
    when that other one hangs, it does so too, and its other answers must not be given up for it.
    """

    def __init__(self) -> None:
        self.breaker = Breaker()
        self.slots = threading.BoundedSemaphore(AT_ONCE)


class Service:
    """One service, asked by GET. Safe to share between threads."""

    def __init__(self, name: str, base_url: str, *, origin: str) -> None:
        self.name = name
        self._client = Client(base_url, origin=origin, connections=AT_ONCE)
        self._lanes: defaultdict[str, _Lane] = defaultdict(_Lane)
        self._memory = Memory()
        self._flights: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()

    def get(self, path: str, read: Callable[[Any], T], *, lane: str = "") -> T:
        """What everybody may see at a path, read from its JSON; from memory as long as it is fresh.

        lane: the service that this one needs for its answer.
        Raises: Away, Missing, Moved, Refused.
        """
        copy = self._memory.find(path)
        if copy is not None and self._memory.is_fresh(copy):
            value: T = copy.value
            return value
        if copy is not None and self._is_hopeless(lane):
            stale: T = self._stale(copy)
            return stale
        if self._is_hopeless(lane):
            raise self._away("not asked", lane)
        if _memory_only.get():
            raise _NotInMemory
        return self._together(path, read, copy, lane)

    def get_private(
        self, path: str, read: Callable[[Any], T], *, token: str | None = None, always: bool = False
    ) -> T:
        """What is at a path for the bearer of a token; asked each time and never kept.

        always: asked even while the service is not expected to answer.

        Raises: Away, Missing, Moved, Refused.
        """
        return self._reading(read, self.fetch(path, token=token, always=always))

    def fetch(
        self,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = READ_SECONDS,
        always: bool = False,
        lane: str = "",
    ) -> Response:
        """The answer (2xx or 304) as it came, not kept.

        Raises: Away, Missing, Moved, Refused.
        """
        if not always and self._is_hopeless(lane):
            raise self._away("not asked", lane)
        if _memory_only.get():
            raise _NotInMemory
        with self._turn(lane, seconds, always) as breaker:
            response = self._send(path, token, headers, seconds, breaker, lane)
        if response.status < 300 or response.status == 304:
            return response
        raise self._fact(response)

    def _together(self, path: str, read: Callable[[Any], T], copy: Copy | None, lane: str) -> T:
        # A rush on one path asks once: the first one asks, the others wait for what it brings.
        with self._lock:
            flight = self._flights.get(path)
            if flight is None:
                mine = self._flights[path] = Future()
        if flight is not None:
            brought: T = self._awaited(flight, lane)
            return brought
        try:
            value = self._renewed(path, read, copy, lane)
        except BaseException as exc:
            mine.set_exception(exc)
            raise
        else:
            mine.set_result(value)
            return value
        finally:
            with self._lock:
                del self._flights[path]

    def _awaited(self, flight: "Future[Any]", lane: str) -> Any:
        try:
            return flight.result(READ_SECONDS)
        except TimeoutError as exc:
            raise self._away("too slow", lane) from exc

    def _renewed(self, path: str, read: Callable[[Any], T], copy: Copy | None, lane: str) -> T:
        try:
            return self._asked(path, read, copy, lane)
        except Away:
            if copy is None:
                raise
            stale: T = self._stale(copy)
            return stale
        except (Missing, Moved):
            self._memory.drop(path)
            raise

    def _asked(self, path: str, read: Callable[[Any], T], copy: Copy | None, lane: str) -> T:
        tag = {"If-None-Match": copy.etag} if copy and copy.etag else {}
        seconds = RENEW_SECONDS if copy else READ_SECONDS
        response = self.fetch(path, headers=tag, seconds=seconds, lane=lane)
        if response.status == 304 and copy is not None:
            self._memory.confirm(path, copy, response.headers)
            known: T = copy.value
            return known
        value = self._reading(read, response)
        self._memory.keep(path, value, response.headers, len(response.body))
        return value

    def _stale(self, copy: Copy) -> Any:
        _STALE.labels(self.name).inc()
        seconds = round(self._memory.age(copy))
        _logger.info("Showing a stale copy.", extra={"upstream": self.name, "age": seconds})
        return copy.value

    @contextmanager
    def _turn(self, name: str, seconds: float, always: bool) -> Iterator[Breaker]:
        lane = self._lanes[name]
        if not lane.slots.acquire(timeout=seconds):
            raise self._away("busy", name)
        try:
            if not always and not lane.breaker.permits():
                raise self._away("not asked", name)
            yield lane.breaker
        finally:
            lane.slots.release()

    def _send(
        self,
        path: str,
        token: str | None,
        headers: Mapping[str, str] | None,
        seconds: float,
        breaker: Breaker,
        lane: str,
    ) -> Response:
        try:
            response = self._client.request("GET", path, token=token, headers=headers, read_seconds=seconds)
        except CallFailed as exc:
            breaker.failed()
            raise self._away("no answer", lane) from exc
        breaker.succeeded()
        return response

    def _reading(self, read: Callable[[Any], T], response: Response) -> T:
        try:
            return read(response.json())
        except (Unknown, AttributeError, KeyError, TypeError, ValueError) as exc:
            raise self._away("garbage") from exc

    def _fact(self, response: Response) -> Unanswered:
        # An answer of any status tells that the service is there, so only silence counts for the breaker:
        # one broken product must not take all the others away.
        if response.status == 404:
            return Missing(self.name)
        if response.status in {301, 308}:
            return Moved(response.headers.get("location", ""))
        if 400 <= response.status < 500 and response.status != 429:
            return Refused(response.status, _code(response))
        return self._away(str(response.status))

    def _is_hopeless(self, lane: str) -> bool:
        until = _deadline.get()
        given_up = until is not None and (self.name, lane) in until.given_up
        return given_up or self._lanes[lane].breaker.is_open

    def _away(self, why: str, lane: str = "") -> Away:
        _AWAY.labels(self.name).inc()
        until = _deadline.get()
        if until is not None and why in {"no answer", "too slow", "busy"}:
            until.given_up.add((self.name, lane))
        _logger.info("A service is away.", extra={"upstream": self.name, "why": why})
        return Away(self.name)


def _code(response: Response) -> str:
    try:
        return str(response.json()["code"])
    except (Unknown, KeyError, TypeError):
        return ""
