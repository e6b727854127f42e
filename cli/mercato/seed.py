"""`mercato seed`: demo data through the public API."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from chassis.env import env_origin
from mercato import console
from mercato.api import Api
from mercato.assembly import open_system
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option
from mercato.personas import read_logins
from mercato.seeding import Seeded, seed_shop
from mercato.seeding import seed as seed_system
from mercato.topology import System, wants_demo
from mercato.totp import Codes


@click.command()
@click.option(
    "--edge",
    "edge_url",
    metavar="URL",
    help="Fill a shop that runs elsewhere, behind this edge, as the people in the log-ins of --data.",
)
@home_option
def seed(edge_url: str | None, home: Home) -> None:
    """Make the demo's people, fund their wallets and fill the shop; what is there stays as it is."""
    if edge_url:
        _seed_elsewhere(edge_url, home)
        return
    if not home.is_running():
        raise Failure("the system is not running; mercato up starts and seeds it")
    with open_system(home) as system:
        _tell(seed_with_progress(system))


def seed_with_progress(system: System, check: Callable[[], None] = lambda: None) -> Seeded:
    """Seed with a progress bar where there is a terminal; `check` is called in between and may raise.

    Raises: Failure.
    """
    with _shown(check) as progress:
        return seed_system(system, progress=progress)


def _seed_elsewhere(edge_url: str, home: Home) -> None:
    origin = env_origin()
    if not wants_demo(origin):
        click.echo("no demo: SEED is off, or the origin is not this machine's own")
        return
    logins = read_logins(home)
    if not logins:
        raise Failure(f"there are no log-ins in {home.logins_file}; mercato provision makes them")
    with _shown() as progress:
        _tell(seed_shop(Api(edge_url, origin, Codes(home.codes_file)), logins, progress=progress))


def _tell(seeded: Seeded) -> None:
    click.echo(
        f"{seeded.users} users made, {seeded.adjustments} adjustments booked, "
        f"{seeded.things} things put into the shop"
    )


@contextmanager
def _shown(check: Callable[[], None] = lambda: None) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("  seeding"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console.err, transient=True, disable=not console.err.is_terminal) as bar:
        task = bar.add_task("seeding", total=None)

        def progress(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of)
            check()

        yield progress
