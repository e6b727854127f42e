"""The services as this process knows them: asked by GET, never for long, and with what was last heard."""

import logging
import math
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from prometheus_client import Counter, Gauge

from chassis.http import READ_SECONDS, CallFailed, Client, Response, Unknown
from gateway.clients.breaker import Breaker
from gateway.clients.calls import (
    Away,
    Broken,
    Missing,
    Moved,
    NotInMemory,
    Refused,
    Unanswered,
    current_deadline,
    is_memory_only,
)
from gateway.clients.memory import COPY_BYTES, Copy, Memory

RENEW_SECONDS: Final = 0.5
"""How long a service is waited for when there is a copy to show instead."""

AT_ONCE: Final = 8
"""Calls to one lane of a service under way in this process; the next ones wait for their turn."""

STAFF: Final = "staff"
"""The lane of what only staff ask."""

_ANSWERS: Final = Counter(
    "mercato_page_answers",
    "Answers to the questions of pages, by where they came from.",
    ["upstream", "source"],
)
_BREAKER: Final = Gauge(
    "mercato_breaker_open",
    "1 from when a lane of a service is given up until it answers again.",
    ["upstream", "lane"],
    multiprocess_mode="livemax",
)

# All that reading an answer of another shape can raise: nesting without end and 1e999 are JSON too.
_NONSENSE: Final = (
    Unknown,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

_logger = logging.getLogger(__name__)

T = TypeVar("T")


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
    when that other one hangs, it does so too, and its other answers must not be given up for it. So have the
    figures for staff, which may take long where a page for customers does not.
    """

    def __init__(self) -> None:
        self.breaker = Breaker()
        self.slots = threading.BoundedSemaphore(AT_ONCE)


class Service:
    """One service, asked by GET. Safe to share between threads."""

    def __init__(self, name: str, base_url: str, *, origin: str) -> None:
        self.name = name
        self._client = Client(base_url, name=name, origin=origin, connections=AT_ONCE)
        self._lanes: defaultdict[str, _Lane] = defaultdict(_Lane)
        self._memory = Memory()
        self._flights: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()

    def get(self, path: str, read: Callable[[Any], T], *, lane: str = "") -> T:
        """What everybody may see at a path, read from its JSON; from memory as long as it is fresh.

        lane: the service that this one needs for its answer, or who asks what customers do not.
        Raises: Away, Missing, Moved, Refused.
        """
        copy = self._memory.find(path)
        if copy is not None and self._memory.is_fresh(copy):
            _ANSWERS.labels(self.name, "memory").inc()
            value: T = copy.value
            return value
        if copy is not None and self._is_hopeless(lane):
            stale: T = self._stale(copy)
            return stale
        if self._is_hopeless(lane):
            raise self._away("not asked", lane)
        if is_memory_only():
            raise NotInMemory
        try:
            return self._together(path, read, copy, lane)
        except Away:
            if copy is None:
                raise
            old: T = self._stale(copy)
            return old

    def get_private(
        self,
        path: str,
        read: Callable[[Any], T],
        *,
        token: str | None = None,
        always: bool = False,
        lane: str = "",
    ) -> T:
        """What is at a path for the bearer of a token; asked each time and never kept.

        always: asked even while the service is not expected to answer.

        Raises: Away, Missing, Moved, Refused.
        """
        return self._reading(read, self.fetch(path, token=token, always=always, lane=lane))

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
        if is_memory_only():
            raise NotInMemory
        with self._turn(lane, seconds, always) as breaker:
            response = self._send(path, token, headers, seconds, breaker, lane)
        if response.status < 300 or response.status == 304:
            _ANSWERS.labels(self.name, "service").inc()
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
            value = self._asked(path, read, copy, lane)
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
            return flight.result(min(READ_SECONDS, _left()))
        except TimeoutError as exc:
            raise self._away("too slow", lane) from exc

    def _asked(self, path: str, read: Callable[[Any], T], copy: Copy | None, lane: str) -> T:
        tag = {"If-None-Match": copy.etag} if copy and copy.etag else {}
        seconds = RENEW_SECONDS if copy else READ_SECONDS
        try:
            response = self.fetch(path, headers=tag, seconds=seconds, lane=lane)
        except (Missing, Moved):
            self._memory.drop(path)
            raise
        if response.status == 304 and copy is not None:
            self._memory.confirm(path, copy, response.headers)
            known: T = copy.value
            return known
        value = self._reading(read, response)
        self._memory.keep(path, value, response.headers, len(path) + len(response.body) + COPY_BYTES)
        return value

    def _stale(self, copy: Copy) -> Any:
        _ANSWERS.labels(self.name, "stale").inc()
        seconds = round(self._memory.age(copy))
        _logger.info("Showing a stale copy.", extra={"upstream": self.name, "age": seconds})
        return copy.value

    @contextmanager
    def _turn(self, name: str, seconds: float, always: bool) -> Iterator[Breaker]:
        lane = self._lane(name)
        if not lane.slots.acquire(timeout=min(seconds, _left())):
            raise self._away("busy", name)
        try:
            if not _left():  # It has waited for a thread until nobody waited for it any more.
                raise self._away("too late", name)
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
            _BREAKER.labels(self.name, lane).set(breaker.is_open)
            raise self._away("no answer", lane) from exc
        breaker.succeeded()
        _BREAKER.labels(self.name, lane).set(0)
        return response

    def _reading(self, read: Callable[[Any], T], response: Response) -> T:
        try:
            return read(response.json())
        except _NONSENSE as exc:
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
        away = self._away(str(response.status))
        return Broken(self.name) if response.status >= 500 else away

    def _is_hopeless(self, lane: str) -> bool:
        until = current_deadline()
        given_up = until is not None and (self.name, lane) in until.given_up
        return given_up or self._lane(lane).breaker.is_open

    def _lane(self, name: str) -> _Lane:
        with self._lock:
            return self._lanes[name]

    def _away(self, why: str, lane: str = "") -> Away:
        _ANSWERS.labels(self.name, "away").inc()
        until = current_deadline()
        if until is not None and why in {"no answer", "too slow", "busy"}:
            until.given_up.add((self.name, lane))
        _logger.info("A service is away.", extra={"upstream": self.name, "why": why})
        return Away(self.name)


def _code(response: Response) -> str:
    try:
        return str(response.json()["code"])
    except _NONSENSE:
        return ""


def _left() -> float:
    # Seconds that the page still waits; without a page, as long as the call itself says.
    until = current_deadline()
    return math.inf if until is None else until.left
