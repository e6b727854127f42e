"""`mercato manage`: a service's own `manage.py`, told what its running process is told."""

import subprocess
import sys

import click

from mercato.assembly import open_system
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option
from mercato.topology import SERVICES, Service


@click.command(context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})
@home_option
@click.argument("service")
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED)
def manage(home: Home, service: str, arguments: tuple[str, ...]) -> None:
    """Run a command of a SERVICE, with its rights: `mercato manage wallet verify_ledger`."""
    chosen = _service(service)
    with open_system(home, [chosen], migrated=False) as system:
        done = subprocess.run(
            system.manage(chosen, *arguments),
            env=system.service_environment(chosen),
            cwd=home.root / chosen.name,
            check=False,
        )
    sys.exit(done.returncode)


def _service(name: str) -> Service:
    for service in SERVICES:
        if name in {service.name, service.process}:
            return service
    known = ", ".join(service.name for service in SERVICES)
    raise Failure(f"there is no service {name!r}; there are: {known}")
