"""The figures of the edge on a port of their own, those of several workers as if they were one process."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from chassis.env import ConfigurationError

if TYPE_CHECKING:
    from gateway.edge.config import Configuration

_GROWING: Final = frozenset({"counter", "histogram"})
# A state that is the same in all workers, or bad when it is bad in one, is not a sum.
_HIGHEST: Final = ("_info", "_open", "mercato_keys", "mercato_revocations")
_LOWEST: Final = ("_timestamp_seconds", "process_start_time_seconds")


class Sums:
    """The figures of all workers: the last that each told, and what those that have ended leave behind.

    Counters of a worker that is gone stay in the sum, so that no sum ever falls; its gauges do not.
    """

    def __init__(self) -> None:
        self._kept: list[Metric] = []
        self._last: dict[int, list[Metric]] = {}

    def note(self, worker: int, text: str) -> None:
        """Take what a worker tells, in the text format."""
        self._last[worker] = list(text_string_to_metric_families(text))

    def bury(self, worker: int) -> None:
        """Keep what a worker has counted; what it goes by now is told by another process."""
        last = self._last.pop(worker, [])
        self._kept = _summed([*self._kept, *(family for family in last if family.type in _GROWING)])

    def told(self) -> list[Metric]:
        """The sums."""
        return _summed([*self._kept, *(family for families in self._last.values() for family in families)])


def serve_figures(
    configuration: "Configuration", registry: CollectorRegistry
) -> tuple[int, Callable[[], None]]:
    """Answer Prometheus in a thread of its own; returns the port, and what ends it.

    Raises: ConfigurationError.
    """
    host, port = configuration.metrics_bind
    # Under a supervisor the next edge listens here before this one has let go.
    ThreadingWSGIServer.allow_reuse_port = bool(configuration.control_fd)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as exc:
        raise ConfigurationError(
            f"EDGE_METRICS_BIND: cannot listen on {host}:{port}: {exc.strerror}."
        ) from exc

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return server.server_port, close


def _summed(families: Iterable[Metric]) -> list[Metric]:
    summed: dict[str, Metric] = {}
    values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
    for family in families:
        summed.setdefault(family.name, Metric(family.name, family.documentation, family.type))
        add, found = _how_to_add(family), values.setdefault(family.name, {})
        for sample in family.samples:
            key = sample.name, tuple(sample.labels.items())
            found[key] = add((found[key], sample.value)) if key in found else sample.value
    for name, merged in summed.items():
        for (sample_name, labels), value in values[name].items():
            merged.add_sample(sample_name, dict(labels), value)
    return list(summed.values())


def _how_to_add(family: Metric) -> Callable[[Iterable[float]], float]:
    if family.type != "gauge":
        return sum
    if family.name.endswith(_LOWEST):
        return min
    return max if family.name.endswith(_HIGHEST) else sum
