"""What an examination says: one line each, and what to do about it."""

from dataclasses import dataclass
from functools import cached_property

from mercato.home import Home
from mercato.state import State, read_state

OK = "ok"
WARN = "warn"
FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `remedy` says what to do when it is not well."""

    status: str
    subject: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Patient:
    """The installation that is looked at, running or not."""

    home: Home

    @cached_property
    def is_running(self) -> bool:
        """Whether its supervisor lives."""
        return self.home.is_running()

    @cached_property
    def state(self) -> State:
        """What its last supervisor wrote. Raises: UnreadableFile."""
        return read_state(self.home)


def ok(subject: str, text: str) -> Finding:
    """All is well."""
    return Finding(OK, subject, text)


def warn(subject: str, text: str, remedy: str) -> Finding:
    """It works, but should be seen to."""
    return Finding(WARN, subject, text, remedy)


def fail(subject: str, text: str, remedy: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(FAIL, subject, text, remedy)
