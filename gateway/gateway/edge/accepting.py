"""Connections of clients between the kernel and the edge: through a handshake, and the last before an end."""

import asyncio
import errno
import logging
import socket
from typing import Final

from gateway.edge.certificate import Certificate
from gateway.edge.downstream import Client
from gateway.edge.listening import BACKLOG
from gateway.edge.shared import Shared

_AT_ONCE: Final = 64
_MAX_UNSENT_BYTES: Final = 64 * 1024
_PAUSE_SECONDS: Final = 0.5
_OUT_OF: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_logger = logging.getLogger(__name__)


class Listener:
    """Accepts connections, and shakes hands with them where there is a certificate.

    asyncio's own server says nothing of a connection before its handshake has ended, so that those who
    never end it would be counted nowhere.
    """

    def __init__(self, shared: Shared, listener: socket.socket, certificate: Certificate | None) -> None:
        """Nothing is accepted before listen() or accept_waiting()."""
        self._shared = shared
        self._socket = listener
        self._certificate = certificate
        self._greetings: dict[asyncio.Task[None], Client] = {}
        self._pausing: asyncio.TimerHandle | None = None
        listener.setblocking(False)

    @property
    def is_open(self) -> bool:
        """Whether it was not closed yet."""
        return self._socket.fileno() >= 0

    @property
    def greetings(self) -> int:
        """How many connections are on their way."""
        return len(self._greetings)

    def listen(self) -> None:
        """Accept from now on."""
        self._socket.listen(BACKLOG)
        self._shared.loop.add_reader(self._socket.fileno(), self._accept)

    def close(self) -> None:
        """Accept no more. Handshakes go on. Whoever still waits is refused, unless others listen here."""
        if self._pausing is not None:
            self._pausing.cancel()
        self._shared.loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def cut(self) -> None:
        """Break off the handshakes under way."""
        for greeting in self._greetings:
            greeting.cancel()

    def accept_waiting(self, most: int = BACKLOG) -> None:
        """Accept those who wait."""
        for _ in range(most):
            try:
                accepted, (address, *_) = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as exc:
                if exc.errno not in _OUT_OF:
                    raise
                # The connection waits in the queue, and would wake the loop for nothing, again and again.
                self._pause()
                return
            if self._certificate and self._is_full(address):
                self._shared.figures.note_refusal("unavailable")
                accepted.close()
                continue
            self._shared.addresses.add(address)
            client = Client(self._shared, peer=address)
            greeting = self._shared.loop.create_task(self._greet(accepted, client))
            self._greetings[greeting] = client
            greeting.add_done_callback(self._forget)

    def _accept(self) -> None:
        self.accept_waiting(_AT_ONCE)

    def _is_full(self, address: str) -> bool:
        # Without TLS there are words for it, which cost less than a handshake.
        if len(self._shared.clients) + self.greetings >= self._shared.limits.connections:
            return True
        return self._shared.addresses.count(address) >= self._shared.addresses.most

    def _forget(self, greeting: asyncio.Task[None]) -> None:
        client = self._greetings.pop(greeting)
        if not client.was_made:  # Else it is counted until it is lost.
            self._shared.addresses.remove(client.peer)

    async def _greet(self, accepted: socket.socket, client: Client) -> None:
        shared = self._shared
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        times, certificate = shared.times, self._certificate
        try:
            transport, _ = await shared.loop.connect_accepted_socket(
                lambda: client,
                accepted,
                ssl=certificate.context if certificate else None,
                ssl_handshake_timeout=times.head if certificate else None,
                ssl_shutdown_timeout=times.write if certificate else None,
            )
            # As without TLS; uvloop would keep half a megabyte for each client that does not read.
            transport.set_write_buffer_limits(_MAX_UNSENT_BYTES)
        except OSError:
            accepted.close()  # Whoever cannot shake hands has not said anything to be answered.

    def _pause(self) -> None:
        loop = self._shared.loop
        loop.remove_reader(self._socket.fileno())
        _logger.error("There are no more file descriptors for connections.")
        self._pausing = loop.call_later(_PAUSE_SECONDS, self.listen)
