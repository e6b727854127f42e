"""What the edge tells about its work: one line a request, and the figures for Prometheus."""

import logging
import sys
import time
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from chassis.logs import without_tokens
from chassis.metrics import BUCKETS, METHODS

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from gateway.edge.cache import Cache
    from gateway.edge.pool import Pool

_FLUSH_BYTES: Final = 32 * 1024


class Outcome(NamedTuple):
    """How one request ended. seconds since its head was complete; path without its query, "" when unsafe;
    reason: why its token was refused, for the log alone.
    """

    method: str
    path: str
    route: str
    status: int
    seconds: float
    sent_bytes: int
    client: str
    request_id: str
    subject: str
    reason: str = ""


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
        method, path, route, status, seconds, sent, client, request_id, subject, reason = outcome
        if path.count(".") > 1:  # Somebody may have put a token into the path.
            path = without_tokens(path)
        why = f',"token_refused":"{reason}"' if reason else ""
        self._lines.append(
            f'{{"time":"{self._stamp}.{int(now % 1 * 1000):03d}Z","level":"info","service":"edge",'
            f'"event":"Answered a request.","method":"{method}","path":"{path}","route":"{route}",'
            f'"status":{status},"duration_ms":{seconds * 1000:.2f},"bytes":{sent},'
            f'"client":"{client}","sub":"{subject}","request_id":"{request_id}"{why}}}\n'
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

    def __init__(self, upstreams: Mapping[str, "Pool"], cache: "Cache") -> None:
        self._upstreams = upstreams
        self._cache = cache
        self._lookups: Tally[str] = Tally()
        self._requests: dict[tuple[str, str, int], _Durations] = {}
        self._answers = {name: _Durations() for name in upstreams}
        self._errors: Tally[str] = Tally()
        self._unanswered: Tally[tuple[str, str]] = Tally()
        self._refusals: Tally[str] = Tally()
        self._retries: Tally[str] = Tally()
        self._asks: Tally[str] = Tally()
        self.connections = 0
        """Client connections that are open."""
        self.in_flight = 0
        """Requests that have begun and not ended."""

    def note(self, outcome: Outcome) -> None:
        """Count a request that has ended."""
        self.in_flight -= 1
        key = outcome.method, outcome.route, outcome.status
        durations = self._requests.get(key)
        if durations is None:
            # A client can make up methods, and must not make up figures with them.
            key = outcome.method if outcome.method in METHODS else "other", outcome.route, outcome.status
            durations = self._requests.setdefault(key, _Durations())
        durations.note(outcome.seconds)

    def note_answer(self, upstream: str, status: int, seconds: float) -> None:
        """Count an answer of an upstream, whose head came so many seconds after it was asked."""
        self._answers[upstream].note(seconds)
        if status >= 500:
            self._errors[upstream] += 1

    def note_no_answer(self, upstream: str, outcome: str) -> None:
        """Count a request without an answer: it was `not-sent`, or what came of it is `unknown`."""
        self._unanswered[upstream, outcome] += 1

    def note_refusal(self, code: str) -> None:
        """Count a request that the edge answered with a problem of its own."""
        self._refusals[code] += 1

    def note_retry(self, upstream: str) -> None:
        """Count a request that was sent again on a fresh connection."""
        self._retries[upstream] += 1

    def note_cache(self, outcome: str) -> None:
        """Count a request that the cache was asked about: hit, stale, shared, on-error or miss."""
        self._lookups[outcome] += 1

    def note_ask(self, outcome: str) -> None:
        """Count a question to the web, by what came of it: minted, refused or failed."""
        self._asks[outcome] += 1

    def collect(self) -> "Iterator[Metric]":
        """The figures as Prometheus wants them. Called from the thread of the metrics server."""
        yield from self._of_requests()
        yield _gauge("mercato_http_requests_in_flight", "Requests under way.", self.in_flight)
        yield from self._of_upstreams()
        yield _counter("mercato_edge_refusals", "Problems answered by the edge.", ("code",), self._refusals)
        yield _counter("mercato_edge_retries", "Requests sent again.", ("upstream",), self._retries)
        yield _counter("mercato_edge_asks", "Questions to the web by outcome.", ("outcome",), self._asks)
        yield _counter("mercato_edge_cache", "Requests by what the cache had.", ("outcome",), self._lookups)
        yield _gauge("mercato_edge_cache_bytes", "Bytes of answers that are kept.", self._cache.size)
        yield _gauge("mercato_edge_connections", "Open client connections.", self.connections)
        yield from self._of_pools()

    def _of_requests(self) -> "Iterator[Metric]":
        requests: Tally[tuple[str, str, str]] = Tally()
        merged: dict[tuple[str, str], _Durations] = {}
        for (method, route, status), durations in list(self._requests.items()):
            requests[method, route, str(status)] = sum(durations.counts)
            merged.setdefault((method, route), _Durations()).add(durations)
        labels = "method", "route"
        yield _counter("mercato_http_requests", "Requests answered.", (*labels, "status"), requests)
        family = _histogram("mercato_http_request_seconds", "Time to answer a request.", *labels)
        for key, durations in merged.items():
            family.add_metric(key, *durations.told())
        yield family

    def _of_upstreams(self) -> "Iterator[Metric]":
        calls = self._unanswered.copy()
        family = _histogram("mercato_upstream_seconds", "Time until a service has answered.", "upstream")
        for name, durations in self._answers.items():
            calls[name, "error"] = errors = self._errors[name]
            calls[name, "answered"] = sum(durations.counts) - errors
            family.add_metric([name], *durations.told())
        yield _counter("mercato_upstream_calls", "Calls by outcome.", ("upstream", "outcome"), calls)
        yield family

    def _of_pools(self) -> "Iterator[Metric]":
        connections = GaugeMetricFamily(
            "mercato_edge_upstream_connections", "Connections to a service.", labels=("upstream", "state")
        )
        queued = GaugeMetricFamily(
            "mercato_edge_upstream_queue", "Requests that wait for a connection.", labels=("upstream",)
        )
        given_up = GaugeMetricFamily(
            "mercato_breaker_open", "Whether a service was given up.", labels=("upstream", "lane")
        )
        streams = GaugeMetricFamily(
            "mercato_edge_streams", "Open event streams of a service.", labels=("upstream",)
        )
        for name, pool in self._upstreams.items():
            connections.add_metric((name, "idle"), pool.idle_connections)
            connections.add_metric((name, "busy"), pool.open_connections - pool.idle_connections)
            queued.add_metric((name,), pool.queued)
            given_up.add_metric((name, ""), pool.breaker.is_open)
            streams.add_metric((name,), pool.streams)
        yield connections
        yield queued
        yield given_up
        yield streams


class _Durations:
    """How many durations fell into each bucket, and their sum in seconds."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def note(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds

    def add(self, other: "_Durations") -> None:
        self.counts = [mine + its for mine, its in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds

    def told(self) -> tuple[list[tuple[str, float]], float]:
        bounds = (*map(str, BUCKETS), "+Inf")
        return list(zip(bounds, map(float, accumulate(self.counts)), strict=True)), self.seconds


def _counter(
    name: str,
    text: str,
    labels: tuple[str, ...],
    tally: Tally[str] | Tally[tuple[str, str]] | Tally[tuple[str, str, str]],
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, count in list(tally.items()):
        family.add_metric(key if isinstance(key, tuple) else (key,), count)
    return family


def _gauge(name: str, text: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _histogram(name: str, text: str, *labels: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(name, text, labels=labels)
