"""`mercato migrate`: the databases' tables."""

import click

from mercato import console
from mercato.assembly import open_system
from mercato.home import Home
from mercato.migrations import migrate as migrate_services
from mercato.options import home_option
from mercato.topology import SERVICES


@click.command()
@home_option
def migrate(home: Home) -> None:
    """Bring every service's database up to date (`mercato up` does it when needed)."""
    with open_system(home, migrated=False) as system:
        migrate_services(system, SERVICES, only_when_needed=False, on_ready=console.step)
