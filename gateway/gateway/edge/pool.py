"""The connections to one service: kept, lent, counted and closed."""

import asyncio
from collections import OrderedDict

from gateway.edge.config import Address, Limits, Times
from gateway.edge.upstream import Borrower, Connection, Failure


class Pool:
    """A service and the connections to it: the last used goes first, their number is limited."""

    def __init__(self, name: str, address: Address, times: Times, limits: Limits) -> None:
        """Nothing is connected before the first request."""
        self.name = name
        self._address = address
        self._times = times
        self._limits = limits
        self._idle: list[Connection] = []
        self._waiting: OrderedDict[Borrower, None] = OrderedDict()
        self._open: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._now = 0.0

    @property
    def open_connections(self) -> int:
        """How many connections there are, in use or not."""
        return len(self._open)

    def lend(self, borrower: Borrower, *, fresh: bool = False) -> None:
        """Find a connection for a borrower: at once when one is idle, else later.

        fresh: one of the idle connections was found dead, so none of them is trusted any more.
        """
        if fresh:
            self._drop_idle()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                borrower.on_connection(connection)
                return
        if len(self._open) + len(self._opening) < self._limits.upstream_connections:
            self._start_opening(borrower)
        elif len(self._waiting) < self._limits.queued:
            self._waiting[borrower] = None
        else:
            borrower.on_failure(Failure.BUSY)

    def give_up(self, borrower: Borrower) -> None:
        """Let a borrower who no longer wants a connection leave the queue, if it still stands there."""
        self._waiting.pop(borrower, None)

    def remember(self, connection: Connection) -> None:
        """Count a connection that has just been made."""
        self._open.add(connection)

    def give_back(self, connection: Connection) -> None:
        """Take a connection back that is ready for the next request."""
        borrower = self._next_waiting()
        if borrower is not None:
            borrower.on_connection(connection)
            return
        connection.idle_since = self._now
        self._idle.append(connection)

    def forget(self, connection: Connection) -> None:
        """Drop a connection that is gone, and let a waiting borrower have its place."""
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._serve_next()

    def reap(self, now: float) -> None:
        """Close what has been idle for too long; the service would do it soon, at a worse moment.

        To be called often, for it also tells the time.
        """
        self._now = now
        while self._idle and now - self._idle[0].idle_since > self._times.pooled:
            self._idle.pop(0).abort()

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self._open):
            connection.abort()
        for task in self._opening:
            task.cancel()

    def _drop_idle(self) -> None:
        for connection in self._idle:
            self._open.discard(connection)
            connection.abort()
        self._idle.clear()

    def _next_waiting(self) -> Borrower | None:
        return self._waiting.popitem(last=False)[0] if self._waiting else None

    def _serve_next(self) -> None:
        borrower = self._next_waiting()
        if borrower is not None:
            self._start_opening(borrower)

    def _start_opening(self, borrower: Borrower) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(borrower))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self, borrower: Borrower) -> None:
        loop = asyncio.get_running_loop()
        address = self._address
        try:
            async with asyncio.timeout(self._times.connect):
                _, connection = await loop.create_connection(
                    lambda: Connection(self), address.host, address.port, ssl=address.tls
                )
        except OSError:  # TimeoutError is one, and so are all failures of DNS and TLS.
            if borrower.wants_connection:
                borrower.on_failure(Failure.REFUSED)
            self._serve_next()
            return
        if borrower.wants_connection:
            borrower.on_connection(connection)
        else:
            self.give_back(connection)
