"""Bring the services' databases up to date, and remember that they are."""

import hashlib
import importlib.metadata
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from mercato.failures import Failure
from mercato.home import read_json, write_private_json
from mercato.postgres import identity
from mercato.processes import last_lines, spawn
from mercato.topology import Service, System

_STAMPED = ("migrations/**/*.py", "migrations/**/*.sql", "settings.py")
# Their migrations come with them, not with our folders.
_DISTRIBUTIONS = ("Django", "djangorestframework-simplejwt")


class MigrationFailed(Failure):
    """A service's `manage.py migrate` ended badly."""


def migrate(
    system: System,
    services: Iterable[Service],
    *,
    only_when_needed: bool,
    on_ready: Callable[[str, float], None] = lambda _name, _seconds: None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Run the migrations of the services, all at once, each as its database's owner.

    With `only_when_needed` a service is left out when neither its migrations nor its database changed
    since the last time. `check` is called in between and may raise.

    Raises: MigrationFailed, PostgresUnavailable.
    """
    stamps = {service: _stamp(system, service) for service in services}
    kept = read_json(system.home.stamps_file)
    current = {s for s, stamp in stamps.items() if stamp and kept.get(_key(s)) == stamp}
    due = [service for service in stamps if not only_when_needed or service not in current]
    began = time.monotonic()

    def on_done(service: Service) -> None:
        on_ready(f"{service.name} migrated", time.monotonic() - began)

    _run_all(system, due, on_done, check)
    if due:
        write_private_json(system.home.stamps_file, kept | {_key(s): stamps[s] for s in due})


def _run_all(
    system: System, services: list[Service], on_done: Callable[[Service], None], check: Callable[[], None]
) -> None:
    running = {service: _start(system, service) for service in services}
    try:
        while running:
            check()
            for service, process in list(running.items()):
                if process.poll() is None:
                    continue
                del running[service]
                if process.returncode != 0:
                    said = last_lines(_log(system, service), 20)
                    reason = f": {said[-1]}" if said else ""
                    raise MigrationFailed(f"the migrations of {service.name} failed{reason}", said[:-1])
                on_done(service)
            time.sleep(0.02)
    finally:
        for process in running.values():
            process.terminate()
            process.wait()


def _start(system: System, service: Service) -> "subprocess.Popen[bytes]":
    log = _log(system, service)
    log.unlink(missing_ok=True)
    command = system.manage(service, "migrate", "--no-input", "--no-color")
    return spawn(command, log=log, env=system.owner_environment(service), cwd=system.home.root / service.name)


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


def _key(service: Service) -> str:
    return f"migrate:{service.name}"


def _log(system: System, service: Service) -> Path:
    return system.home.log(f"migrate-{service.name}")
