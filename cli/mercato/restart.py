"""`mercato restart`: new code and new settings, without a failed request."""

import os
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from mercato import console, state
from mercato.assembly import open_system
from mercato.failures import Failure
from mercato.home import Home
from mercato.jobs import run_jobs
from mercato.options import home_option
from mercato.restarting import ORDER, ask_for, only_one
from mercato.static_files import static_files
from mercato.topology import GATEWAY, System, chosen_processes, needed_services

_MANIFEST = "staticfiles.json"


@click.command()
@click.argument("processes", nargs=-1)
@home_option
def restart(processes: tuple[str, ...], home: Home) -> None:
    """Replace running processes, all or those named, by new ones with the code and settings of now.

    No request fails: a new process starts beside the old one, and requests wait for the moment in which
    they change places. Where the new one cannot start, the old one goes on.
    """
    chosen = chosen_processes(processes)
    last = state.read_state(home)
    if not home.is_running() or last.phase != state.READY:
        raise Failure(f"nothing runs from {home.data_dir} that could be restarted")
    running = {process.name for process in last.processes}
    names = [name for name in ORDER if name in chosen and (processes or name in running)]
    with only_one(home):
        services = needed_services(set(names))
        with open_system(home, services) as system:
            if GATEWAY in services:
                _collect_static_files(system)
        _restart(home, names)


def _restart(home: Home, names: list[str]) -> None:
    progress = ask_for(home, names)
    shown = 0
    while True:
        is_running = home.is_running()
        now = progress()
        for replaced in now.replaced[shown:]:
            console.step(replaced.name, replaced.seconds)
        shown = len(now.replaced)
        if now.is_over:
            break
        if not is_running:
            raise Failure("the system stopped before it was restarted; `mercato logs` tells why")
        time.sleep(0.1)
    if now.failure:
        raise Failure(now.failure, now.details)
    longest = max(replaced.waited for replaced in now.replaced)
    console.note(f"no request waited longer than {longest:.2f} s")


def _collect_static_files(system: System) -> None:
    # The web that runs goes on reading the old files, so nothing is cleared, and each is replaced at once.
    with TemporaryDirectory(dir=system.home.data_dir, prefix="static-") as folder:
        jobs = [
            replace(job, env={**job.env, "GATEWAY_STATIC": folder}) for job in static_files(system, [GATEWAY])
        ]

        def move(name: str, seconds: float) -> None:
            _replace_files(Path(folder), system.home.static_dir)
            console.step(name, seconds)

        run_jobs(system.home, jobs, only_when_needed=True, on_ready=move)


def _replace_files(source: Path, target: Path) -> None:
    # The manifest comes last: whoever reads it finds every file that it names.
    files = [path.relative_to(source) for path in source.rglob("*") if path.is_file()]
    for file in sorted(files, key=lambda file: file.name == _MANIFEST):
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        os.replace(source / file, target / file)
