"""Step-up: what only somebody may do who has lately shown who they are (RFC 9470)."""

import time
from collections.abc import Collection, Iterable
from typing import Any, ClassVar, Final

from chassis.problems import CHALLENGE, DomainError
from chassis.tokens import Principal

MAX_AGE_SECONDS: Final = 900

STEP_UP_CHALLENGE: Final = (
    f'{CHALLENGE}, error="insufficient_user_authentication", max_age="{MAX_AGE_SECONDS}"'
)
"""WWW-Authenticate where the token is good and its log-in too long ago (RFC 9470 section 3)."""


class StepUpRequired(DomainError):
    """The token is good, but its user logged in too long ago for this."""

    code = "step-up-required"
    status = 401
    headers: ClassVar = {"WWW-Authenticate": STEP_UP_CHALLENGE}


class MisstatedStepUp(ValueError):
    """A view says something of a step-up that nobody could keep."""


def require_fresh(principal: Principal, *, now: float | None = None) -> None:
    """Ask that the user of a token has logged in within the last 15 minutes; now is in Unix seconds.

    A service never has: what it may do alone asks for no step-up.
    Raises: StepUpRequired.
    """
    if not is_fresh(principal.auth_time, now=time.time() if now is None else now):
        raise StepUpRequired


def is_fresh(auth_time: float, *, now: float) -> bool:
    """Whether a log-in is recent enough; both in Unix seconds."""
    return now - auth_time <= MAX_AGE_SECONDS


def asks_step_up(view: Any, method: str) -> bool:
    """Whether a view (class or instance) states `step_up` for a method: True, or the methods it is for.

    A HEAD does what a GET does, so it asks for the same.
    """
    stated: bool | Collection[str] = getattr(view, "step_up", False)
    return stated if isinstance(stated, bool) else ("GET" if method == "HEAD" else method) in stated


def check_statement(view: Any, methods: Iterable[str]) -> None:
    """See to it that what a view states of a step-up holds: for methods that it has, and not for everyone.

    Raises: MisstatedStepUp.
    """
    stated = getattr(view, "step_up", False)
    if stated is False:
        return
    if getattr(view, "public", False):
        raise MisstatedStepUp("is public, so there is nobody who could step up")
    if stated is not True and (isinstance(stated, str) or not stated or not set(stated) <= set(methods)):
        raise MisstatedStepUp("asks for a step-up of methods that it does not have")
