"""The shared cache (RFC 9111): answers that are everybody's, kept in this process, fetched once for all."""

import re
from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from chassis import preconditions
from gateway.edge import headers, heads, replies
from gateway.edge.headers import Fields, Head
from gateway.edge.policy import Forward

MAX_VARIANTS: Final = 8
"""Copies of one target that differ by what their requests asked for (Vary)."""

UNSHARED_SECONDS: Final = 10.0
"""How long nobody waits for another to fetch what was found to be for one alone."""

_MAX_UNSHARED: Final = 1024
_MAX_FRESH_SECONDS: Final = 365 * 24 * 3600
_OVERHEAD_BYTES: Final = 1024
_OK: Final = 200
_REFUSED: Final = 400
# What a service says of the target to all who may not name themselves. Other refusals are about one request
# (its Accept, its size, its turn), and anybody could end with such a one what is kept for everybody.
_FINAL_REFUSALS: Final = frozenset({401, 403, 404, 410, 451})

# What asks for a part, or for the answer as it is at this moment.
_NOT_FROM_COPIES: Final = (b"range: ", b"if-range: ", b"if-match: ", b"if-unmodified-since: ", b"cookie: ")
_CONDITIONS: Final = (b"if-none-match: ", b"if-modified-since: ")
# What the edge writes anew for each request, so that no copy is known to suit another.
_OF_EACH: Final = frozenset({b"*", b"x-forwarded-for", b"x-request-id", b"x-request-start"})
_NOT_MODIFIED: Final = (
    *(b"cache-control: ", b"content-location: ", b"content-security-policy: ", b"date: "),
    *(b"etag: ", b"expires: ", b"vary: ", b"x-content-type-options: "),
)
_SECONDS: Final = re.compile(r"[0-9]{1,10}", re.ASCII)

Target = tuple[bytes, bytes]
"""Host and target."""


class Waiter(Protocol):
    """Who waits while another fetches the same."""

    def on_copy(self, copy: "Copy") -> None:
        """Here it is, if it suits."""

    def on_unshared(self) -> None:
        """What came is for the other alone: ask for your own."""

    def on_lead(self, flight: "Flight") -> bool:
        """The other has left: fetch it for all who wait. False: this one cannot, and fetches it alone."""

    def on_no_copy(self, code: str, service: str) -> None:
        """The other got no answer: why, and of whom."""


class Freshness(NamedTuple):
    """For how many seconds an answer is fresh; then while another is fetched; then when none can be had."""

    fresh: float
    revalidating: float
    on_error: float


class Validators:
    """What tells whether a client has an answer already, and how it is told so."""

    __slots__ = ("_etag", "_modified", "not_modified")

    def __init__(self, common: bytes) -> None:
        """common: status line and fields of the answer as they go to every client."""
        lines = common.split(b"\r\n")[1:-1]
        self._etag = _line(lines, b"etag: ").decode("latin-1")
        self._modified = _line(lines, b"last-modified: ")
        again = [b"%b\r\n" % line for line in lines if line.startswith(_NOT_MODIFIED)]
        self.not_modified = replies.status_line(304) + b"".join(again)
        """The same of 304 (RFC 9110 section 15.4.5)."""

    def are_known(self, head: Head) -> bool:
        """Whether the client says that it has this (RFC 9110 section 13.2.2)."""
        tags = headers.value_of(head, b"if-none-match")
        if tags:
            return bool(self._etag) and preconditions.is_known(tags.decode("latin-1"), self._etag)
        return bool(self._modified) and headers.value_of(head, b"if-modified-since") == self._modified


class Copy:
    """An answer that is kept. Times are those of the event loop."""

    __slots__ = (
        "_chosen_by",
        "_head",
        "_stored_at",
        "body",
        "fresh_until",
        "on_error_until",
        "revalidating_until",
        "validators",
        "version",
    )

    def __init__(
        self, common: bytes, body: bytes, freshness: Freshness, chosen_by: Fields, version: int, now: float
    ) -> None:
        """common: status line and fields as they go to every client.

        chosen_by: the request fields on which the answer depends, with their values; version: see Cache.
        """
        self.body = body
        self.version = version
        self.validators = Validators(common)
        self._chosen_by = chosen_by
        self._stored_at = now
        self.fresh_until = now + freshness.fresh
        self.revalidating_until = self.fresh_until + freshness.revalidating
        self.on_error_until = self.fresh_until + freshness.on_error
        self._head = b"%bcontent-length: %d\r\n" % (common, len(body))

    @property
    def size(self) -> int:
        """The bytes that it is counted for."""
        chosen_by = sum(len(name) + len(value) for name, value in self._chosen_by)
        head = len(self._head) + len(self.validators.not_modified)
        return head + len(self.body) + chosen_by + _OVERHEAD_BYTES

    def suits(self, sent: Sequence[bytes]) -> bool:
        """Whether it is the answer to a request of which these lines would go to the upstream."""
        return all(_sent_values(sent, name) == value for name, value in self._chosen_by)

    def replaces(self, other: "Copy") -> bool:
        """Whether both are answers to the same requests."""
        return self._chosen_by == other._chosen_by

    def reply_head(self, *, is_known: bool, now: float, request_id: str, closes: bool) -> bytes:
        """The head of the answer to one request, 304 to who has it already (RFC 9111 5.1, RFC 9211)."""
        return b"%bcache-status: mercato; hit; ttl=%d\r\nage: %d\r\nx-request-id: %b\r\n%b\r\n" % (
            self.validators.not_modified if is_known else self._head,
            self.fresh_until - now,
            now - self._stored_at,
            request_id.encode(),
            replies.CLOSE_LINE if closes else b"",
        )


class Flight:
    """One fetch for all who want the same: its leader passes on what comes, and it is kept for the others."""

    __slots__ = (
        "_cache",
        "_chosen_by",
        "_common",
        "_freshness",
        "_is_over",
        "_key",
        "_pieces",
        "_sent",
        "_size",
        "_version",
        "_waiters",
        "upstream",
        "validators",
    )

    def __init__(self, cache: "Cache", forward: Forward, version: int) -> None:
        """The first leader's request; see Cache for the version."""
        self._cache = cache
        self._key = key_of(forward)
        self.upstream = forward.route.upstream
        self._version = version
        self._waiters: deque[Waiter] = deque()
        self._is_over = False
        self.lead(forward)

    def lead(self, forward: Forward) -> Forward:
        """Begin, or begin anew, with this request; returns what to send, so that the whole answer comes."""
        self._sent = heads.passing_lines(forward.head, forward.route)
        self._freshness: Freshness | None = None
        self._chosen_by: Fields = ()
        self._common = b""
        self.validators: Validators | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        lines = [passing for passing in forward.head.lines if not passing[1].startswith(_CONDITIONS)]
        return forward._replace(head=forward.head._replace(lines=lines))

    @property
    def is_keeping(self) -> bool:
        """Whether what comes is kept, which is bounded: then the upstream need not wait for a slow client."""
        return self._freshness is not None and not self._is_over

    def join(self, waiter: Waiter) -> None:
        """Tell this one too what came of it."""
        self._waiters.append(waiter)

    def leave(self, waiter: Waiter) -> None:
        """Tell this one nothing."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def on_reply(self, status: int, fields: Fields, length: int | None, common: bytes, now: float) -> None:
        """The leader has an answer. common: status line and fields as they go to every client."""
        freshness = freshness_of(status, fields, length)
        names = [name.lower() for name in _members(fields, b"vary")]
        if freshness is None or not _OF_EACH.isdisjoint(names) or (length or 0) > self._cache.max_copy_bytes:
            # An error says nothing about what is kept (RFC 5861 section 4); anything else replaces it.
            self._give_up(now, is_final=status < _REFUSED or status in _FINAL_REFUSALS)
            return
        self._freshness = freshness
        self._chosen_by = [(name, _sent_values(self._sent, name)) for name in sorted(set(names))]
        self._common = common
        self.validators = Validators(common)

    def on_data(self, data: bytes, now: float, *, is_whole: bool) -> None:
        """More of the body has come."""
        if self._is_over or self._freshness is None:
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._size > self._cache.max_copy_bytes:
            self._give_up(now)
        elif is_whole:
            body = b"".join(self._pieces)
            copy = Copy(self._common, body, self._freshness, self._chosen_by, self._version, now)
            self._cache.keep(self._key, self.upstream, copy)
            for waiter in self._end():
                waiter.on_copy(copy)

    def fail(self, code: str, service: str) -> None:
        """The leader got no whole answer, and so the others get none."""
        for waiter in self._end():
            waiter.on_no_copy(code, service)

    def abandon(self) -> None:
        """The leader's client has gone: who has waited longest, and can, leads."""
        if self._is_over:
            return
        while self._waiters:
            if self._waiters.popleft().on_lead(self):
                return
        self._end()

    def _give_up(self, now: float, *, is_final: bool = True) -> None:
        if is_final:
            self._cache.note_unshared(self._key, now)
        for waiter in self._end():
            waiter.on_unshared()

    def _end(self) -> deque[Waiter]:
        self._is_over = True
        self._pieces = []
        self._cache.land(self._key, self)
        waiters, self._waiters = self._waiters, deque()
        return waiters


class Cache:
    """Copies by Host and target, bounded in bytes, the last used kept longest; and what is being fetched.

    A write that an upstream has accepted, or of which nobody knows whether it has, ends all copies of its
    answers: each has the upstream's version of the time when it was asked for. That holds for writes through
    this process; all others are seen when a copy is no longer fresh, as by every other cache.
    """

    def __init__(self, *, max_bytes: int, max_copy_bytes: int) -> None:
        """Nothing is kept yet."""
        self.max_copy_bytes = max_copy_bytes
        self._max_bytes = max_bytes
        self._copies: OrderedDict[Target, list[Copy]] = OrderedDict()
        self._flights: dict[Target, Flight] = {}
        self._unshared: OrderedDict[Target, float] = OrderedDict()
        self._versions: Counter[str] = Counter()
        self.size = 0
        """In bytes."""

    def find(self, forward: Forward, sent: Sequence[bytes]) -> Copy | None:
        """The copy that answers a request of which these lines go to the upstream, however old it is."""
        key = key_of(forward)
        copies = self._copies.get(key)
        if copies is None:
            return None
        self._copies.move_to_end(key)
        version = self._versions[forward.route.upstream]
        for place, copy in enumerate(copies):
            if copy.version == version and copy.suits(sent):
                if place:
                    copies.insert(0, copies.pop(place))
                return copy
        return None

    def flight(self, forward: Forward) -> Flight | None:
        """The fetch under way of what this request asks for."""
        return self._flights.get(key_of(forward))

    def take_off(self, forward: Forward, now: float) -> Flight | None:
        """Begin to fetch for all; None when that is under way, or what came last was for one alone."""
        key = key_of(forward)
        if key in self._flights or self._unshared.get(key, now) > now:
            return None
        flight = self._flights[key] = Flight(self, forward, self._versions[forward.route.upstream])
        return flight

    def land(self, key: Target, flight: Flight) -> None:
        """A fetch is over."""
        if self._flights.get(key) is flight:
            del self._flights[key]

    def note_unshared(self, key: Target, now: float) -> None:
        """What was fetched is for one alone, and so is what was kept."""
        self._drop(key)
        self._unshared[key] = now + UNSHARED_SECONDS
        self._unshared.move_to_end(key)
        if len(self._unshared) > _MAX_UNSHARED:
            self._unshared.popitem(last=False)

    def keep(self, key: Target, upstream: str, copy: Copy) -> None:
        """Keep a copy, and forget those that were used longest ago.

        Of the variants of one target a new one takes the last place, and comes to the first when it is asked
        for again: so those that clients make up push out one another.
        """
        version = self._versions[upstream]
        if copy.version != version:
            return
        copies = [other for other in self._drop(key) if other.version == version]
        place = next((place for place, other in enumerate(copies) if copy.replaces(other)), MAX_VARIANTS - 1)
        copies[place : place + 1] = [copy]
        self._copies[key] = copies
        self.size += _size_of(key, copies)
        while self.size > self._max_bytes:
            self._drop(next(iter(self._copies)))

    def on_write(self, upstream: str) -> None:
        """An upstream may have changed something: what is known of it may no longer hold, or be under way."""
        self._versions[upstream] += 1
        self._flights = {key: flight for key, flight in self._flights.items() if flight.upstream != upstream}

    def _drop(self, key: Target) -> list[Copy]:
        copies = self._copies.pop(key, [])
        if copies:
            self.size -= _size_of(key, copies)
        return copies


def _size_of(key: Target, copies: list[Copy]) -> int:
    # With the target, of which clients may make up long ones for short answers.
    return sum(map(len, key)) + sum(copy.size for copy in copies)


def key_of(forward: Forward) -> Target:
    """Under which a request's answer is kept."""
    return forward.head.host, forward.request.target


def is_shared(forward: Forward, sent: Sequence[bytes]) -> bool:
    """Whether the answer to a request may be everybody's: a plain read, of a route with a cache, by nobody.

    sent: its lines that go to the upstream.
    """
    route, request, head = forward
    if not route.is_cached or request.method not in heads.SAFE or head.authorization:
        return False
    return not any(line.startswith(_NOT_FROM_COPIES) for line in sent)


def freshness_of(status: int, fields: Fields, length: int | None) -> Freshness | None:
    """How long an answer may be kept for everybody, None: not at all (RFC 9111 section 3, RFC 5861).

    What is in doubt is not kept. Only what says `public` is: in a shop a forgotten header must not show one
    customer's page to another. An answer that ends with its connection may be a part.
    """
    names = {name.lower() for name, _ in fields}
    is_bounded = length is not None or b"transfer-encoding" in names
    if status != _OK or not is_bounded or b"set-cookie" in names:
        return None
    said: dict[str, str] = {}
    for member in _members(fields, b"cache-control"):
        name, _, value = member.decode("latin-1").lower().partition("=")
        if said.setdefault(name, value) != value:
            return None
    if "public" not in said or not said.keys().isdisjoint({"private", "no-store", "no-cache"}):
        return None
    try:
        fresh = _seconds(said.get("s-maxage", said.get("max-age", "0")))
        revalidating = _seconds(said.get("stale-while-revalidate", "0"))
        on_error = _seconds(said.get("stale-if-error", "0"))
        age = _seconds(*[value.decode("latin-1") for value in _members(fields, b"age")] or ["0"])
    except (TypeError, ValueError):
        return None
    if not said.keys().isdisjoint({"must-revalidate", "proxy-revalidate", "s-maxage"}):
        revalidating = on_error = 0
    return Freshness(fresh - age, revalidating, on_error) if fresh + revalidating + on_error > age else None


def _seconds(value: str) -> int:
    if _SECONDS.fullmatch(value) is None:
        raise ValueError(value)
    return min(int(value), _MAX_FRESH_SECONDS)


def _members(fields: Fields, wanted: bytes) -> list[bytes]:
    return [
        member.strip(b" \t")
        for name, value in fields
        if name.lower() == wanted
        for member in value.split(b",")
        if member.strip(b" \t")
    ]


def _sent_values(sent: Sequence[bytes], name: bytes) -> bytes:
    prefix = name + b": "
    return b"".join([line for line in sent if line.startswith(prefix)])


def _line(lines: Sequence[bytes], prefix: bytes) -> bytes:
    return next((line[len(prefix) :] for line in lines if line.startswith(prefix)), b"")
