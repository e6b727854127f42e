"""Starts the edge, or several of it: reads the configuration, listens, and drains when told to stop."""

import asyncio
import gc
import logging
import math
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import uvloop
from prometheus_client import REGISTRY

from chassis import logs, metrics
from chassis.env import ConfigurationError
from chassis.keys import KeyStore
from chassis.revocations import RevocationStore
from chassis.tokens import InvalidToken, Verifier
from gateway.edge.accepting import Listener
from gateway.edge.asks import Asks
from gateway.edge.cache import Cache
from gateway.edge.config import Configuration, read_configuration
from gateway.edge.control import Control
from gateway.edge.downstream import Client
from gateway.edge.limiter import Addresses, Guesses, Limiter
from gateway.edge.listening import BACKLOG, listen_together
from gateway.edge.observe import Figures, Journal
from gateway.edge.policy import Rules, allowed_hosts
from gateway.edge.pool import Pool
from gateway.edge.scraping import serve_figures
from gateway.edge.seen import SeenHeads
from gateway.edge.shared import Shared
from gateway.edge.workers import Parent
from gateway.routes import WEB, RouteTable

AUDIENCE: Final = "gateway"

_COLLECT_EVERY: Final = 20_000
"""Objects between two looks for cycles."""
_IDLE_GRACE_SECONDS: Final = 1.0

_logger = logging.getLogger(__name__)


class Edge:
    """One edge: its listener, its upstreams and its clock."""

    def __init__(
        self,
        configuration: Configuration,
        *,
        table: RouteTable | None = None,
        journal: Journal | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """To be made inside a running event loop.

        Raises: ConfigurationError when there are no usable keys.
        """
        self._configuration = configuration
        self._servers: list[asyncio.Server] = []
        self._listeners: list[Listener] = []
        self._port = 0
        self._ticking: asyncio.TimerHandle | None = None
        self._due = asyncio.get_running_loop().time()
        self._excused_until = 0.0
        times, limits = configuration.times, configuration.limits
        upstreams = {
            name: Pool(name, address, times, limits) for name, address in configuration.upstreams.items()
        }
        cache = Cache(max_bytes=limits.cache_bytes, max_copy_bytes=limits.cache_copy_bytes)
        figures = Figures(upstreams, cache)
        keys = KeyStore(configuration.keys_public)
        verifier = Verifier(
            keys,
            issuer=configuration.origin,
            audience=AUDIENCE,
            revocations=RevocationStore(configuration.keys_public, keys, issuer=configuration.origin),
            clock=clock,
            tell=_leave_to_the_journal,
        )
        loop = asyncio.get_running_loop()
        people = configuration.people_per_address
        guesses = Guesses(
            verifier,
            per_second=limits.guesses_per_second * people,
            burst=limits.guesses_burst * people,
            most_keys=limits.clients,
            clock=loop.time,
        )
        self.shared = Shared(
            loop=loop,
            rules=Rules(
                table or RouteTable(),
                allowed_hosts(configuration.origin),
                guesses.verify,
                scheme=urlsplit(configuration.origin).scheme,
                session_cookie=configuration.session_cookie.encode(),
                trusted_proxies=configuration.trusted_proxies,
            ),
            limiter=Limiter(
                per_second=limits.requests_per_second,
                burst=limits.burst,
                most_keys=limits.clients,
                people_per_address=people,
                clock=loop.time,
            ),
            addresses=Addresses(
                math.inf if configuration.trusted_proxies else limits.connections_per_address * people
            ),
            upstreams=upstreams,
            own_lines={name: self._own_lines(name) for name in upstreams},
            origin=configuration.origin.encode(),
            asks=Asks(
                upstreams[WEB],
                keys,
                host=urlsplit(configuration.origin).netloc,
                edge_key=configuration.edge_key,
                times=times,
                limits=limits,
                figures=figures,
                clock=clock,
            ),
            cache=cache,
            seen=SeenHeads(),
            journal=journal or Journal(level=configuration.log_level),
            figures=figures,
            times=times,
            limits=limits,
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if not self._port:
            raise RuntimeError("the edge was not started")
        return self._port

    async def start(self) -> None:
        """Listen, on the inherited sockets if there are some.

        Raises: ConfigurationError when that cannot be.
        """
        configuration = self._configuration
        host, port = configuration.bind
        create_server = partial(self.shared.loop.create_server, lambda: Client(self.shared), backlog=BACKLOG)
        try:
            if configuration.listen_fds:
                listeners = [socket.socket(fileno=descriptor) for descriptor in configuration.listen_fds]
            elif configuration.tls:
                listeners = listen_together(host, port, 1)
            else:
                listeners = []
                self._servers.append(await create_server(host, port))
            if not configuration.tls:
                self._servers += [await create_server(sock=listener) for listener in listeners]
        except OSError as exc:
            name = "EDGE_LISTEN_FD" if configuration.listen_fds else "EDGE_BIND"
            raise ConfigurationError(f"{name}: cannot listen on {host}:{port}: {exc.strerror}.") from exc
        first = listeners[0] if listeners else self._servers[0].sockets[0]
        self._port = int(first.getsockname()[1])
        if configuration.tls:
            self._listeners = [Listener(self.shared, listener, configuration.tls) for listener in listeners]
        for own in self._listeners:
            own.listen()
        self._tick()

    def retire(self) -> None:
        """Leave the listener to another edge. Whoever is connected has one more request answered, its last;
        no connection is closed that would have been kept, so no request can cross with its end.
        """
        self.shared.is_draining = True
        servers, self._servers = self._servers, []
        for server in servers:
            # Closed at once, it would refuse those who wait to be accepted.
            last = [socket.socket(fileno=os.dup(one.fileno())) for one in server.sockets]
            self._listeners += [Listener(self.shared, listener, None) for listener in last]
            server.close()
        for listener in self._listeners:
            if listener.is_open:
                listener.accept_waiting()
                listener.close()

    async def drain(self) -> None:
        """Stop: not ready at once, finish what is under way, then close everything.

        Idle clients get a moment in which their next request is still answered, with `Connection: close`.
        """
        shared = self.shared
        self.retire()
        began = shared.loop.time()
        while self.has_clients and shared.loop.time() < began + shared.times.drain:
            for client in shared.clients:  # Some come out of a handshake, or of an answer, only now.
                client.drain(_IDLE_GRACE_SECONDS)
            if shared.loop.time() > began + _IDLE_GRACE_SECONDS:
                self._cut_greetings()
            await asyncio.sleep(shared.times.tick)
        self._cut_greetings()
        for client in list(shared.clients):
            client.cut_current()
        if self._ticking is not None:
            self._ticking.cancel()
        for upstream in shared.upstreams.values():
            upstream.close()
        shared.journal.flush()

    @property
    def has_clients(self) -> bool:
        """Whether anybody is connected, or on the way."""
        return bool(self.shared.clients) or any(one.greetings for one in self._listeners)

    def _cut_greetings(self) -> None:
        for listener in self._listeners:
            listener.cut()

    def _own_lines(self, upstream: str) -> bytes:
        scheme = urlsplit(self._configuration.origin).scheme
        lines = f"x-forwarded-proto: {scheme}\r\nvia: 1.1 mercato\r\n"
        if upstream == WEB:
            lines += f"x-edge-key: {self._configuration.edge_key}\r\n"
        return lines.encode()

    def _tick(self) -> None:
        # One look at all deadlines costs less than a timer for each.
        shared = self.shared
        self._ticking = shared.loop.call_later(shared.times.tick, self._tick)
        now = shared.loop.time()
        if not self._stood_still(now):
            self._check_deadlines(now)
        for upstream in shared.upstreams.values():
            _went_well(upstream.reap, now)
        _went_well(shared.asks.expire, now)
        if self._configuration.tls is not None:
            _went_well(self._configuration.tls.refresh, now)
        shared.journal.flush()

    def _check_deadlines(self, now: float) -> None:
        shared = self.shared
        for client in list(shared.clients):
            if not _went_well(client.check, now):
                client.cut()
        for exchange in list(shared.renewing):
            _went_well(exchange.check, now)
        for upstream in shared.upstreams.values():
            _went_well(upstream.expire, now)

    def _stood_still(self, now: float) -> bool:
        # After a pause of the whole process the clock is ahead of everybody: what has come meanwhile is read
        # only after this tick. As much time is given to it, but never twice in a row.
        late, self._due = now - self._due, now + self.shared.times.tick
        if late > self.shared.times.tick and now >= self._excused_until + late:
            self._excused_until = now + late
        return now < self._excused_until


def _went_well(look: Callable[[float], None], now: float) -> bool:
    # One look at deadlines that fails must not keep the others waiting.
    try:
        look(now)
    except Exception:
        _logger.exception("A deadline could not be looked at.")
        return False
    return True


async def run(configuration: Configuration) -> None:
    """Serve until SIGTERM or SIGINT, then drain; or until retired, then until the last client has gone.

    One of several workers ends with its parent, too, and leaves the figures to it.
    Raises: ConfigurationError.
    """
    loop = asyncio.get_running_loop()
    stop, retired = asyncio.Event(), asyncio.Event()

    def end() -> None:
        stop.set()
        retired.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    edge = Edge(configuration)
    if configuration.tls:
        loop.add_signal_handler(signal.SIGHUP, configuration.tls.reload)
    metrics.look_up(edge.shared.figures)
    metrics_port, close_metrics = 0, _nothing
    if not configuration.worker:
        metrics_port, close_metrics = serve_figures(configuration, REGISTRY)

    def retire() -> None:
        # At once: when the supervisor has its answer, no connection is kept any more.
        _logger.info("The edge retires.")
        edge.retire()
        retired.set()

    control = Control(edge.shared.upstreams, retire)
    if configuration.worker:
        control.hold_all()
    await edge.start()
    if configuration.control_fd:
        answering = loop.create_task(control.serve(configuration.control_fd))
        answering.add_done_callback(lambda _: end() if configuration.worker else _note_hang_up())
    _say_where(configuration, edge.port, metrics_port)
    # What exists now lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    # What a request makes goes when it ends, and nothing of it is a cycle: looking for some every 700 objects
    # would be for nothing, and each look at all known tokens a pause.
    gc.set_threshold(_COLLECT_EVERY, 20, 50)
    await retired.wait()
    if not stop.is_set():
        await asyncio.to_thread(close_metrics)
        while edge.has_clients and not stop.is_set():
            await asyncio.sleep(configuration.times.tick)
    _logger.info("The edge drains.")
    await edge.drain()
    close_metrics()


def _say_where(configuration: Configuration, port: int, metrics_port: int) -> None:
    if configuration.worker:
        _logger.info("A worker of the edge listens.", extra={"worker": configuration.worker})
        return
    addresses = {
        "address": f"{configuration.bind[0]}:{port}",
        "metrics": f"{configuration.metrics_bind[0]}:{metrics_port}",
    }
    _logger.info("The edge listens.", extra=addresses)


def _note_hang_up() -> None:
    _logger.info("Nobody supervises the edge any more.")


def _leave_to_the_journal(_refusal: InvalidToken) -> None:
    """One line a request is enough, and this one has its id."""


def _nothing() -> None:
    """What a worker has to close, whose figures its parent shows."""


def main() -> None:
    """Entry point of `python -m gateway.edge.main`."""
    configuration = read_configuration()
    logs.configure("edge", configuration.log_level)
    metrics.tell_build("edge", "mercato-gateway")
    _take_descriptors()
    if configuration.workers > 1:
        sys.exit(asyncio.run(_look_after(configuration)))
    uvloop.run(run(configuration))


def _take_descriptors() -> None:
    # As many as may be had: many systems begin with 1,024, which idle clients could use up.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _look_after(configuration: Configuration) -> int:
    return await Parent(configuration).run()


if __name__ == "__main__":
    main()
