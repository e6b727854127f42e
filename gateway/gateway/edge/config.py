"""What the edge is told at start: addresses, secrets, limits and times."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from chassis.env import (
    ConfigurationError,
    env_bind,
    env_directory,
    env_int,
    env_list,
    env_origin,
    env_secret,
    env_str,
    is_loopback,
)
from gateway.edge.certificate import Certificate
from gateway.edge.listening import MAX_WORKERS

_UPSTREAM_VARIABLES: Final = {
    "web": ("WEB_URL", "http://127.0.0.1:8010"),
    "wallet": ("WALLET_URL", "http://127.0.0.1:8001"),
    "catalog_category": ("CATALOG_CATEGORY_URL", "http://127.0.0.1:8002"),
    "catalog_product": ("CATALOG_PRODUCT_URL", "http://127.0.0.1:8003"),
    "catalog_variant": ("CATALOG_VARIANT_URL", "http://127.0.0.1:8004"),
    "banner": ("BANNER_URL", "http://127.0.0.1:8005"),
}


@dataclass(frozen=True, slots=True)
class Times:
    """How long the edge waits, in seconds. The wait for an upstream's answer stands with each route."""

    connect: float = 0.3
    queue: float = 1.0
    """For one of an upstream's connections to become free."""
    head: float = 10.0
    body: float = 10.0
    """For the next piece of a request body."""
    idle: float = 75.0
    write: float = 30.0
    """For a client to take the next piece of an answer."""
    total: float = 60.0
    """For one request from its head to the end of its answer."""
    ask: float = 2.0
    pooled: float = 20.0
    """That an upstream connection is kept idle: below the 30 s after which granian closes it."""
    linger: float = 1.0
    """That a refused client may go on sending before the connection is cut."""
    drain: float = 10.0
    tick: float = 0.1
    """Between two looks at all deadlines; they hold to within this."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the edge takes on. Sizes in bytes."""

    connections: int = 4096
    upstream_connections: int = 64
    queued: int = 1024
    """Requests that wait for a connection to one upstream."""
    pipelined: int = 64
    collected: int = 64 * 1024
    """Of a body before an upstream is involved, so that a slow client keeps no service thread waiting."""
    minted: int = 10_000
    cache_bytes: int = 32 * 1024 * 1024
    cache_copy_bytes: int = 512 * 1024
    """Of one answer that is kept."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an upstream listens."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the edge is told at start."""

    origin: str
    bind: tuple[str, int]
    metrics_bind: tuple[str, int]
    keys_public: Path
    edge_key: str
    upstreams: Mapping[str, Address]
    trusted_proxies: int = 0
    tls: Certificate | None = None
    log_level: str = "info"
    workers: int = 1
    """How many processes share the port; with more than one this one only looks after them."""
    worker: int = 0
    """Which of several workers this is, from 1; 0: it is the only one, or their parent."""
    listen_fds: tuple[int, ...] = ()
    """Sockets that listen already, inherited from a supervisor; without them: listen at bind."""
    control_fd: int = 0
    """The end of a socket pair on which the supervisor asks; 0: there is none."""
    times: Times = field(default_factory=Times)
    limits: Limits = field(default_factory=Limits)

    @property
    def session_cookie(self) -> str:
        """The name of the web's session cookie: browsers keep __Host- for https (RFC 6265bis)."""
        is_plain = self.origin.startswith("http:") and is_loopback(self.origin)
        return "sid" if is_plain else "__Host-sid"


def read_configuration() -> Configuration:
    """The configuration from the environment.

    Raises: ConfigurationError.
    """
    upstreams = {name: _address(*variable) for name, variable in _UPSTREAM_VARIABLES.items()}
    edge_key = env_secret("EDGE_KEY")
    if not edge_key.isascii() or not edge_key.isprintable():
        raise ConfigurationError("EDGE_KEY must be printable ASCII, for it travels in a header.")
    worker = env_int("EDGE_WORKER", 0, maximum=MAX_WORKERS)
    origin = env_origin()
    tls = _server_tls(env_str("EDGE_TLS_CERT", ""), env_str("EDGE_TLS_KEY", ""))
    if tls and not origin.startswith("https:"):
        raise ConfigurationError("EDGE_TLS_CERT goes with an https MERCATO_ORIGIN.")
    return Configuration(
        origin=origin,
        bind=env_bind("EDGE_BIND", "127.0.0.1:8000"),
        metrics_bind=env_bind("EDGE_METRICS_BIND", "127.0.0.1:8011"),
        keys_public=env_directory("KEYS_PUBLIC"),
        edge_key=edge_key,
        upstreams=MappingProxyType(upstreams),
        trusted_proxies=env_int("TRUSTED_PROXIES", 0, maximum=8),
        tls=tls,
        log_level=_log_level(env_str("LOG_LEVEL", "info")),
        workers=1 if worker else env_int("EDGE_WORKERS", 1, minimum=1, maximum=MAX_WORKERS),
        worker=worker,
        listen_fds=_descriptors("EDGE_LISTEN_FD"),
        control_fd=env_int("EDGE_CONTROL_FD", 0),
    )


def _address(name: str, default: str) -> Address:
    url = env_str(name, default)
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        if not parts.hostname or url.rstrip("/") != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
            raise ValueError(url)
    except (ValueError, KeyError) as exc:
        raise ConfigurationError(f"{name} must look like http://127.0.0.1:8001.") from exc
    return Address(parts.hostname, port, ssl.create_default_context() if parts.scheme == "https" else None)


def _descriptors(name: str) -> tuple[int, ...]:
    numbers = env_list(name, "")
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise ConfigurationError(f"{name} must be numbers of descriptors with commas between them.")
    return tuple(map(int, numbers))


def _server_tls(certificate: str, key: str) -> Certificate | None:
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise ConfigurationError("EDGE_TLS_CERT and EDGE_TLS_KEY go together.")
    return Certificate(Path(certificate), Path(key))


def _log_level(level: str) -> str:
    if level.lower() not in {"debug", "info", "warning", "error", "critical"}:
        raise ConfigurationError("LOG_LEVEL must be one of debug, info, warning, error, critical.")
    return level.lower()
