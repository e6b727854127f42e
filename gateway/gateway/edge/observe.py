"""What the edge tells about its work: one line a request, and the figures for Prometheus."""

import logging
import sys
import time
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from chassis.logs import without_tokens

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from gateway.edge.pool import Pool

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FLUSH_BYTES: Final = 32 * 1024


class Outcome(NamedTuple):
    """How one request ended. seconds since its head was complete; path without its query, "" when unsafe."""

    method: str
    path: str
    route: str
    status: int
    seconds: float
    sent_bytes: int
    client: str
    request_id: str
    subject: str


class Journal:
    """The access log: JSON lines formatted by hand and written in batches.

    Everything in a line has been checked before it comes here: paths by `paths`, ids by `chassis.ids`,
    subjects by `chassis.tokens`. No query, no header and no token is ever logged.
    """

    def __init__(self, stream: BinaryIO | None = None, *, level: str = "info") -> None:
        """Nothing is written when the level is above info."""
        self._stream = stream or sys.stdout.buffer
        self._is_on = logging.getLevelName(level.upper()) <= logging.INFO
        self._lines: list[str] = []
        self._second = 0
        self._stamp = ""

    def note(self, outcome: Outcome) -> None:
        """Add a line; it is written with the next flush."""
        if not self._is_on:
            return
        now = time.time()
        if int(now) != self._second:
            self._second = int(now)
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        method, path, route, status, seconds, sent, client, request_id, subject = outcome
        if path.count(".") > 1:  # Somebody may have put a token into the path.
            path = without_tokens(path)
        self._lines.append(
            f'{{"time":"{self._stamp}.{int(now % 1 * 1000):03d}Z","level":"info","service":"edge",'
            f'"event":"request","method":"{method}","path":"{path}","route":"{route}","status":{status},'
            f'"duration_ms":{seconds * 1000:.2f},"bytes":{sent},"client":"{client}","sub":"{subject}",'
            f'"request_id":"{request_id}"}}\n'
        )
        if len(self._lines) * 256 > _FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered."""
        lines, self._lines = self._lines, []  # Lost when they cannot be written, for they must not pile up.
        if lines:
            self._stream.write("".join(lines).encode())
            self._stream.flush()


class Figures(Collector):
    """Counts of the data plane, in plain dicts: a counter with labels costs as much as parsing a request."""

    def __init__(self, upstreams: Mapping[str, "Pool"]) -> None:
        self._upstreams = upstreams
        self._requests: Tally[tuple[str, int]] = Tally()
        self._durations: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}
        self._refusals: Tally[str] = Tally()
        self._retries: Tally[str] = Tally()
        self._asks: Tally[str] = Tally()
        self.connections = 0
        """Client connections that are open."""

    def note(self, outcome: Outcome) -> None:
        """Count a request that has ended."""
        route = outcome.route
        self._requests[route, outcome.status] += 1
        counts = self._durations.get(route)
        if counts is None:
            counts = self._durations[route] = [0] * (len(_BUCKETS) + 1)
            self._seconds[route] = 0.0
        counts[bisect_left(_BUCKETS, outcome.seconds)] += 1
        self._seconds[route] += outcome.seconds

    def note_refusal(self, code: str) -> None:
        """Count a request that the edge answered with a problem of its own."""
        self._refusals[code] += 1

    def note_retry(self, upstream: str) -> None:
        """Count a request that was sent again on a fresh connection."""
        self._retries[upstream] += 1

    def note_ask(self, outcome: str) -> None:
        """Count a question to the web, by what came of it: minted, refused or failed."""
        self._asks[outcome] += 1

    def collect(self) -> "Iterator[Metric]":
        """The figures as Prometheus wants them. Called from the thread of the metrics server."""
        yield _counter("requests", "Requests by route and status.", ("route", "status"), self._requests)
        yield _counter("refusals", "Problems answered by the edge itself.", ("code",), self._refusals)
        yield _counter("retries", "Requests sent again.", ("upstream",), self._retries)
        yield _counter("asks", "Questions to the web for a token, by outcome.", ("outcome",), self._asks)
        yield self._histogram()
        yield GaugeMetricFamily(
            "mercato_edge_connections", "Open client connections.", value=self.connections
        )
        pools = GaugeMetricFamily(
            "mercato_edge_upstream_connections", "Open upstream connections.", labels=("upstream",)
        )
        for name, upstream in self._upstreams.items():
            pools.add_metric((name,), upstream.open_connections)
        yield pools

    def _histogram(self) -> HistogramMetricFamily:
        family = HistogramMetricFamily(
            "mercato_edge_request_seconds", "Time from a whole head to the end.", labels=("route",)
        )
        for route, counts in list(self._durations.items()):
            total = 0
            buckets = []
            for bound, count in zip((*map(str, _BUCKETS), "+Inf"), list(counts), strict=True):
                total += count
                buckets.append((bound, float(total)))
            family.add_metric((route,), buckets, self._seconds[route])
        return family


def _counter(
    name: str, text: str, labels: tuple[str, ...], tally: Tally[str] | Tally[tuple[str, int]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"mercato_edge_{name}", text, labels=labels)
    for key, count in list(tally.items()):
        values = key if isinstance(key, tuple) else (key,)
        family.add_metric([str(value) for value in values], count)
    return family
