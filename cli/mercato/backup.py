"""`mercato backup`: the whole shop in one file, while it runs."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from chassis.files import sync_directory
from mercato.archive import Manifest, Writer, writing
from mercato.assembly import open_system
from mercato.dumps import Snapshot, dump, snapshots
from mercato.failures import Failure
from mercato.home import Home
from mercato.interrupts import Interrupted, Interrupts
from mercato.options import home_option
from mercato.seeding import is_seeded
from mercato.state import read_state
from mercato.topology import SERVICES, System


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@home_option
def backup(file: Path, home: Home) -> None:
    """Write databases, pictures, keys, secrets and log-ins into FILE, which must not exist yet.

    The shop may run meanwhile. The file opens everything: keep it like the secrets in it.
    """
    if os.path.lexists(file):
        raise Failure(f"{file} is there already; choose another name")
    if not home.secrets_file.exists():
        raise Failure(f"there is no shop in {home.data_dir}")
    with heeding_interrupts("nothing was written") as check:
        manifest = _back_up(file.absolute(), home, check)
    size = file.stat().st_size / 1024 / 1024
    click.echo(
        f"{file}: {size:.1f} MB, {len(manifest.members)} files, the databases as of {manifest.last_at}"
    )


@contextmanager
def heeding_interrupts(outcome: str) -> Iterator[Callable[[], None]]:
    """Gives a function to call now and then, so that Ctrl-C ends the block between two steps.

    Raises: Failure that ends with the outcome.
    """
    interrupts = Interrupts()
    try:
        with interrupts.installed():
            yield interrupts.check
    except Interrupted as exc:
        raise Failure(f"interrupted; {outcome}") from exc


def _back_up(file: Path, home: Home, check: Callable[[], None]) -> Manifest:
    try:
        # Beside its place, to get there by a rename; and with room for one dump at a time.
        work = Path(tempfile.mkdtemp(prefix=f".{file.name}.", dir=file.parent))
        try:
            with writing(work / "archive", check) as writer, open_system(home, migrated=False) as system:
                manifest = _fill(writer, system, work, check)
            (work / "archive").replace(file)
            sync_directory(file.parent)
        finally:
            shutil.rmtree(work)
    except OSError as exc:
        about = f" ({exc.filename})" if exc.filename else ""
        raise Failure(f"cannot write {file}: {exc.strerror or exc}{about}") from exc
    return manifest


def _fill(writer: Writer, system: System, work: Path, check: Callable[[], None]) -> Manifest:
    # The gateway, which asks the others, is the first of the services: what it knows of, they have had.
    databases = {service.name: system.databases[service.name] for service in SERVICES}
    with snapshots(databases) as taken:
        for name, snapshot in taken.items():
            target = work / f"{name}.dump"
            dump(snapshot, target, check)
            writer.add(f"databases/{name}.dump", target)
            target.unlink()
    # A picture is written before its row and never again: whatever the rows name is there by now.
    for name, path in _files(system.home):
        writer.add(name, path)
    manifest = _manifest(system, taken)
    writer.finish(manifest)
    return manifest


def _files(home: Home) -> Iterator[tuple[str, Path]]:
    for service in SERVICES:
        if service.has_media:
            yield from _below(home.media_dir(service.name), f"media/{service.name}")
    for part in ("public", "private"):
        yield from _below(home.keys_dir / part, f"keys/{part}")
    for path in (home.secrets_file, home.logins_file):
        if path.exists():
            yield path.name, path


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    # What begins with a dot is being written this moment, or was when a machine stopped.
    for path in sorted(found for found in folder.rglob("[!.]*") if found.is_file()):
        yield f"{name}/{path.relative_to(folder).as_posix()}", path


def _manifest(system: System, taken: dict[str, Snapshot]) -> Manifest:
    moments = [snapshot.taken_at.isoformat(timespec="milliseconds") for snapshot in taken.values()]
    return Manifest(
        version=version("mercato-cli"),
        made_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        origin=read_state(system.home).origin or system.origin,
        is_seeded=is_seeded(system),
        first_at=moments[0],
        last_at=moments[-1],
        databases={name: snapshot.entry for name, snapshot in taken.items()},
    )
