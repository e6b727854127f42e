"""Health of a process: alive is that it answers, ready is that what it needs answers too."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import Gauge

Check = Callable[[], None]
"""Returns when what it looks at works, and raises whatever it likes when it does not."""

_logger = logging.getLogger(__name__)
_ready = Gauge(
    "mercato_ready",
    "Whether what the process needs answers, looked at with each scrape.",
    ["check"],
    multiprocess_mode="mostrecent",
)


def run(checks: Mapping[str, Check]) -> tuple[int, dict[str, Any]]:
    """Run the checks: status 200 when all pass, else 503, and a body that names each as ok or failed."""
    results = {name: _passes(name, check) for name, check in checks.items()}
    for name, passed in results.items():
        _ready.labels(name).set(passed)
    ready = all(results.values())
    body = {
        "status": "ok" if ready else "failed",
        "checks": {name: "ok" if passed else "failed" for name, passed in results.items()},
    }
    return (200 if ready else 503), body


def _passes(name: str, check: Check) -> bool:
    try:
        check()
    except Exception:
        _logger.warning("A readiness check failed.", extra={"check": name}, exc_info=True)
        return False
    return True
