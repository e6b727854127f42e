"""Commands of the services that run before they start, all at once, and only when something changed."""

import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mercato.failures import Failure
from mercato.home import Home, read_json, write_private_json
from mercato.processes import last_lines, spawn


class JobFailed(Failure):
    """A command of a service ended badly."""


@dataclass(frozen=True)
class Job:
    """One command, due when its stamp changed or what it made is gone; always, when the stamp is empty.

    `done` is what is said when it is.
    """

    key: str
    done: str
    stamp: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    is_lost: bool = False


def run_jobs(
    home: Home,
    jobs: Iterable[Job],
    *,
    only_when_needed: bool,
    on_ready: Callable[[str, float], None] = lambda _name, _seconds: None,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Run the jobs, with `only_when_needed` those that are due, and remember their stamps.

    `check` is called in between and may raise.

    Raises: JobFailed.
    """
    kept = read_json(home.stamps_file)
    due = [job for job in jobs if not only_when_needed or _is_due(job, kept)]
    began = time.monotonic()
    _run_all(home, due, lambda job: on_ready(job.done, time.monotonic() - began), check)
    if due:
        write_private_json(home.stamps_file, kept | {job.key: job.stamp for job in due})


def _is_due(job: Job, kept: Mapping[str, str]) -> bool:
    return job.is_lost or not job.stamp or kept.get(job.key) != job.stamp


def _run_all(home: Home, jobs: list[Job], on_done: Callable[[Job], None], check: Callable[[], None]) -> None:
    running = {job.key: (job, _start(home, job)) for job in jobs}
    try:
        while running:
            check()
            for key, (job, process) in list(running.items()):
                if process.poll() is None:
                    continue
                del running[key]
                if process.returncode != 0:
                    said = last_lines(_log(home, job), 20)
                    reason = f": {said[-1]}" if said else ""
                    raise JobFailed(f"{job.key} failed{reason}", said[:-1])
                on_done(job)
            time.sleep(0.02)
    finally:
        for _, process in running.values():
            process.terminate()
            process.wait()


def _start(home: Home, job: Job) -> "subprocess.Popen[bytes]":
    log = _log(home, job)
    log.unlink(missing_ok=True)
    return spawn(job.command, log=log, env=job.env, cwd=job.cwd)


def _log(home: Home, job: Job) -> Path:
    return home.log(job.key.replace(":", "-"))
