"""`mercato seed`: demo data through the public API."""

from collections.abc import Callable

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mercato import console
from mercato.assembly import open_system
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option
from mercato.seeding import Seeded
from mercato.seeding import seed as seed_system
from mercato.topology import System


@click.command()
@home_option
def seed(home: Home) -> None:
    """Make the demo's people, fund their wallets and fill the shop; what is there stays as it is."""
    if not home.is_running():
        raise Failure("the system is not running; mercato up starts and seeds it")
    with open_system(home) as system:
        seeded = seed_with_progress(system)
    click.echo(
        f"{seeded.users} users made, {seeded.adjustments} adjustments booked, "
        f"{seeded.things} things put into the shop"
    )


def seed_with_progress(system: System, check: Callable[[], None] = lambda: None) -> Seeded:
    """Seed with a progress bar where there is a terminal; `check` is called in between and may raise.

    Raises: Failure.
    """
    columns = (TextColumn("  seeding"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console.err, transient=True, disable=not console.err.is_terminal) as bar:
        task = bar.add_task("seeding", total=None)

        def progress(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)
            check()

        return seed_system(system, progress=progress)
