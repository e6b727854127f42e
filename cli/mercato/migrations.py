"""What brings the services' databases up to date."""

import hashlib
import importlib.metadata
from collections.abc import Iterable

from mercato.jobs import Job
from mercato.postgres import identity
from mercato.topology import Service, System

_STAMPED = ("migrations/**/*.py", "migrations/**/*.sql", "settings.py")
# Their migrations come with them, not with our folders.
_DISTRIBUTIONS = ("Django", "django-allauth", "djangorestframework-simplejwt")


def migrations(system: System, services: Iterable[Service]) -> list[Job]:
    """The migrations of the services, each run as its database's owner.

    They are due when a service's migrations or its database changed since the last time.
    Raises: PostgresUnavailable.
    """
    return [
        Job(
            key=f"migrate:{service.name}",
            done=f"{service.name} migrated",
            stamp=_stamp(system, service),
            command=system.manage(service, "migrate", "--no-input", "--no-color"),
            env=system.owner_environment(service),
            cwd=system.home.root / service.name,
        )
        for service in services
    ]


def _stamp(system: System, service: Service) -> str:
    """A digest of the migrations and the database; empty when the database cannot be told from others."""
    database = identity(system.databases[service.name].app)
    if not database:
        return ""
    digest = hashlib.sha256(database.encode())
    folder = system.home.root / service.name
    for path in sorted(found for pattern in _STAMPED for found in folder.rglob(pattern)):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    for name in _DISTRIBUTIONS:
        digest.update(f"{name}={importlib.metadata.version(name)}".encode())
    return digest.hexdigest()
