"""`mercato restore`: the shop of a backup, in the place of nothing or of what was there."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from mercato import console
from mercato.archive import Archive, Manifest, reading
from mercato.assembly import assemble, credentials_of, default_port
from mercato.backup import heeding_interrupts
from mercato.databases import Databases, external_urls, open_databases
from mercato.dumps import is_empty, load, role_of, server_major
from mercato.failures import Failure
from mercato.home import Home
from mercato.jobs import run_jobs
from mercato.migrations import migrations
from mercato.options import home_option
from mercato.postgres import find_bin_dir, major_version
from mercato.seeding import note_seeded
from mercato.topology import GATEWAY, SERVICES, Service
from mercato.users import end_sessions as end_all_sessions

_LOCK = "stack.lock"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Move away what is in the data directory now.")
@click.option("--end-sessions", is_flag=True, help="Let nobody stay logged in who was at the time.")
@click.option("--verify", is_flag=True, help="Only read the file and compare its sums; restore nothing.")
@home_option
def restore(file: Path, replace: bool, end_sessions: bool, verify: bool, home: Home) -> None:
    """Bring back the shop that `mercato backup` wrote into FILE; `mercato up` then starts it.

    Either all of it is restored, or the data directory stays as it is.
    """
    with heeding_interrupts("nothing was restored") as check, reading(file) as archive:
        if verify:
            archive.verify(check)
        else:
            _Restore(home, archive, check).run(replace=replace, end_sessions=end_sessions)
        manifest = archive.manifest
    done = "is whole" if verify else f"is restored in {home.data_dir}"
    click.echo(f"the shop of {manifest.origin} as of {manifest.last_at} {done}")


@dataclass
class _Restore:
    """One restore: everything is made beside its place, and put there at the end."""

    home: Home
    archive: Archive
    check: Callable[[], None]

    @property
    def manifest(self) -> Manifest:
        return self.archive.manifest

    def run(self, *, replace: bool, end_sessions: bool) -> None:
        with _locked(self.home):
            if _is_taken(self.home) and not replace:
                raise Failure(f"{self.home.data_dir} holds a shop already; --replace moves it away")
            _refuse_later_migrations(self.home, self.manifest)
            self._refuse_databases()
            aside = self._restore(end_sessions=end_sessions)
        if _holds_anything(aside):
            console.note(f"what was there is in {aside}")
        else:
            shutil.rmtree(aside, ignore_errors=True)

    def _restore(self, *, end_sessions: bool) -> Path:
        with _staging(self.home) as staging:
            staging.prepare()
            self.archive.extract(staging.data_dir, self.check)
            self._fill_databases(staging, end_sessions=end_sessions)
            (staging.data_dir / "databases").rmdir()
            os.sync()
            return _put_in_place(staging, self.home)

    def _refuse_databases(self) -> None:
        for service in SERVICES:
            entry = self.manifest.databases.get(service.name)
            if entry is None:
                raise Failure(f"the backup has no database of {service.name}")
            urls = external_urls(service)
            major = server_major(urls.owner) if urls else major_version(find_bin_dir())
            if major < entry.postgres:
                raise Failure(
                    f"the backup's {service.name} is of PostgreSQL {entry.postgres}, this is {major}"
                )
            if urls and not is_empty(urls.owner):
                raise Failure(f"the database of {service.name} is not empty; make another, or empty it")
            role = role_of(urls.app) if urls else f"{service.name}_app"
            if entry.app not in (entry.owner, role):
                raise Failure(
                    f"the backup's {service.name} has rights for the role {entry.app}, not for {role}: "
                    f"{service.prefix}_DATABASE_URL must name that role"
                )

    def _fill_databases(self, staging: Home, *, end_sessions: bool) -> None:
        credentials = credentials_of(staging)
        with open_databases(staging, credentials, check=self.check) as databases:
            for service in SERVICES:
                self._fill(databases, service, staging)
            system = assemble(staging, credentials, databases, default_port())
            if end_sessions:
                # The command is of this version, and so has to be the database.
                run_jobs(staging, migrations(system, [GATEWAY]), only_when_needed=False, check=self.check)
                end_all_sessions(system)
            if self.manifest.is_seeded:
                note_seeded(system)

    def _fill(self, databases: Databases, service: Service, staging: Home) -> None:
        source = staging.data_dir / "databases" / f"{service.name}.dump"
        url = databases.urls[service.name].owner
        load(source, url, server_major(url), self.check)
        source.unlink()


def _is_taken(home: Home) -> bool:
    has_keys = any((home.keys_dir / part).exists() for part in ("private", "public"))
    return has_keys or _holds_anything(home.data_dir)


def _holds_anything(folder: Path) -> bool:
    return folder.exists() and any(path.name != _LOCK for path in folder.iterdir())


@contextmanager
def _locked(home: Home) -> Iterator[None]:
    # The lock is in the folder: without one, somebody could start a shop meanwhile where ours is to be.
    try:
        home.data_dir.mkdir(mode=0o711, parents=True)
        is_new = True
    except FileExistsError:
        is_new = False
    except OSError as exc:
        raise Failure(f"cannot restore to {home.data_dir}: {exc.strerror}") from exc
    with home.lock():
        try:
            yield
        except BaseException:
            if is_new:
                with suppress(OSError):
                    (home.data_dir / _LOCK).unlink()
                    home.data_dir.rmdir()
            raise


def _refuse_later_migrations(home: Home, manifest: Manifest) -> None:
    for service, entry in manifest.databases.items():
        for migration in entry.migrations:
            if not _is_known(home.root / service, migration):
                raise Failure(
                    f"the backup is of a later version: {service} does not know its migration {migration}"
                )


def _is_known(folder: Path, migration: str) -> bool:
    # Django's name their app, Alembic's are but a number; those of libraries come with them.
    app, _, name = migration.rpartition(".")
    if not app:
        return any(folder.glob(f"*/migrations/versions/{name}_*.py"))
    own = [found for found in folder.rglob("migrations") if found.parent.name == app]
    return not own or any((found / f"{name}.py").is_file() for found in own)


@contextmanager
def _staging(home: Home) -> Iterator[Home]:
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{home.data_dir.name}.", dir=home.data_dir.parent))
        # Should PostgreSQL run as another user, it must pass through. Every file in it is 0600.
        folder.chmod(0o711)
        try:
            yield Home(home.root, folder, folder / "keys")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as exc:
        about = f" ({exc.filename})" if exc.filename else ""
        raise Failure(f"cannot restore to {home.data_dir}: {exc.strerror or exc}{about}") from exc


def _put_in_place(staging: Home, home: Home) -> Path:
    aside = home.data_dir.with_name(f"{home.data_dir.name}.before-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    moves = [(home.data_dir, aside), (staging.data_dir, home.data_dir)]
    if home.keys_dir.parent != home.data_dir:
        for part in ("public", "private"):
            moves += [
                (home.keys_dir / part, aside / "keys" / part),
                (home.data_dir / "keys" / part, home.keys_dir / part),
            ]
    with ExitStack() as undo:
        for source, target in moves:
            if source.exists():
                target.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
                source.rename(target)
                undo.callback(_move_back, target, source)
        undo.pop_all()
    if home.keys_dir.parent != home.data_dir:
        with suppress(OSError):
            (home.data_dir / "keys").rmdir()
    return aside


def _move_back(target: Path, source: Path) -> None:
    target.rename(source)
