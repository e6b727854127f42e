"""Open-loop load: requests come when they come (Poisson), however long the answers take.

wrk asks again when it has its answer, so that a slow server is asked less; here the wait is counted from when
the request was due.
"""

import random
import re
import select
import socket
import statistics
import time
from collections import deque
from typing import Final

CONNECTIONS: Final = 64
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def paced(port: int, request: bytes, *, rate: float, seconds: float) -> tuple[float, float]:
    """Median and 99th percentile of the latency in milliseconds, at so many requests a second."""
    clients = [_Client(port, request) for _ in range(CONNECTIONS)]
    waits: list[float] = []
    try:
        _run(clients, waits, rate, seconds)
    finally:
        for client in clients:
            client.socket.close()
    cuts = statistics.quantiles(waits, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def _run(clients: list["_Client"], waits: list[float], rate: float, seconds: float) -> None:
    free = deque(clients)
    busy: dict[socket.socket, _Client] = {}
    due = time.perf_counter()
    ends_at = due + seconds
    while due < ends_at or busy:
        now = time.perf_counter()
        while due <= now and due < ends_at and free:
            client = free.popleft()
            client.ask(due)
            busy[client.socket] = client
            due += random.expovariate(rate)
        wait = max(0.0, due - now) if free and due < ends_at else 1.0
        for readable in select.select(list(busy), [], [], wait)[0]:
            client = busy[readable]
            if client.is_answered():
                waits.append(time.perf_counter() - client.due)
                free.append(client)
                del busy[readable]


class _Client:
    """One connection, with one request at a time."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._request = request
        self._data = b""

    def ask(self, due: float) -> None:
        self.due = due
        self._data = b""
        self.socket.sendall(self._request)

    def is_answered(self) -> bool:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("a connection was closed under load")
        self._data += data
        head, separator, body = self._data.partition(b"\r\n\r\n")
        if not separator:
            return False
        if b" 200 " not in head[:16]:
            raise ConnectionError(f"{head[:40]!r} under load")
        length = _LENGTH.search(head)
        return length is not None and len(body) >= int(length[1])
