"""Starts the edge: reads the configuration, listens, and drains when told to stop."""

import asyncio
import gc
import logging
import signal
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import uvloop
from prometheus_client import REGISTRY, start_http_server

from chassis import logs
from chassis.env import ConfigurationError
from chassis.keys import KeyStore
from chassis.tokens import Verifier
from gateway.edge.asks import Asks
from gateway.edge.config import Configuration, read_configuration
from gateway.edge.downstream import Client
from gateway.edge.observe import Figures, Journal
from gateway.edge.policy import Rules, allowed_hosts
from gateway.edge.pool import Pool
from gateway.edge.shared import Shared
from gateway.routes import WEB, RouteTable

AUDIENCE: Final = "gateway"

_BACKLOG: Final = 1024
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
        self._server: asyncio.Server | None = None
        self._ticking: asyncio.TimerHandle | None = None
        times, limits = configuration.times, configuration.limits
        upstreams = {
            name: Pool(name, address, times, limits) for name, address in configuration.upstreams.items()
        }
        figures = Figures(upstreams)
        verifier = Verifier(
            KeyStore(configuration.keys_public),
            issuer=configuration.origin,
            audience=AUDIENCE,
            clock=clock,
        )
        self.shared = Shared(
            loop=asyncio.get_running_loop(),
            rules=Rules(
                table or RouteTable(),
                allowed_hosts(configuration.origin),
                verifier.verify,
                scheme=urlsplit(configuration.origin).scheme,
                session_cookie=configuration.session_cookie.encode(),
            ),
            upstreams=upstreams,
            own_lines={name: self._own_lines(name) for name in upstreams},
            origin=configuration.origin.encode(),
            asks=Asks(
                upstreams[WEB],
                host=urlsplit(configuration.origin).netloc,
                edge_key=configuration.edge_key,
                times=times,
                limits=limits,
                figures=figures,
                clock=clock,
            ),
            journal=journal or Journal(level=configuration.log_level),
            figures=figures,
            times=times,
            limits=limits,
            trusted_proxies=configuration.trusted_proxies,
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            raise RuntimeError("the edge was not started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen.

        Raises: ConfigurationError when the address cannot be had.
        """
        host, port = self._configuration.bind
        try:
            self._server = await self.shared.loop.create_server(
                lambda: Client(self.shared), host, port, ssl=self._configuration.tls, backlog=_BACKLOG
            )
        except OSError as exc:
            raise ConfigurationError(f"EDGE_BIND: cannot listen on {host}:{port}: {exc.strerror}.") from exc
        self._tick()

    async def drain(self) -> None:
        """Stop: not ready at once, finish what is under way, then close everything.

        Idle clients get a moment in which their next request is still answered, with `Connection: close`.
        """
        shared = self.shared
        shared.is_draining = True
        if self._server is not None:
            self._server.close()
        for client in list(shared.clients):
            client.drain(_IDLE_GRACE_SECONDS)
        ends_at = shared.loop.time() + shared.times.drain
        while shared.clients and shared.loop.time() < ends_at:
            await asyncio.sleep(shared.times.tick)
        for client in list(shared.clients):
            client.cut_current()
        if self._ticking is not None:
            self._ticking.cancel()
        for upstream in shared.upstreams.values():
            upstream.close()
        shared.journal.flush()

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
        for client in list(shared.clients):
            if not _went_well(client.check, now):
                client.cut()
        for upstream in shared.upstreams.values():
            _went_well(upstream.reap, now)
        _went_well(shared.asks.expire, now)
        shared.journal.flush()


def _went_well(look: Callable[[float], None], now: float) -> bool:
    # One look at deadlines that fails must not keep the others waiting.
    try:
        look(now)
    except Exception:
        _logger.exception("A deadline could not be looked at.")
        return False
    return True


async def run(configuration: Configuration) -> None:
    """Serve until SIGTERM or SIGINT, then drain.

    Raises: ConfigurationError.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    edge = Edge(configuration)
    metrics_port, close_metrics = _serve_figures(configuration, edge.shared.figures)
    await edge.start()
    addresses = {
        "address": f"{configuration.bind[0]}:{edge.port}",
        "metrics": f"{configuration.metrics_bind[0]}:{metrics_port}",
    }
    _logger.info("The edge listens.", extra=addresses)
    # What exists now lives as long as the process: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    await stop.wait()
    _logger.info("The edge drains.")
    await edge.drain()
    close_metrics()


def _serve_figures(configuration: Configuration, figures: Figures) -> tuple[int, Callable[[], None]]:
    REGISTRY.register(figures)
    host, port = configuration.metrics_bind
    try:
        server, thread = start_http_server(port, host)
    except OSError as exc:
        raise ConfigurationError(
            f"EDGE_METRICS_BIND: cannot listen on {host}:{port}: {exc.strerror}."
        ) from exc

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return server.server_port, close


def main() -> None:
    """Entry point of `python -m gateway.edge.main`."""
    configuration = read_configuration()
    logs.configure("edge", configuration.log_level)
    uvloop.run(run(configuration))


if __name__ == "__main__":
    main()
