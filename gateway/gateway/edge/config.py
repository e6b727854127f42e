"""What the edge is told at start: addresses, secrets, limits and times."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from chassis.env import (
    ConfigurationError,
    env_bind,
    env_directory,
    env_float,
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


_LEAST_SECONDS: Final = 0.01


def _time(seconds: float, *, most: float) -> float:
    found: float = field(default=seconds, metadata={"least": _LEAST_SECONDS, "most": most})
    return found


def _limit(count: int, *, most: int, least: int = 1) -> int:
    found: int = field(default=count, metadata={"least": least, "most": most})
    return found


@dataclass(frozen=True, slots=True)
class Times:
    """How long the edge waits, in seconds. The wait for an upstream's answer stands with each route.

    Each has a variable: EDGE_, its name, _SECONDS.
    """

    connect: float = _time(0.3, most=10)
    queue: float = _time(1.0, most=60)
    """For one of an upstream's connections to become free."""
    head: float = _time(10.0, most=120)
    body: float = _time(10.0, most=120)
    """For the next piece of a request body."""
    idle: float = _time(75.0, most=3600)
    write: float = _time(30.0, most=600)
    """For a client to take the next piece of an answer."""
    total: float = _time(60.0, most=3600)
    """For one request from its head to the end of its answer."""
    ask: float = _time(2.0, most=60)
    pooled: float = _time(20.0, most=29)
    """That an upstream connection is kept idle: below the 30 s after which granian closes it."""
    open: float = _time(10.0, most=600)
    """That a service which does not answer is left alone before one request tries again."""
    stream: float = _time(3600.0, most=86_400)
    """For an event stream, instead of total."""
    stream_idle: float = _time(60.0, most=3600)
    """For the next piece of an event stream; its comments count."""
    linger: float = _time(1.0, most=30)
    """That a refused client may go on sending before the connection is cut."""
    drain: float = _time(10.0, most=600)
    tick: float = _time(0.1, most=1)
    """Between two looks at all deadlines; they hold to within this."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the edge takes on. Sizes in bytes. Each has a variable: EDGE_ and its name."""

    connections: int = _limit(4096, most=1_000_000)
    connections_per_address: int = _limit(256, most=1_000_000)
    """Times people_per_address; without trusted proxies, for behind them all have the proxy's address."""
    upstream_connections: int = _limit(64, most=4096)
    queued: int = _limit(1024, least=0, most=1_000_000)
    """Requests that wait for a connection to one upstream."""
    pipelined: int = _limit(64, most=4096)
    collected: int = _limit(64 * 1024, least=1024, most=64 * 1024 * 1024)
    """Of a body before an upstream is involved, so that a slow client keeps no service thread waiting."""
    minted: int = _limit(10_000, most=1_000_000)
    cache_bytes: int = _limit(32 * 1024 * 1024, least=0, most=2**36)
    cache_copy_bytes: int = _limit(512 * 1024, least=0, most=2**32)
    """Of one answer that is kept."""
    failures: int = _limit(5, most=1000)
    """Requests in a row without an answer, after which a service is left alone."""
    streams: int = _limit(16, least=0, most=4095)
    """Event streams of one upstream."""
    uploads: int = _limit(16, most=4095)
    """Requests to one upstream whose body is longer than collected and still comes."""
    requests_per_second: int = _limit(100, most=1_000_000)
    """Of one client to services, after the burst."""
    burst: int = _limit(1000, most=10_000_000)
    guesses_per_second: int = _limit(50, most=1_000_000)
    """Tokens of one address whose signature was computed and that were refused, after the burst."""
    guesses_burst: int = _limit(1000, most=10_000_000)
    clients: int = _limit(50_000, most=10_000_000)
    """Of which is kept how much they have left."""


# A burst below what comes in a second would be the limit itself, and the time to fill it nothing.
_AT_LEAST: Final = (("burst", "requests_per_second"), ("guesses_burst", "guesses_per_second"))


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
    people_per_address: int = 1
    """How many times more an address may than a person."""
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
    times, limits = read_times(), read_limits()
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
        people_per_address=env_int("GATEWAY_PEOPLE_PER_ADDRESS", 1, minimum=1, maximum=10_000),
        log_level=_log_level(env_str("LOG_LEVEL", "info")),
        workers=1 if worker else env_int("EDGE_WORKERS", 1, minimum=1, maximum=MAX_WORKERS),
        worker=worker,
        listen_fds=_descriptors("EDGE_LISTEN_FD"),
        control_fd=env_int("EDGE_CONTROL_FD", 0),
        times=times,
        limits=limits,
    )


def time_variable(name: str) -> str:
    """The variable of one of Times."""
    return f"EDGE_{name.upper()}_SECONDS"


def limit_variable(name: str) -> str:
    """The variable of one of Limits."""
    return f"EDGE_{name.upper()}"


def variables() -> list[str]:
    """The variables of all Times and Limits."""
    return [
        *(time_variable(time.name) for time in fields(Times)),
        *(limit_variable(limit.name) for limit in fields(Limits)),
    ]


def read_times() -> Times:
    """The times from the environment. Raises: ConfigurationError."""
    usual = Times()
    told = {
        time.name: env_float(
            time_variable(time.name),
            getattr(usual, time.name),
            minimum=time.metadata["least"],
            maximum=time.metadata["most"],
        )
        for time in fields(Times)
    }
    times = Times(**told)
    if times.stream_idle > times.stream:
        raise ConfigurationError("EDGE_STREAM_IDLE_SECONDS must not be more than EDGE_STREAM_SECONDS.")
    return times


def read_limits() -> Limits:
    """The limits from the environment. Raises: ConfigurationError."""
    usual = Limits()
    told = {
        limit.name: env_int(
            limit_variable(limit.name),
            getattr(usual, limit.name),
            minimum=limit.metadata["least"],
            maximum=limit.metadata["most"],
        )
        for limit in fields(Limits)
    }
    limits = Limits(**told)
    for name, other in _AT_LEAST:
        if getattr(limits, name) < getattr(limits, other):
            raise ConfigurationError(f"{limit_variable(name)} must not be less than {limit_variable(other)}.")
    if limits.streams + limits.uploads >= limits.upstream_connections:
        raise ConfigurationError(
            "EDGE_STREAMS and EDGE_UPLOADS must together be less than EDGE_UPSTREAM_CONNECTIONS."
        )
    return limits


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
