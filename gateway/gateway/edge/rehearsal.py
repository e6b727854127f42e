"""For tests without sockets: the edge's protocols on transports of bytes, and a clock stepped by hand.

Every event happens when a test says so, which is how all their orders can be tried. Only what asyncio brings
is replaced: the loop's clock, its sockets and its dialing.
"""

import asyncio
import contextlib
import io
import itertools
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.edge.config import Address, Configuration, Limits, Times
from gateway.edge.downstream import Client
from gateway.edge.main import Edge
from gateway.edge.observe import Journal
from gateway.edge.testing import EDGE_KEY, ORIGIN, Issuer

UPSTREAMS: Final = ("web", "wallet", "catalog_category", "catalog_product", "catalog_variant", "banner")

DIALING: Final = ("works", "is refused", "takes too long", "is lost at once")

_FIRST_PORT: Final = 1001
_IN_THE_WAY: Final = (
    *("failures", "connections_per_address", "requests_per_second", "burst"),
    *("guesses_per_second", "guesses_burst"),
)


def roomy(**limits: int) -> Limits:
    """These limits, and none of those that many requests of one client, or many failures, run into."""
    return Limits(**dict.fromkeys(_IN_THE_WAY, 1_000_000) | limits)


class Wire(asyncio.Transport):
    """A transport that keeps what its protocol writes, and hands it what a test feeds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol, port: int = 0) -> None:
        """port: of the upstream that was dialed."""
        super().__init__({"peername": ("127.0.0.1", 50_000)})
        self.port = port
        self.sent = bytearray()
        self.is_lost = False
        self.is_choked = False
        self.has_sent_eof = False
        self._loop = loop
        self._protocol = protocol
        self._is_closing = False
        self._is_paused = False
        self._unread = bytearray()
        self._has_eof = False

    # What a test does

    def feed(self, data: bytes) -> None:
        """Bytes arrive. They wait while the protocol has paused reading."""
        self._unread += data
        self._deliver()

    def feed_eof(self) -> None:
        """The peer has closed its half."""
        self._has_eof = True
        self._deliver()

    def lose(self, exc: Exception | None = None) -> None:
        """The connection is gone."""
        self._is_closing = True
        if not self.is_lost:
            self.is_lost = True
            self._protocol.connection_lost(exc)

    def choke(self) -> None:
        """The peer takes nothing for now."""
        if not self.is_choked and not self.is_lost:
            self.is_choked = True
            self._protocol.pause_writing()

    def relieve(self) -> None:
        """The peer takes everything again."""
        if not self.is_choked or self.is_lost:
            return
        self.is_choked = False
        self._protocol.resume_writing()
        if self._is_closing:
            self._loop.call_soon(self.lose)

    # asyncio.Transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the bytes."""
        if not self._is_closing:
            self.sent += data

    def write_eof(self) -> None:
        """Note it."""
        self.has_sent_eof = True

    def get_write_buffer_size(self) -> int:
        """Nothing waits here unless the peer takes nothing."""
        return int(self.is_choked)

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self._is_closing

    def close(self) -> None:
        """Close when what was written has gone out."""
        if not self._is_closing:
            self._is_closing = True
            if not self.is_choked:
                self._loop.call_soon(self.lose)

    def abort(self) -> None:
        """Close at once."""
        self._is_closing = True
        self._loop.call_soon(self.lose)

    def pause_reading(self) -> None:
        """Hand over nothing more."""
        self._is_paused = True

    def resume_reading(self) -> None:
        """Go on."""
        self._is_paused = False
        self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        if self._unread and self._is_read():
            data = bytes(self._unread)
            self._unread.clear()
            self._protocol.data_received(data)
        if self._has_eof and not self._unread and self._is_read():
            self._has_eof = False
            if not self._protocol.eof_received():
                self.close()

    def _is_read(self) -> bool:
        return not self._is_paused and not self._is_closing


class SteppedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes when it is told to, and which dials wires."""

    now = 1000.0

    def __init__(self) -> None:
        super().__init__()
        self.dialed: list[Wire] = []
        self.dialing = "works"
        """Or one of DIALING, which is what becomes of the next connections."""

    def time(self) -> float:
        """What a test has made of it."""
        return self.now

    async def create_connection(  # type: ignore[override]  # The one form that the edge calls.
        self, protocol_factory: Callable[[], asyncio.Protocol], host: str, port: int, **_options: Any
    ) -> tuple[Wire, asyncio.Protocol]:
        """A wire to an upstream, if dialing works."""
        if self.dialing == "is refused":
            raise ConnectionRefusedError
        protocol = protocol_factory()
        wire = Wire(self, protocol, port)
        self.dialed.append(wire)
        protocol.connection_made(wire)
        if self.dialing == "takes too long":
            # What uvloop does to a connection that is made as the time is over: its protocol hears no more.
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                wire.is_lost = wire._is_closing = True
        if self.dialing == "is lost at once":
            wire.lose()
        return wire, protocol


class _Errors(logging.Handler):
    def __init__(self, errors: list[object]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        self._errors.append(record.exc_info or record.getMessage())


class Rehearsal:
    """An edge that listens nowhere. Whatever goes wrong unforeseen is in errors."""

    def __init__(self, issuer: Issuer, *, times: Times, limits: Limits) -> None:
        """Its upstreams are reached by the wires that it dials."""
        self.errors: list[object] = []
        self.loop = SteppedLoop()
        self.loop.set_exception_handler(lambda _, context: self.errors.append(context))
        self._log = _Errors(self.errors)
        logging.getLogger("gateway.edge").addHandler(self._log)
        ports = {name: _FIRST_PORT + number for number, name in enumerate(UPSTREAMS)}
        self._names = {port: name for name, port in ports.items()}
        self._configuration = Configuration(
            origin=ORIGIN,
            bind=("127.0.0.1", 0),
            metrics_bind=("127.0.0.1", 0),
            keys_public=issuer.directory,
            edge_key=EDGE_KEY,
            upstreams={name: Address("127.0.0.1", port) for name, port in ports.items()},
            times=times,
            limits=limits,
        )
        self.edge = self.loop.run_until_complete(self._make())

    def __enter__(self) -> "Rehearsal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def do(self, action: Callable[..., object], *arguments: Any) -> None:
        """Let something happen, and all that follows at once."""
        self.loop.call_soon(action, *arguments)
        self.settle()

    def settle(self) -> None:
        """Let everything happen that is due."""
        while True:
            self.loop.stop()
            self.loop.run_forever()
            if not self.loop._ready:  # type: ignore[attr-defined]
                return

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with every look at the clock that the edge takes meanwhile."""
        ends_at = self.loop.now + seconds
        while self.loop.now < ends_at:
            self.loop.now = min(ends_at, self.loop.now + self._configuration.times.tick)
            self.settle()

    def connect(self) -> Wire:
        """A client connects."""
        protocol = Client(self.edge.shared)
        wire = Wire(self.loop, protocol)
        self.do(protocol.connection_made, wire)
        return wire

    def name_of(self, wire: Wire) -> str:
        """The upstream at the other end of a dialed wire."""
        return self._names[wire.port]

    def left_over(self) -> dict[str, int]:
        """What should be nothing when no client is connected, by what it is; empty when all is well."""
        shared = self.edge.shared
        counts = {
            "clients": len(shared.clients),
            "connections": shared.figures.connections,
            "in flight": shared.figures.in_flight,
        }
        for name, pool in shared.upstreams.items():
            counts[f"queue of {name}"] = pool.queued
            counts[f"busy connections to {name}"] = pool.open_connections - pool.idle_connections
        return {what: count for what, count in counts.items() if count}

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(AttributeError):
            self.edge._ticking.cancel()  # type: ignore[union-attr]
        for pool in self.edge.shared.upstreams.values():
            self.do(pool.close)
        self.loop.close()
        logging.getLogger("gateway.edge").removeHandler(self._log)

    async def _make(self) -> Edge:
        edge = Edge(self._configuration, journal=Journal(io.BytesIO()))
        edge._tick()
        return edge


@dataclass(frozen=True)
class Answer:
    """One answer as a client reads it; what says when it was made, and how it was framed, is left out."""

    status: int
    fields: tuple[bytes, ...]
    body: bytes
    is_whole: bool = True

    @property
    def id(self) -> bytes:
        """The id of the request that it answers."""
        return next(line[14:] for line in self.fields if line.startswith(b"x-request-id: "))


class NoAnswer(Exception):
    """What was sent is not a sequence of answers."""


_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 ([2-5]\d\d) [ -~]*")
_FIELD_LINE: Final = re.compile(rb"[a-z0-9!#$%&'*+.^_`|~-]+: [\t -~\x80-\xff]*")


def read_answers(stream: bytes, *, methods: Sequence[bytes], is_ended: bool) -> list[Answer]:
    """The answers in what was sent to a client, strictly read; methods: of what it asked, in order.

    Raises: NoAnswer.
    """
    found = []
    for method in itertools.chain(methods, itertools.repeat(b"GET")):
        while stream.startswith(b"HTTP/1.1 100 "):
            stream = stream.partition(b"\r\n\r\n")[2]
        if not stream:
            break
        head, mark, stream = stream.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        said = _STATUS_LINE.fullmatch(first)
        if not mark or said is None or not all(map(_FIELD_LINE.fullmatch, lines)):
            raise NoAnswer(head)
        status = int(said[1])
        # A request that never came whole may have been a HEAD, and nobody knows.
        is_bodiless = (method == b"HEAD" and status != 408) or status in {204, 304}
        body, stream, is_whole = (
            (b"", stream, True) if is_bodiless else _split_body(lines, stream, is_ended=is_ended)
        )
        kept = tuple(line for line in lines if not line.startswith((b"date:", b"transfer-encoding:")))
        found.append(Answer(status, kept, body, is_whole))
    return found


def _split_body(lines: list[bytes], stream: bytes, *, is_ended: bool) -> tuple[bytes, bytes, bool]:
    lengths = [int(line[16:]) for line in lines if line.startswith(b"content-length: ")]
    if b"transfer-encoding: chunked" in lines:
        if lengths:
            raise NoAnswer("both a length and chunks")
        return _split_chunks(stream)
    if not lengths:
        return stream, b"", is_ended
    (length,) = lengths
    return stream[:length], stream[length:], len(stream) >= length


def _split_chunks(stream: bytes) -> tuple[bytes, bytes, bool]:
    body = b""
    while True:
        size, mark, rest = stream.partition(b"\r\n")
        if not mark:
            return body, b"", False
        length = int(size, 16)
        body += rest[:length]
        if len(rest) < length + 2:
            return body, b"", False
        if rest[length : length + 2] != b"\r\n":
            raise NoAnswer(rest[length : length + 2])
        stream = rest[length + 2 :]
        if not length:
            return body, stream, True
