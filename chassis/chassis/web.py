"""What every adapter does around a request, whatever the framework: hosts, headers, metrics, access log."""

import logging
import re
from typing import Any, Final, Protocol

from prometheus_client import Counter, Gauge, Histogram

from chassis.env import LOOPBACK_NAMES, env_bind, env_int, is_loopback
from chassis.metrics import BUCKETS, METHODS

API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
ADMIN_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PUBLIC_SECONDS: Final = 30
"""How long anybody may keep an answer that staff may change."""

_HOST: Final = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)

_requests = Counter("mercato_http_requests", "Requests answered.", ["method", "route", "status"])
_seconds = Histogram(
    "mercato_http_request_seconds", "Time to answer a request.", ["method", "route"], buckets=BUCKETS
)
in_flight: Final = Gauge(
    "mercato_http_requests_in_flight", "Requests under way.", multiprocess_mode="livesum"
)
"""Goes up where an adapter begins a request, and down where it ends."""

_access = logging.getLogger("access")


class Headers(Protocol):
    """The headers of an answer, as every framework has them."""

    def get(self, name: str, default: str, /) -> Any:
        """The value of a header."""

    def setdefault(self, name: str, value: str, /) -> Any:
        """Set a header unless it is set."""

    def __setitem__(self, name: str, value: str, /) -> None:
        """Set a header."""


def server(prefix: str, port: int) -> dict[str, tuple[str, int] | int]:
    """How `manage.py serve` listens: <PREFIX>_BIND, <PREFIX>_WORKERS, <PREFIX>_THREADS (per worker).

    Raises: ConfigurationError.
    """
    return {
        "bind": env_bind(f"{prefix}_BIND", f"127.0.0.1:{port}"),
        "workers": env_int(f"{prefix}_WORKERS", 1, minimum=1, maximum=64),
        "threads": env_int(f"{prefix}_THREADS", 4, minimum=1, maximum=64),
    }


def allowed_hosts(origin: str) -> list[str]:
    """The host of the origin, and every loopback name when it is one of them; no ports."""
    if is_loopback(origin):
        return sorted(name if ":" not in name else f"[{name}]" for name in LOOPBACK_NAMES)
    return [origin.split("://")[1].rsplit(":", 1)[0] if origin.count(":") > 1 else origin.split("://")[1]]


def is_allowed_host(host: str, allowed: list[str]) -> bool:
    """Whether a Host header, with or without a port, names one of the allowed hosts."""
    match = _HOST.fullmatch(host.lower())
    return match is not None and match[1] in allowed


def secure(headers: Headers, *, status: int, is_admin: bool, has_bearer: bool) -> bool:
    """Set what every answer says to browsers and caches; whether Vary must name Authorization."""
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Content-Security-Policy", ADMIN_POLICY if is_admin else API_POLICY)
    if status >= 400:
        headers.setdefault("Cache-Control", "no-store")
    elif has_bearer:
        # Whatever a view says of its public face: this answer may show more than others get to see.
        headers["Cache-Control"] = "no-store"
    else:
        return "public" in headers.get("Cache-Control", "")
    return False


def record(*, method: str, route: str, path: str, status: int, seconds: float, sent: str) -> None:
    """Count a request and write its line of the access log, which has no query.

    route is a template, of which a client cannot make up new ones; sent is the length of the answer in
    bytes, empty when it is not known before it is sent.
    """
    method = method if method in METHODS else "other"
    _requests.labels(method, route, str(status)).inc()
    _seconds.labels(method, route).observe(seconds)
    extra = {"method": method, "path": path, "route": route, "status": status}
    extra |= {"duration_ms": round(seconds * 1000, 2), "bytes": int(sent) if sent else None}
    _access.info("Answered a request.", extra=extra)
