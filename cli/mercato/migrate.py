"""`mercato migrate`: the databases' tables."""

import click

from mercato import console
from mercato.assembly import open_system
from mercato.home import Home
from mercato.jobs import run_jobs
from mercato.migrations import migrations
from mercato.options import home_option
from mercato.topology import SERVICES


@click.command()
@home_option
def migrate(home: Home) -> None:
    """Bring every service's database up to date (`mercato up` does it when needed)."""
    with open_system(home, migrated=False) as system:
        run_jobs(home, migrations(system, SERVICES), only_when_needed=False, on_ready=console.step)
