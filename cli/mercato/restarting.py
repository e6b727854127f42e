"""How `mercato restart` and the supervisor talk: through a file that only their user can write."""

import fcntl
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mercato.failures import Failure
from mercato.home import Home, UnreadableFile, read_json, write_private_json
from mercato.stack import Stack
from mercato.topology import EDGE, GATEWAY, SERVICES, Program, settings, settings_of_processes

# Whoever is asked comes before those who ask, so that new code finds what it needs.
ORDER = (*(service.process for service in SERVICES if service is not GATEWAY), GATEWAY.process, EDGE)


class RestartUnderWay(Failure):
    """Two at once would replace each other's processes."""


@dataclass(frozen=True)
class Replaced:
    """A process that was replaced: how many seconds that took, and requests waited at most."""

    name: str
    seconds: float
    waited: float


@dataclass(frozen=True)
class Progress:
    """How far a restart has come; failure is empty when none happened."""

    replaced: tuple[Replaced, ...] = ()
    is_over: bool = False
    failure: str = ""
    details: tuple[str, ...] = ()


@contextmanager
def only_one(home: Home) -> Iterator[None]:
    """Be the only one who restarts processes of this data directory.

    Raises: RestartUnderWay, also while the supervisor goes on for somebody who has gone.
    """
    descriptor = os.open(home.data_dir / "restart.lock", os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w"):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise RestartUnderWay("a restart is under way already") from exc
        last = read_json(home.restart_file)
        if "number" in last or last.get("is_over") is False:
            # The next wish would be lost under the answer to this one, and wait for ever.
            raise RestartUnderWay("a restart is under way already, though nobody waits for it any more")
        yield


def ask_for(home: Home, processes: Sequence[str]) -> Callable[[], Progress]:
    """Ask the supervisor to replace these processes, with the settings of this environment; returns what
    tells how far it has come.
    """
    number = uuid.uuid4().hex
    given = settings(*settings_of_processes())
    wish = {"number": number, "processes": list(processes), "settings": given}
    write_private_json(home.restart_file, wish)

    def progress() -> Progress:
        answer = read_json(home.restart_file)
        if answer.get("answers") != number:
            return Progress()
        replaced = tuple(Replaced(**entry) for entry in answer["replaced"])
        return Progress(replaced, answer["is_over"], answer["failure"], tuple(answer["details"]))

    return progress


@dataclass
class Restarts:
    """The supervisor's side. A setting that is not given anew stays as it was."""

    home: Home
    stack: Stack
    programs: Callable[[], Sequence[Program]]
    _done: list[dict[str, Any]] = field(default_factory=list)  # Any: JSON.

    def __post_init__(self) -> None:
        self.home.restart_file.unlink(missing_ok=True)  # Nobody waits for the answer to an old wish.

    def look(self) -> None:
        """Fulfill the wish that has come since the last look. A restart that fails stops nothing.

        Raises: Interrupted.
        """
        try:
            wish = read_json(self.home.restart_file)
        except UnreadableFile:
            wish = {}
        if not wish.keys() >= {"number", "processes", "settings"}:
            return  # There is none, or it was answered.
        before = dict(os.environ)
        self._done.clear()
        failure: Failure | None = None
        try:
            self._fulfill(wish["number"], wish["processes"], wish["settings"])
        except Failure as exc:
            os.environ.clear()
            os.environ.update(before)
            failure = exc
        self._answer(wish["number"], is_over=True, failure=failure)

    def _fulfill(self, number: str, processes: Sequence[str], settings: Mapping[str, str]) -> None:
        os.environ.update({name: settings[name] for name in settings_of_processes() if name in settings})
        programs = {program.name: program for program in self.programs()}
        absent = [name for name in processes if name not in programs]
        if absent:
            raise Failure(f"not running: {', '.join(absent)}")
        for name in processes:
            self._answer(number)
            began = time.monotonic()
            waited = self.stack.replace(programs[name])
            self._done.append({"name": name, "seconds": time.monotonic() - began, "waited": waited})

    def _answer(self, number: str, *, is_over: bool = False, failure: Failure | None = None) -> None:
        answer = {
            "answers": number,
            "replaced": self._done,
            "is_over": is_over,
            "failure": str(failure or ""),
            "details": failure.details if failure else (),
        }
        write_private_json(self.home.restart_file, answer)
