"""The connections to one service: kept, lent, counted and closed."""

import asyncio
import math
from collections import OrderedDict
from typing import NamedTuple

from gateway.edge.breaker import Breaker
from gateway.edge.config import Address, Limits, Times
from gateway.edge.upstream import Borrower, Connection, Failure


class Opening(NamedTuple):
    """A connection that is being made, and until when."""

    limit: asyncio.Timeout
    deadline: float


class Pool:
    """A service and the connections to it: the last used goes first, their number is limited."""

    def __init__(self, name: str, address: Address, times: Times, limits: Limits) -> None:
        """Nothing is connected before the first request."""
        self.name = name
        self.breaker = Breaker(limits.failures, times.open)
        self.streams = 0
        """Event streams on its connections."""
        self._address = address
        self._times = times
        self._limits = limits
        self._idle: list[Connection] = []
        self._waiting: OrderedDict[Borrower, None] = OrderedDict()
        self._uploading: set[object] = set()
        self._waiting_uploads: OrderedDict[Borrower, None] = OrderedDict()
        self._open: set[Connection] = set()
        self._opening: dict[asyncio.Task[None], Opening] = {}
        self._outdated: set[Connection] = set()
        self._generation = 0
        self._held_until: float | None = None
        self._resumed_at = -math.inf
        self._now = 0.0

    @property
    def open_connections(self) -> int:
        """How many connections there are, in use or not."""
        return len(self._open)

    @property
    def idle_connections(self) -> int:
        """How many of them nobody uses."""
        return len(self._idle)

    @property
    def queued(self) -> int:
        """How many borrowers wait for one."""
        return len(self._waiting) + len(self._waiting_uploads)

    @property
    def uploads(self) -> int:
        """How many borrowers have a body that still comes, and a connection or its promise."""
        return len(self._uploading)

    def lend(self, borrower: Borrower, *, fresh: bool = False) -> None:
        """Find a connection for a borrower: at once when one is idle, else later.

        fresh: one of the idle connections was found dead, so none of them is trusted any more.
        """
        if fresh:
            self._drop_idle()
        elif not self._may_begin(borrower):
            borrower.on_failure(Failure.OPEN)
            return
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                borrower.on_connection(connection)
                return
        if self._held_until is None and self._has_room():
            self._start_opening(borrower)
        elif len(self._waiting) < self._limits.queued:
            self._waiting[borrower] = None
        else:
            borrower.on_failure(Failure.BUSY)

    def lend_to_upload(self, borrower: Borrower) -> None:
        """Find a connection for a borrower whose body still comes, in its turn: a client that sends slowly
        keeps one for long, and without a limit of their own such bodies would take all places for the others.
        Ends with end_upload().
        """
        if len(self._waiting_uploads) >= self._limits.queued:
            borrower.on_failure(Failure.BUSY)
            return
        self._waiting_uploads[borrower] = None
        self._serve_uploads()

    def end_upload(self, borrower: object) -> None:
        """A body was sent, or its request has ended: the next may begin."""
        self._uploading.discard(borrower)
        if self._waiting_uploads:
            # Later, for one that is refused at once ends here again.
            asyncio.get_running_loop().call_soon(self._serve_uploads)

    def hold(self, until: float) -> None:
        """Begin nothing more before resume(), or until that time of the event loop: the service is replaced.

        Who wants a connection waits in the queue. No connection that stands now serves another request,
        so none is written to in the moment in which the old process closes it.
        """
        self._held_until = until
        self._generation += 1
        self.breaker.reset()
        self._drop_idle()
        self._outdated.update(self._open)

    def resume(self) -> None:
        """Go on, on new connections, as if it had never failed."""
        self.breaker.reset()
        if self._held_until is None:
            return
        self._held_until = None
        self._resumed_at = asyncio.get_running_loop().time()
        while self._waiting and self._has_room():
            self._serve_next()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is under way that began before the last hold."""
        return not self._outdated and not self._opening

    def is_excused(self, now: float, seconds: float) -> bool:
        """Whether a borrower who waits owes it to a hold, which ended less than `seconds` ago or lasts."""
        return self._held_until is not None or now - self._resumed_at < seconds

    def give_up(self, borrower: Borrower) -> None:
        """Let a borrower who no longer wants an answer leave the queue, if it still stands there."""
        self._waiting.pop(borrower, None)
        self._waiting_uploads.pop(borrower, None)
        self.breaker.leave(borrower)

    def note_failure(self, borrower: Borrower, answers: int) -> None:
        """The service did not answer a borrower, before whom it had given so many answers.

        When that was one too many, nobody waits for it any more.
        """
        now = asyncio.get_running_loop().time()
        if self.is_excused(now, self._times.queue):
            self.breaker.leave(borrower)
            return
        self.breaker.note_failure(borrower, answers, now)
        while self.breaker.is_open and self._waiting:
            waiting = self._waiting.popitem(last=False)[0]
            if waiting.wants_connection:
                waiting.on_failure(Failure.OPEN)

    def remember(self, connection: Connection) -> None:
        """Count a connection that has just been made."""
        self._open.add(connection)

    def give_back(self, connection: Connection) -> None:
        """Take a connection back that is ready for the next request."""
        if connection in self._outdated:
            connection.abort()
            return
        borrower = self._next_waiting()
        if borrower is not None:
            borrower.on_connection(connection)
            return
        connection.idle_since = self._now
        self._idle.append(connection)

    def forget(self, connection: Connection) -> None:
        """Drop a connection that is gone, and let a waiting borrower have its place."""
        self._open.discard(connection)
        self._outdated.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._serve_next()

    def reap(self, now: float) -> None:
        """Close what has been idle for too long; the service would do it soon, at a worse moment.

        To be called often, for it also tells the time.
        """
        self._now = now
        if self._held_until is not None and now > self._held_until:
            self.resume()
        while self._idle and now - self._idle[0].idle_since > self._times.pooled:
            self._idle.pop(0).abort()

    def expire(self, now: float) -> None:
        """Give up on connections that are not made in time."""
        for opening in self._opening.values():
            if now > opening.deadline and opening.limit.when() is None:
                opening.limit.reschedule(now)

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

    def _may_begin(self, borrower: Borrower) -> bool:
        breaker = self.breaker
        return not breaker.is_open or breaker.permits(borrower, asyncio.get_running_loop().time())

    def _has_room(self) -> bool:
        return len(self._open) + len(self._opening) < self._limits.upstream_connections

    def _next_waiting(self) -> Borrower | None:
        return self._waiting.popitem(last=False)[0] if self._waiting else None

    def _put_first(self, borrower: Borrower) -> None:
        if borrower.wants_connection:
            self._waiting[borrower] = None
            self._waiting.move_to_end(borrower, last=False)

    def _serve_next(self) -> None:
        borrower = self._next_waiting() if self._held_until is None else None
        if borrower is not None:
            self._start_opening(borrower)

    def _serve_uploads(self) -> None:
        while self._waiting_uploads and len(self._uploading) < self._limits.uploads:
            borrower = self._waiting_uploads.popitem(last=False)[0]
            self._uploading.add(borrower)
            self.lend(borrower)

    def _start_opening(self, borrower: Borrower) -> None:
        loop = asyncio.get_running_loop()
        limit = asyncio.timeout(None)
        task = loop.create_task(self._connect(borrower, self._generation, limit))
        self._opening[task] = Opening(limit, loop.time() + self._times.connect)
        task.add_done_callback(self._opening.pop)

    async def _connect(self, borrower: Borrower, generation: int, limit: asyncio.Timeout) -> None:
        loop = asyncio.get_running_loop()
        address = self._address
        connection = Connection(self)
        try:
            async with limit:
                await loop.create_connection(lambda: connection, address.host, address.port, ssl=address.tls)
            if not connection.is_usable:
                raise ConnectionResetError
        except OSError:  # TimeoutError is one, and so are all failures of DNS and TLS.
            # One that is made as the time is over is closed by uvloop, which does not tell it so.
            self._open.discard(connection)
            if generation != self._generation:
                self._put_first(borrower)
            elif borrower.wants_connection:
                borrower.on_failure(Failure.REFUSED)
            self._serve_next()
            return
        if generation != self._generation:
            # Made while a hold began: it may stand in the queue of the process that ends.
            self._put_first(borrower)
            connection.abort()
        elif borrower.wants_connection and self._may_begin(borrower):
            borrower.on_connection(connection)
        else:
            self.give_back(connection)
            if borrower.wants_connection:
                borrower.on_failure(Failure.OPEN)
