"""Which processes make the system, where they listen, and what each of them may know."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from chassis.env import ConfigurationError, env_origin, env_str, is_loopback
from gateway.edge.config import variables as limits_of_the_edge
from gateway.edge.listening import MAX_WORKERS
from gateway.routes import WEB
from mercato.credentials import Credentials
from mercato.failures import Failure
from mercato.health import Trust
from mercato.home import Home

DEFAULT_PORT = 8000
# What any program needs to run at all. Nothing else of the caller's environment reaches a process.
_ANYONE = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "PYTHONDONTWRITEBYTECODE",
    "LOG_LEVEL",
)


class UnknownProcess(Failure):
    """`--only` names something that is not part of the system."""


@dataclass(frozen=True)
class Service:
    """A folder with a manage.py and a database of its own, served by one process."""

    name: str
    process: str
    port_offset: int
    options: tuple[str, ...] = ()  # What else its settings read, passed on when the caller has it set.
    has_key: bool = False  # Whether it signs with a private key of its own.
    has_media: bool = False  # Whether it keeps pictures in a folder of its own.
    asks: tuple[str, ...] = ()  # The services that it calls.

    @property
    def prefix(self) -> str:
        """How its environment variables begin."""
        return self.name.upper()


GATEWAY = Service(
    "gateway",
    process="web",
    port_offset=10,
    options=("GATEWAY_PEOPLE_PER_ADDRESS", "LOGIN_AUDIENCE", "MAIL_URL", "MAIL_URL_FILE", "MAIL_FROM"),
    has_key=True,
    asks=("wallet", "catalog_category", "catalog_product", "catalog_variant", "banner"),
)
WALLET = Service("wallet", process="wallet", port_offset=1, options=("WALLET_CURRENCIES",))
CATEGORY = Service(
    "catalog_category", process="category", port_offset=2, has_key=True, asks=("catalog_product",)
)
PRODUCT = Service(
    "catalog_product",
    process="product",
    port_offset=3,
    has_key=True,
    has_media=True,
    asks=("catalog_category",),
)
VARIANT = Service(
    "catalog_variant",
    process="variant",
    port_offset=4,
    options=("CATALOG_VARIANT_CURRENCIES", "CATALOG_VARIANT_LOW_STOCK"),
    has_key=True,
    asks=("catalog_product",),
)
BANNER = Service(
    "banner", process="banner", port_offset=5, options=("BANNER_EXTERNAL_HOSTS",), has_media=True
)
SERVICES = (GATEWAY, WALLET, CATEGORY, PRODUCT, VARIANT, BANNER)
EDGE = "edge"
_CERTIFICATE = "EDGE_TLS_CERT"
_WORKERS = "EDGE_WORKERS"
_EDGE_OPTIONS = (
    *("TRUSTED_PROXIES", _WORKERS, _CERTIFICATE, "EDGE_TLS_KEY", "GATEWAY_PEOPLE_PER_ADDRESS"),
    *limits_of_the_edge(),
)
# Files, which the caller may name from where they stand.
_FILES = frozenset({_CERTIFICATE, "EDGE_TLS_KEY"})
_METRICS_OFFSET = 11


@dataclass(frozen=True)
class DatabaseUrls:
    """How a service reaches its database: with the rights it runs with, and with the owner's."""

    app: str
    owner: str


@dataclass(frozen=True)
class Program:
    """A process to supervise. It is ready when `ready_url` answers 200; lower tiers start first, end last.

    `holds`: the edge's upstreams that have to rest while it is replaced. `listens`: where the supervisor
    listens for it, on how many sockets, so that they outlive the process; empty when it listens itself.
    `trust`: by what `ready_url` is known where it is https.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    ports: tuple[int, ...]
    ready_url: str
    tier: int = 0
    holds: tuple[str, ...] = ()
    listens: tuple[str, int] | None = None
    sockets: int = 1
    trust: Trust | None = None


@dataclass(frozen=True)
class System:
    """Everything that decides how the processes are started."""

    home: Home
    origin: str
    port: int
    credentials: Credentials
    databases: Mapping[str, DatabaseUrls]

    @property
    def edge_url(self) -> str:
        """The edge's own address; the origin may be a name that only others can resolve."""
        return _local(self.port) if self.trust is None else _local(self.port, "https")

    @property
    def trust(self) -> Trust | None:
        """What the edge shows there, when it speaks TLS."""
        certificate = settings(_CERTIFICATE).get(_CERTIFICATE)
        return Trust(certificate, urlsplit(self.origin).hostname or "") if certificate else None

    def programs(self, only: Iterable[str] = ()) -> list[Program]:
        """The processes to run: all of them, or those named (`gateway` means edge and web).

        Raises: UnknownProcess.
        """
        programs = [*(self._service_program(service) for service in SERVICES), self._edge_program()]
        wanted = chosen_processes(only)
        return [program for program in programs if program.name in wanted]

    def service_environment(self, service: Service) -> dict[str, str]:
        """What a service's process may know: its own database, as the app role, and its own secrets."""
        prefix = service.prefix
        env = self._common(f"{prefix}_WORKERS", f"{prefix}_THREADS", *service.options) | {
            f"{prefix}_BIND": f"127.0.0.1:{self.port + service.port_offset}",
            f"{prefix}_DATABASE_URL": self.databases[service.name].app,
            f"{prefix}_SECRET_KEY": self.credentials.services[service.name].secret_key,
        }
        if service.has_key:
            env["KEYS_PRIVATE"] = os.fspath(self.home.keys_dir / "private" / service.name)
        if service.has_media:
            env[f"{prefix}_MEDIA"] = os.fspath(self.home.media_dir(service.name))
        for other in SERVICES:
            if other.name in service.asks:
                env[f"{other.prefix}_URL"] = _local(self.port + other.port_offset)
        if service is GATEWAY:
            env["EDGE_KEY"] = self.credentials.edge_key
            env["GATEWAY_MAIL"] = os.fspath(self.home.mail_dir)
            env["GATEWAY_STATIC"] = os.fspath(self.home.static_dir)
        return env

    def owner_environment(self, service: Service) -> dict[str, str]:
        """The same with the owner's rights, for migrations only."""
        owner = {f"{service.prefix}_OWNER_DATABASE_URL": self.databases[service.name].owner}
        return self.service_environment(service) | owner

    def manage(self, service: Service, *arguments: str) -> tuple[str, ...]:
        """The command line of a service's manage.py."""
        return (sys.executable, os.fspath(self.home.root / service.name / "manage.py"), *arguments)

    def _service_program(self, service: Service) -> Program:
        port = self.port + service.port_offset
        return Program(
            name=service.process,
            command=self.manage(service, "serve"),
            env=self.service_environment(service),
            cwd=self.home.root / service.name,
            ports=(port,),
            ready_url=f"{_local(port)}/readyz",
            holds=_upstreams_above(service),
        )

    def _edge_program(self) -> Program:
        metrics = self.port + _METRICS_OFFSET
        env = self._common(*_EDGE_OPTIONS) | {
            "EDGE_BIND": f"127.0.0.1:{self.port}",
            "EDGE_METRICS_BIND": f"127.0.0.1:{metrics}",
            "EDGE_KEY": self.credentials.edge_key,
            "WEB_URL": _local(self.port + GATEWAY.port_offset),
            **{
                f"{service.prefix}_URL": _local(self.port + service.port_offset)
                for service in SERVICES
                if service is not GATEWAY
            },
        }
        return Program(
            name=EDGE,
            command=(sys.executable, "-m", "gateway.edge.main"),
            env=env,
            cwd=self.home.root / "gateway",
            ports=(self.port, metrics),
            ready_url=f"{self.edge_url}/readyz",
            tier=1,
            listens=("127.0.0.1", self.port),
            sockets=_workers(),
            trust=self.trust,
        )

    def _common(self, *optional: str) -> dict[str, str]:
        own = {"MERCATO_ORIGIN": self.origin, "KEYS_PUBLIC": os.fspath(self.home.keys_dir / "public")}
        return _passed_on(*_ANYONE, *optional) | {"PYTHONUNBUFFERED": "1"} | own


def chosen_processes(only: Iterable[str]) -> set[str]:
    """The names of the processes that `--only` means; all of them when it is empty.

    Raises: UnknownProcess.
    """
    everything = {service.process for service in SERVICES} | {EDGE}
    meanings = {name: {name} for name in everything} | {GATEWAY.name: {EDGE, GATEWAY.process}}
    chosen: set[str] = set()
    for name in only:
        if name not in meanings:
            raise UnknownProcess(f"there is no process {name!r}; there are: {', '.join(sorted(meanings))}")
        chosen |= meanings[name]
    return chosen or everything


def settings_of_processes() -> list[str]:
    """The variables of the caller's environment that only reach processes, and not the system as a whole."""
    counts = (f"{service.prefix}_{what}" for service in SERVICES for what in ("WORKERS", "THREADS"))
    options = (option for service in SERVICES for option in service.options)
    return [*counts, *options, *_EDGE_OPTIONS, "LOG_LEVEL"]


def settings(*names: str) -> dict[str, str]:
    """Those variables of the caller's environment that are set, files by their whole path."""
    found = {name: os.environ[name] for name in names if name in os.environ}
    return found | {name: os.path.abspath(found[name]) for name in _FILES & found.keys() if found[name]}


def needed_services(processes: set[str]) -> list[Service]:
    """The services, with their databases, behind the chosen processes."""
    return [service for service in SERVICES if service.process in processes]


def public_origin(port: int) -> str:
    """MERCATO_ORIGIN, else localhost with the port of the edge.

    Raises: ConfigurationError.
    """
    return env_origin() if os.environ.get("MERCATO_ORIGIN", "").strip() else f"http://localhost:{port}"


def allows_demo(origin: str) -> bool:
    """Whether demo log-ins may exist: on a loopback http origin only, for their passwords stand in a file."""
    return is_loopback(origin) and origin.startswith("http://")


def wants_demo(origin: str) -> bool:
    """Whether to make the demo: where it is allowed, unless SEED is off.

    Raises: ConfigurationError.
    """
    wanted = env_str("SEED", "on")
    if wanted not in {"on", "off"}:
        raise ConfigurationError("SEED must be on or off.")
    return wanted == "on" and allows_demo(origin)


def refuse_demo(origin: str) -> None:
    """Raises: Failure where demo log-ins may not exist."""
    if not allows_demo(origin):
        raise Failure(f"demo log-ins exist on a loopback http origin only, not on {origin}")


def _upstreams_above(service: Service) -> tuple[str, ...]:
    # The service and whoever asks it, directly or through others, by the names that the edge has for them.
    above = {service.name}
    while callers := {one.name for one in SERVICES if above & set(one.asks)} - above:
        above |= callers
    return tuple(sorted(WEB if name == GATEWAY.name else name for name in above))


def _workers() -> int:
    # What is no such number the edge refuses by itself, with the reason.
    count = os.environ.get(_WORKERS, "").strip()
    return min(int(count), MAX_WORKERS) if count.isascii() and count.isdigit() and int(count) else 1


def _local(port: int, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{port}"


def _passed_on(*names: str) -> dict[str, str]:
    return {name: value for name, value in settings(*names).items() if value}
