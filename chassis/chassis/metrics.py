"""The figures of a process for Prometheus: what all have, and how those of several workers add up."""

import os
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from prometheus_client import REGISTRY, CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of every histogram of durations, in seconds, so that all can be added and compared."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The methods that figures tell apart; a client can make up any others."""

_SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
_looked_up: list[Collector] = []
# A second series for each, which says nothing that the first does not.
disable_created_metrics()  # type: ignore[no-untyped-call]


def look_up(collector: Collector) -> None:
    """Ask a collector at each scrape, for what is looked up instead of counted."""
    REGISTRY.register(collector)
    _looked_up.append(collector)


def tell_build(service: str, distribution: str) -> None:
    """Show, from now on, which service this process is and its version: empty where it is not installed."""
    try:
        look_up(_Build(service, version(distribution)))
    except PackageNotFoundError:
        look_up(_Build(service, ""))


def exposition() -> bytes:
    """All figures of this process, or of all its workers, in the text format of Prometheus.

    What is looked up is looked up by the worker that is asked. Several workers show no process_* and
    python_*, which would be those of that worker only.
    """
    if not os.environ.get(_SHARED):
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    for collector in _looked_up:
        registry.register(collector)
    return generate_latest(registry)


def share_between_workers() -> str:
    """The directory in which the workers of this process keep their figures, to be removed at the end.

    prometheus_client decides when it is imported whether figures stand in memory or in files, so where there
    is no directory yet this starts the program again, as the same process, and does not return.
    """
    directory = os.environ.get(_SHARED, "")
    mark = f".{os.getpid()}"
    if not directory.endswith(mark):
        os.environ[_SHARED] = tempfile.mkdtemp(prefix="mercato-metrics-", suffix=mark)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - the same program again.
    return directory


class _Build(Collector):
    def __init__(self, service: str, version: str) -> None:
        self._labels = {"service": service, "version": version}

    def collect(self) -> "Iterable[Metric]":
        family = GaugeMetricFamily("mercato_build_info", "Which program this is.", labels=list(self._labels))
        family.add_metric(list(self._labels.values()), 1)
        yield family
