"""What the supervisor tells the other commands about the running system."""

import dataclasses
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil

from mercato.health import Trust
from mercato.home import Home, UnreadableFile, read_json, write_private_json
from mercato.processes import has_ended, wait_until

STARTING = "starting"
READY = "ready"
STOPPING = "stopping"
STOPPED = "stopped"


@dataclass(frozen=True)
class Running:
    """One process. `created` (seconds, from the kernel) tells it from a later one with the same number.

    `certificate` (a file) and `host` say by what it is known where its `ready_url` is https.
    """

    name: str
    pid: int
    created: float
    port: int | None = None
    ready_url: str = ""
    certificate: str = ""
    host: str = ""

    @property
    def trust(self) -> Trust | None:
        """By what it is known where its `ready_url` is https."""
        return Trust(self.certificate, self.host) if self.certificate else None

    def process(self) -> psutil.Process | None:
        """The process itself while it lives; None afterwards, even when its number is in use again."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1
            return process if same and not has_ended(process) else None
        except psutil.Error:
            return None


@dataclass(frozen=True)
class State:
    """The last known state of the system in a data directory."""

    phase: str = STOPPED
    origin: str = ""
    port: int = 0
    supervisor: Running | None = None
    processes: tuple[Running, ...] = ()


def describe(
    name: str, pid: int, port: int | None = None, ready_url: str = "", trust: Trust | None = None
) -> Running:
    """Describe a living process."""
    try:
        created = psutil.Process(pid).create_time()
    except psutil.Error:
        created = 0.0
    known_by = (trust.certificate, trust.name) if trust else ("", "")
    return Running(name, pid, created, port, ready_url, *known_by)


def this_process(name: str) -> Running:
    """Describe the process that calls."""
    return describe(name, os.getpid())


def read_state(home: Home) -> State:
    """What the last supervisor wrote; a stopped system when there was none.

    Raises: UnreadableFile.
    """
    content = read_json(home.state_file)
    try:
        supervisor = content.pop("supervisor", None)
        processes = tuple(Running(**entry) for entry in content.pop("processes", ()))
        return State(**content, supervisor=Running(**supervisor) if supervisor else None, processes=processes)
    except TypeError as exc:
        raise UnreadableFile(f"{home.state_file} has unknown entries; move it away") from exc


def write_state(home: Home, state: State) -> None:
    """Replace the state at once.

    Raises: Failure.
    """
    content: dict[str, Any] = dataclasses.asdict(state)
    write_private_json(home.state_file, content)


def end_leftovers(processes: Sequence[Running], patience: float = 10.0) -> list[str]:
    """End processes that outlived their supervisor, groups and all; returns their names.

    They get `patience` seconds to finish by themselves after SIGTERM.
    """
    alive = [(entry, process) for entry in processes if (process := entry.process())]
    for _, process in alive:
        with suppress(psutil.Error):
            process.terminate()
    wait_until(lambda: all(has_ended(process) for _, process in alive), patience)
    for entry, _ in alive:
        kill_group(entry.pid)
    return [entry.name for entry, _ in alive]


def kill_group(leader: int) -> None:
    """Kill what is left of a process group that we started as a session of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
