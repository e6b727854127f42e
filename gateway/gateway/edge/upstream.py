"""One connection to a service: sends a request, parses the reply, tells who borrowed it."""

import asyncio
import os
import socket
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

import httptools

from gateway.edge.body import MAX_EXCESS_BYTES, excess_bytes
from gateway.edge.headers import Fields

if TYPE_CHECKING:
    from gateway.edge.pool import Pool

MAX_REPLY_HEAD_BYTES: Final = 64 * 1024
MAX_REPLY_FIELDS: Final = 200

_LAST_BYTES: Final = 64 * 1024


class Failure(Enum):
    """Why no whole answer came."""

    REFUSED = "refused"
    """No connection could be made, so nothing was sent."""

    BUSY = "busy"
    """All connections are taken and too many wait already."""

    OPEN = "open"
    """The service has not answered for a while and is left alone, so nothing was sent."""

    LOST = "lost"
    """The connection broke."""

    INVALID = "invalid"
    """What came is not a reply that may be passed on."""


class Borrower(Protocol):
    """Who wants a connection, sends one request on it and hears of the reply."""

    wants_connection: bool
    """Whether a connection is still of use; asked before one is handed over."""

    def on_connection(self, connection: "Connection") -> None:
        """Here it is: call send()."""

    def on_reply(
        self, status: int, fields: Fields, length: int | None, data: bytes, *, is_whole: bool
    ) -> None:
        """The head of the final reply with what has come of its body, whose length is None when unknown."""

    def on_data(self, data: bytes, *, is_whole: bool) -> None:
        """More of the body. Nothing is heard after is_whole."""

    def on_failure(self, failure: Failure) -> None:
        """There is no connection, or no (more of a) reply. Nothing is heard after it."""

    def hold_body(self) -> None:
        """The service takes the request slower than it comes: send no more for now."""

    def resume_body(self) -> None:
        """The service has caught up."""


class Connection(asyncio.Protocol):
    """One connection to an upstream, lent to one borrower at a time.

    The parser's callbacks only note what they see; borrowers are told when a whole read has been parsed,
    so that bytes after a reply are noticed before the connection is lent again.
    """

    __slots__ = (
        "_borrower",
        "_chunks",
        "_excess",
        "_fields",
        "_head_bytes",
        "_is_broken",
        "_is_head_request",
        "_is_kept",
        "_is_paused",
        "_is_whole",
        "_length",
        "_may_be_kept",
        "_parser",
        "_pool",
        "_status",
        "_transport",
        "_was_told",
        "idle_since",
    )

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._borrower: Borrower | None = None
        self._fields: list[tuple[bytes, bytes]] = []
        self._chunks: list[bytes] = []
        self._is_broken = False
        self._is_paused = False
        self.idle_since = 0.0
        self._begin(is_head_request=False)

    def _begin(self, *, is_head_request: bool) -> None:
        self._is_head_request = is_head_request
        self._may_be_kept = False
        self._is_kept = False
        self._is_whole = False
        self._status = 0
        self._was_told = False
        self._head_bytes = 0
        self._excess = 0
        self._length: int | None = None

    @property
    def is_usable(self) -> bool:
        """Whether a request may be sent on it, as far as is known."""
        return self._transport is not None and not self._is_broken and not self._transport.is_closing()

    def send(self, borrower: Borrower, data: bytes, *, is_head_request: bool, may_be_kept: bool) -> None:
        """Begin a request for a borrower, who hears of the reply from now on."""
        self._begin(is_head_request=is_head_request)
        self._borrower = borrower
        self.write(data, may_be_kept=may_be_kept)

    def write(self, data: bytes, *, may_be_kept: bool) -> None:
        """Send more of the request; may_be_kept: it is the last of it, and another may follow its answer."""
        self._may_be_kept = may_be_kept
        if data and self._transport is not None:
            self._transport.write(data)

    def abort(self) -> None:
        """Forget the borrower, who hears nothing any more, and close."""
        self._borrower = None
        self._is_broken = True
        if self._transport is not None:
            self._transport.abort()

    def pause_reading(self) -> None:
        """Take no more of the reply for now: the client is slower."""
        if self.is_usable and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more of the reply again."""
        if self._is_paused and self.is_usable and self._transport is not None:
            self._transport.resume_reading()
        self._is_paused = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's class is registered nowhere.
        self._pool.remember(self)

    def data_received(self, data: bytes) -> None:
        borrower = self._borrower
        if borrower is None:
            self.abort()  # Nobody asked for anything.
            return
        had_head = self._status != 0
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            # A reply that was whole before the parser stumbled stands; the connection does not.
            self._is_broken = True
        if had_head:
            self._excess = excess_bytes(self._excess, len(data), sum(map(len, self._chunks)))
            self._is_broken |= self._excess > MAX_EXCESS_BYTES
        elif not self._status:
            self._head_bytes += len(data)
            self._is_broken |= self._head_bytes > MAX_REPLY_HEAD_BYTES
        if self._is_broken and not self._is_whole:
            self.abort()
            borrower.on_failure(Failure.INVALID)
        elif self._status:
            self._tell(borrower)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and self._borrower is not None and not self._status:
            self._read_last(exc)
        self._is_broken = True
        borrower, self._borrower = self._borrower, None
        self._pool.forget(self)
        if borrower is None:
            return
        if self._was_told and self._length is None and not self._is_chunked() and exc is None:
            borrower.on_data(b"", is_whole=True)
        else:
            borrower.on_failure(Failure.LOST)

    def pause_writing(self) -> None:
        if self._borrower is not None:
            self._borrower.hold_body()

    def resume_writing(self) -> None:
        if self._borrower is not None:
            self._borrower.resume_body()

    # httptools

    def on_message_begin(self) -> None:
        # A reply after the reply: the service is confused, or someone confused it.
        self._is_broken |= self._is_whole

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._status:  # Later ones are trailers, which are dropped.
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        if self._is_whole:
            return  # Of another reply.
        status = self._parser.get_status_code()
        fields = self._fields
        if 100 <= status < 200:
            # Interim replies are between the edge and the service; nobody asked for 101.
            self._is_broken |= status == 101
            fields.clear()
            return
        if not 200 <= status <= 599 or not self._is_head_sound():
            self._is_broken = True
            return
        self._is_kept = self._parser.should_keep_alive()
        self._status = status
        if self._is_head_request:
            # llhttp would take the next reply for the body of this one, so this parser has done its work.
            self._parser = httptools.HttpResponseParser(self)
            self._is_whole = True

    def on_body(self, data: bytes) -> None:
        if self._is_whole:
            self._is_broken = True
        else:
            self._chunks.append(data)

    def on_message_complete(self) -> None:
        self._is_whole |= self._status != 0

    def _read_last(self, exc: Exception) -> None:
        # Whoever answers before it has read a long body closes: writing the rest fails, and uvloop then reads
        # no more, though the answer may have come before. The descriptor is open until this call returns.
        transport = self._transport
        if transport is None or not isinstance(exc, OSError) or transport.get_extra_info("sslcontext"):
            return
        descriptor = transport.get_extra_info("socket").fileno()
        with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as last:
            while self._borrower is not None and (data := last.recv(_LAST_BYTES, socket.MSG_DONTWAIT)):
                self.data_received(data)

    def _is_head_sound(self) -> bool:
        size = 0
        codings = []
        for name, value in self._fields:
            size += len(name) + len(value)
            lowered = name.lower()
            if lowered == b"content-length":
                self._length = int(value)
            elif lowered == b"transfer-encoding":
                codings.append(value.lower())
        return (
            self._parser.get_http_version() in {"1.1", "1.0"}
            and len(self._fields) <= MAX_REPLY_FIELDS
            and size <= MAX_REPLY_HEAD_BYTES
            and codings in ([], [b"chunked"])
        )

    def _is_chunked(self) -> bool:
        return any(name.lower() == b"transfer-encoding" for name, _ in self._fields)

    def _tell(self, borrower: Borrower) -> None:
        data = b"" if self._is_head_request else b"".join(self._chunks)
        self._chunks.clear()
        is_whole = self._is_whole
        if is_whole:
            self._borrower = None
        if self._was_told:
            if data or is_whole:  # Chunk sizes and trailers are no news.
                borrower.on_data(data, is_whole=is_whole)
        else:
            self._was_told = True
            borrower.on_reply(self._status, self._fields, self._length, data, is_whole=is_whole)
        if is_whole:
            self._retire()

    def _retire(self) -> None:
        self._fields = []
        self.resume_reading()
        if self._is_kept and self._may_be_kept and self.is_usable:
            self._pool.give_back(self)
        else:
            self.abort()
