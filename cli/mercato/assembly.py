"""Put the system together from what stands in its home and in the environment."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from chassis.env import is_loopback
from gateway.tokens import keyring
from mercato.credentials import Credentials, load_credentials
from mercato.databases import Databases, open_databases
from mercato.failures import Failure
from mercato.home import Home
from mercato.jobs import run_jobs
from mercato.migrations import migrations
from mercato.state import read_state
from mercato.topology import DEFAULT_PORT, SERVICES, Service, System, public_origin


def credentials_of(home: Home) -> Credentials:
    """The secrets of every service, generated where missing.

    Raises: Failure.
    """
    return load_credentials(home, [service.name for service in SERVICES])


def ensure_keys(home: Home) -> None:
    """Make the keys that are missing.

    Raises: Failure.
    """
    try:
        keyring.init(home.keys_dir)
    except (keyring.UnusableKey, OSError) as exc:
        raise Failure(f"the keys in {home.keys_dir} cannot be used: {exc}") from exc


def assemble(home: Home, credentials: Credentials, databases: Databases, port: int) -> System:
    """The system with its edge on `port`, and the folders that its services expect.

    Raises: ConfigurationError when MERCATO_ORIGIN is malformed, Failure when a folder cannot be made.
    """
    for service in SERVICES:
        if service.has_media:
            home.make_media_dir(service.name)
    return System(home, public_origin(port), port, credentials, databases.urls)


def default_port() -> int:
    """The port of the edge when nobody says: the one in a loopback MERCATO_ORIGIN, else 8000."""
    origin = os.environ.get("MERCATO_ORIGIN", "")
    if not origin.startswith("http://") or not is_loopback(origin):
        return DEFAULT_PORT
    return urlsplit(origin).port or DEFAULT_PORT


@contextmanager
def open_system(
    home: Home, services: Iterable[Service] = SERVICES, *, migrated: bool = True
) -> Iterator[System]:
    """The system for a single command: the running one's databases, or databases started for it.

    With `migrated` they are brought up to date first, when they are not.

    Raises: Failure.
    """
    home.prepare()
    ensure_keys(home)
    credentials = credentials_of(home)
    services = list(services)
    with open_databases(home, credentials, services, share=True) as databases:
        state = read_state(home)
        system = assemble(home, credentials, databases, state.port or default_port())
        if migrated:
            run_jobs(home, migrations(system, services), only_when_needed=True)
        yield system
