"""Which database each service uses: one named in the environment, or one in the embedded PostgreSQL."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chassis.env import env_secret
from mercato.credentials import Credentials
from mercato.home import Home
from mercato.postgres import AlreadyServed, Cluster, PostgresUnavailable, provide
from mercato.topology import SERVICES, DatabaseUrls, Service

POSTGRES = "postgres"
# Never connected to: the service is not among those asked for.
_NONE = DatabaseUrls("", "")


@dataclass
class Databases:
    """The databases of the services asked for; `cluster` is ours when at least one is embedded."""

    urls: dict[str, DatabaseUrls]
    cluster: Cluster | None = None

    @classmethod
    def unknown(cls) -> "Databases":
        """For whoever asks of the system only what does not depend on them."""
        return cls({service.name: _NONE for service in SERVICES})

    def refuse_end(self) -> None:
        """Look after the embedded server.

        Raises: PostgresUnavailable when it ended by itself.
        """
        process = self.cluster.process if self.cluster else None
        if process is not None and process.poll() is not None:
            raise PostgresUnavailable(f"PostgreSQL ended with status {process.returncode}")


@contextmanager
def open_databases(
    home: Home,
    credentials: Credentials,
    services: Iterable[Service] = SERVICES,
    *,
    share: bool = False,
    on_ready: Callable[[str, float], None] = lambda _name, _seconds: None,
    is_impatient: Callable[[], bool] = lambda: False,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Databases]:
    """The databases, made where missing; the embedded server is started here and stopped at the end.

    With `share` a server that another program of ours runs is used, and left running. `check` is called
    while waiting and may raise; `is_impatient` decides how long the stop may take.

    Raises: ConfigurationError, PostgresUnavailable, AnotherMajorVersion, AlreadyServed.
    """
    services = list(services)
    external = {s.name: found for s in services if (found := external_urls(s))}
    urls = Databases.unknown().urls | external
    embedded = [service for service in services if service.name not in external]
    if not embedded:
        yield Databases(urls)
        return
    began = time.monotonic()
    cluster = _started_cluster(home, credentials, share=share, check=check)
    try:
        for service in embedded:
            urls[service.name] = _provide(cluster, service, credentials)
        on_ready(POSTGRES, time.monotonic() - began)
        yield Databases(urls, cluster)
    finally:
        cluster.stop(timeout=0.5 if is_impatient() else 20.0)


def external_urls(service: Service) -> DatabaseUrls | None:
    """The URLs in the environment, which replace the embedded PostgreSQL for this service.

    Each may also stand in the file that NAME_FILE points to, as for the service itself.

    Raises: ConfigurationError when such a file is empty or unreadable.
    """
    app = _url(f"{service.prefix}_DATABASE_URL")
    owner = _url(f"{service.prefix}_OWNER_DATABASE_URL")
    return DatabaseUrls(app, owner or app) if app else None


def _url(name: str) -> str:
    is_given = any(os.environ.get(variable, "").strip() for variable in (name, f"{name}_FILE"))
    return env_secret(name, min_length=1) if is_given else ""


def _started_cluster(
    home: Home, credentials: Credentials, *, share: bool, check: Callable[[], None]
) -> Cluster:
    def cluster() -> Cluster:
        return Cluster(home.postgres_dir, credentials.postgres_password, log=home.log(POSTGRES))

    started = cluster()
    try:
        started.start(check=check)
    except AlreadyServed:
        if not share or started.pid() is None:
            raise
        return cluster()  # Made anew, it knows where the running server listens.
    return started


def _provide(cluster: Cluster, service: Service, credentials: Credentials) -> DatabaseUrls:
    own = credentials.services[service.name]
    provide(cluster, service.name, owner_password=own.owner_password, app_password=own.app_password)
    return DatabaseUrls(
        app=cluster.url(user=f"{service.name}_app", password=own.app_password, database=service.name),
        owner=cluster.url(user=f"{service.name}_owner", password=own.owner_password, database=service.name),
    )
