"""Make a new cluster: passwords from the first moment, and letters that know their case."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mercato.postgres.binaries import Launch, PostgresUnavailable, major_version
from mercato.postgres.databases import SUPERUSER


def initialize(data_dir: Path, password: str, *, bin_dir: Path, launch: Launch) -> None:
    """Make a cluster whose superuser has this password; every connection must prove one.

    It is built beside its place and renamed: a killed initdb leaves nothing that looks like a cluster.

    Raises: PostgresUnavailable.
    """
    try:
        building = Path(tempfile.mkdtemp(prefix=f"{data_dir.name}.", dir=data_dir.parent))
        try:
            _run_initdb(building, password, bin_dir, launch)
            building.rename(data_dir)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as exc:
        raise PostgresUnavailable(f"cannot make {data_dir}: {exc.strerror}") from exc


def _run_initdb(folder: Path, password: str, bin_dir: Path, launch: Launch) -> None:
    launch.own(folder)
    with tempfile.NamedTemporaryFile("w", prefix="mercato-") as password_file:
        password_file.write(password)
        password_file.flush()
        launch.own(Path(password_file.name))
        command = [*launch.prefix, os.fspath(bin_dir / "initdb"), "-D", os.fspath(folder), "-U", SUPERUSER]
        command += [f"--pwfile={password_file.name}", "--auth-local=scram-sha-256"]
        command += ["--auth-host=scram-sha-256", "-E", "UTF8", "--no-instructions"]
        answer = _run([*command, *_locale_options(major_version(bin_dir))], launch)
    if answer.returncode != 0:
        raise PostgresUnavailable(f"initdb failed: {' '.join(answer.stderr.split())[-300:]}")


def _run(command: list[str], launch: Launch) -> "subprocess.CompletedProcess[str]":
    identity = launch.identity
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd="/",
            user=identity.uid if identity else None,
            group=identity.gid if identity else None,
            extra_groups=[] if identity else None,
            start_new_session=True,  # Ctrl-C is ours to answer.
            check=False,
        )
    except OSError as exc:
        who = " as the user nobody, for it refuses root; run mercato as another user" if identity else ""
        raise PostgresUnavailable(f"cannot run {command[0]}{who}: {exc.strerror}") from exc


def _locale_options(major: int) -> list[str]:
    # With plain C, lower('À') stays 'À' and a search for accented names silently finds nothing.
    libc = "C" if sys.platform == "darwin" else "C.UTF-8"
    if major >= 18:
        return ["--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST", f"--locale={libc}"]
    if major == 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={libc}"]
    return ["--locale=C.UTF-8"]
