"""Connections of clients: parses requests, has them answered in order, and keeps time."""

import asyncio
from collections import deque
from typing import Final

import httptools

from gateway.edge.body import MAX_EXCESS_BYTES, excess_bytes
from gateway.edge.exchange import Exchange
from gateway.edge.headers import MAX_HEAD_BYTES
from gateway.edge.paths import MAX_TARGET_BYTES
from gateway.edge.policy import Refuse, Request
from gateway.edge.seen import Known, is_one_head
from gateway.edge.shared import Shared

# What a head that is still incomplete may have; a whole one is measured exactly by the policy.
_MAX_UNPARSED_BYTES: Final = MAX_TARGET_BYTES + MAX_HEAD_BYTES + 1024
_MAX_LINGER_BYTES: Final = 4 * 1024 * 1024


class Client(asyncio.Protocol):
    """One connection of a client. Requests wait their turn here; bytes are never interpreted here.

    The parser's callbacks only note what they see: work begins when a whole read has been parsed.
    """

    __slots__ = (
        "_choked_since",
        "_current",
        "_deadline",
        "_excess",
        "_fields",
        "_has_tls",
        "_head_bytes",
        "_incoming",
        "_is_advancing",
        "_is_body_held",
        "_is_counted",
        "_is_deaf",
        "_is_in_head",
        "_is_lingering",
        "_is_reading",
        "_linger_bytes",
        "_may_go_on",
        "_parser",
        "_shared",
        "_transport",
        "_url",
        "_waiting",
        "peer",
    )

    def __init__(self, shared: Shared, *, peer: str = "") -> None:
        """peer: the address of a connection that is counted already."""
        self._shared = shared
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._url = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._excess = 0
        self._is_in_head = False
        self._may_go_on = True
        self._incoming: Exchange | None = None
        self._current: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._is_advancing = False
        self._is_body_held = False
        self._is_reading = True
        self._is_deaf = False
        self._is_lingering = False
        self._linger_bytes = 0
        self._has_tls = False
        self._choked_since: float | None = None
        self._deadline = shared.loop.time() + shared.times.idle
        self._is_counted = bool(peer)
        self.peer = peer

    @property
    def was_made(self) -> bool:
        """Whether it came out of its handshake."""
        return self._transport is not None

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's class is registered nowhere.
        peer = transport.get_extra_info("peername")
        if not self._is_counted:
            self.peer = peer[0] if isinstance(peer, tuple) else ""
            self._shared.addresses.add(self.peer)
        self._has_tls = transport.get_extra_info("sslcontext") is not None
        self._shared.clients.add(self)
        self._shared.figures.connections += 1
        addresses = self._shared.addresses
        count = addresses.count(self.peer)
        if count > 2 * addresses.most:
            # Whoever is refused keeps a place until it has heard so: that an address may have as often again.
            self._shared.figures.note_refusal("unavailable")
            self.cut()
        elif count > addresses.most or len(self._shared.clients) > self._shared.limits.connections:
            self._refuse("unavailable", "Too many connections.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._shared.clients.discard(self)
        self._shared.addresses.remove(self.peer)
        self._shared.figures.connections -= 1
        self._is_deaf = True
        self._waiting.clear()
        self._parser = None  # It holds this object, and nothing but the collector would part them.
        current, self._current = self._current, None
        if current is not None:
            current.abandon()

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            self._linger(len(data))
            return
        if self._incoming is None and not self._is_in_head:
            known = self._shared.seen.find(data)
            if known is not None:
                self._take_known(known)
            else:
                self._parse_first(data)
        elif self._incoming is None:
            self._head_bytes += len(data)
            self._parse(data)
        else:
            self._parse_body(self._incoming, data)
        if self._is_in_head and self._head_bytes > _MAX_UNPARSED_BYTES and not self._is_deaf:
            code = "uri-too-long" if len(self._url) > MAX_TARGET_BYTES else "headers-too-large"
            self._refuse(code)
        elif self._current is not None:
            self._current.proceed()
        else:
            self._advance()
        if self._waiting or not self._is_reading:
            self._update_reading()

    def eof_received(self) -> bool:
        if self._incoming is not None or self._is_in_head or self._has_tls or self._is_lingering:
            return False
        # The client may have closed its half only, and still wait for answers.
        self._is_deaf = True
        return self._current is not None or bool(self._waiting)

    def pause_writing(self) -> None:
        self._choked_since = self._shared.loop.time()
        if self._current is not None:
            self._current.pause_reply()
        self._update_reading()

    def resume_writing(self) -> None:
        self._choked_since = None
        if self._current is not None:
            self._current.resume_reply()
        elif not self._is_lingering:
            self._await_client()  # Nothing was read meanwhile, so it may not be late.
            self._advance()
        self._update_reading()

    # httptools

    def on_message_begin(self) -> None:
        self._url = b""
        self._fields = []
        self._head_bytes = 0
        self._is_in_head = True
        if self._current is None:
            self._deadline = self._shared.loop.time() + self._shared.times.head

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:  # Later ones are trailers, which are dropped.
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        parser = self._parser
        if parser is None or self._is_deaf:
            return
        self._may_go_on = parser.should_keep_alive()
        request = Request(
            parser.get_method(),
            self._url,
            parser.get_http_version(),
            self._fields,
            parser.should_upgrade(),
        )
        if len(self._waiting) >= self._shared.limits.pipelined:
            self._is_deaf = True  # What is queued is answered; then the connection closes.
            return
        self._excess = 0
        self._incoming = Exchange(self._shared, self, request)
        self._waiting.append(self._incoming)

    def on_body(self, data: bytes) -> None:
        if self._incoming is not None:
            self._incoming.note_body(data)

    def on_message_complete(self) -> None:
        if self._incoming is not None:
            self._incoming.note_end()
            self._incoming = None

    # Requester

    def write(self, data: bytes) -> None:
        """Send bytes of the current answer."""
        if self._transport is not None:
            self._transport.write(data)

    def hold_body(self) -> None:
        """Read no more for now."""
        self._is_body_held = True
        self._update_reading()

    def resume_body(self) -> None:
        """Read on."""
        self._is_body_held = False
        self._update_reading()

    def on_done(self, *, closes: bool) -> None:
        """Turn to the next request, or close."""
        self._current = None
        self._is_body_held = False
        if closes:
            self._close()
            return
        self._await_client()
        self._advance()
        if not self._is_reading:
            self._update_reading()

    def cut(self) -> None:
        """Break the connection at once. What is under way is abandoned when it is lost."""
        self._is_deaf = True
        if self._transport is not None:
            self._transport.abort()

    # Time

    def check(self, now: float) -> None:
        """Act on whatever deadline has passed."""
        if self._choked_since is not None:
            if now - self._choked_since > self._shared.times.write:
                self.cut_current()
        elif self._current is not None:
            self._current.check(now)
        elif now < self._deadline:
            return
        elif self._is_in_head and not self._is_lingering:
            self._refuse("request-timeout")
        elif not self._is_still_sending(now):
            self.cut()

    def _is_still_sending(self, now: float) -> bool:
        # A slow client may take the rest of its answers, for which a connection that closes has its own time.
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        is_late = now - self._deadline > self._shared.times.write
        return not is_late and transport.get_write_buffer_size() > 0

    def cut_current(self) -> None:
        """Give up on the request under way, and on the client."""
        current = self._current
        if current is not None:
            current.abandon()
        self.cut()

    def drain(self, seconds: float) -> None:
        """Close within this time unless a request is under way, whose answer then closes."""
        if not self._is_deaf:  # Else it closes already, when the client has taken what is sent.
            self._deadline = min(self._deadline, self._shared.loop.time() + seconds)

    # The order of things

    def _parse(self, data: bytes) -> None:
        while data and self._parser is not None:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as exc:
                # Nothing is upgraded here (RFC 9110 section 7.8); the next request follows the head. One
                # with a body, which llhttp would not have parsed, is refused by the policy and closes.
                data = data[exc.args[0] :]
            except httptools.HttpParserError:
                self._on_malformed()
                return

    def _parse_first(self, data: bytes) -> None:
        # Where a request begins, so what is parsed may be one whole head.
        count = len(self._waiting)
        self._parse(data)
        if (
            self._incoming is None
            and self._may_go_on
            and len(self._waiting) == count + 1
            and is_one_head(data)
        ):
            self._waiting[-1].note_whole(data)

    def _take_known(self, known: Known) -> None:
        self._may_go_on = True
        self._waiting.append(Exchange(self._shared, self, known.plan.forward.request, known=known))

    def _parse_body(self, incoming: Exchange, data: bytes) -> None:
        body_bytes = incoming.body_bytes
        self._parse(data)
        if incoming is not self._incoming:
            return
        self._excess = excess_bytes(self._excess, len(data), incoming.body_bytes - body_bytes)
        if self._excess > MAX_EXCESS_BYTES:
            self._on_malformed()

    def _on_malformed(self) -> None:
        was_deaf, self._is_deaf = self._is_deaf, True
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.note_malformed()
        elif not was_deaf and self._may_go_on:  # Else the client said that nothing would follow.
            self._waiting.append(self._refused("malformed-request"))

    def _refuse(self, code: str, detail: str = "") -> None:
        self._is_deaf = True
        self._waiting.append(self._refused(code, detail))
        self._advance()

    def _refused(self, code: str, detail: str = "") -> Exchange:
        request = Request(b"", b"", "1.1", (), is_upgrade=False)
        return Exchange(self._shared, self, request, Refuse(code, detail, closes=True))

    def _await_client(self) -> None:
        # For its next request, or for its taking the last answer.
        times = self._shared.times
        seconds = times.write if self._is_deaf else times.head if self._is_in_head else times.idle
        self._deadline = self._shared.loop.time() + seconds

    def _advance(self) -> None:
        if self._is_advancing:
            return
        self._is_advancing = True
        # While the client does not read, no further answer is fetched for it.
        while self._current is None and self._waiting and self._choked_since is None:
            self._current = self._waiting.popleft()
            self._current.begin()
        self._is_advancing = False
        if self._current is None and not self._waiting and self._is_deaf and not self._is_lingering:
            self._close()

    def _update_reading(self) -> None:
        # While requests wait their turn, the next ones wait in the socket; so does one who does not read.
        is_behind = self._is_body_held or self._waiting or self._choked_since is not None
        should_read = self._is_lingering or not is_behind
        transport = self._transport
        if should_read is self._is_reading or transport is None or transport.is_closing():
            return
        self._is_reading = should_read
        if should_read:
            transport.resume_reading()
        else:
            transport.pause_reading()

    def _close(self) -> None:
        transport = self._transport
        had_more_to_say = self._incoming is not None or self._is_deaf or self._is_in_head
        self._is_deaf = True
        self._waiting.clear()
        if transport is None or transport.is_closing():
            return
        if not had_more_to_say or self._has_tls:
            self._await_client()
            transport.close()
            return
        # Closing on unread bytes resets the connection, and the client may never see why it was refused.
        self._is_lingering = True
        self._deadline = self._shared.loop.time() + self._shared.times.linger
        transport.write_eof()
        self._update_reading()

    def _linger(self, size: int) -> None:
        self._linger_bytes += size
        if self._linger_bytes > _MAX_LINGER_BYTES:
            self.cut_current()
