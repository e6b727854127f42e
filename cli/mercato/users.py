"""Users are made by the gateway's own command; nothing here knows its tables."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from mercato.failures import Failure
from mercato.topology import GATEWAY, System


class UsersRefused(Failure):
    """The gateway did not do it; the text is what it said."""


@dataclass(frozen=True)
class NewUser:
    """What the gateway needs to make a user."""

    email: str
    password: str
    groups: tuple[str, ...]
    totp_secret: str | None = None


@dataclass(frozen=True)
class KnownUser:
    """What the gateway says of a user."""

    email: str
    sub: str
    scopes: tuple[str, ...]


def create_users(system: System, users: Sequence[NewUser]) -> list[KnownUser]:
    """Make the users, all or none, in their order; one that exists gets the new password and groups,
    and the new secret of an authenticator app if there is one.

    Raises: UsersRefused.
    """
    wanted = json.dumps([asdict(user) for user in users])
    answer = _ask(system, "create_users", wanted, "the gateway did not make the users")
    # The answer is the last line; the service may have logged to standard output before it.
    made = json.loads(answer.splitlines()[-1])
    return [KnownUser(user["email"], user["sub"], tuple(user["scopes"])) for user in made]


def end_sessions(system: System) -> None:
    """Log everybody out, from browsers and API clients. Access tokens that are out live on until they expire.

    Raises: UsersRefused.
    """
    _ask(system, "end_sessions", "", "the gateway did not end the sessions")


def _ask(system: System, command: str, text: str, failure: str) -> str:
    answer = subprocess.run(
        system.manage(GATEWAY, command, "--no-color"),
        input=text,
        capture_output=True,
        text=True,
        env=system.service_environment(GATEWAY),
        cwd=system.home.root / GATEWAY.name,
        start_new_session=True,  # Ctrl-C is ours to answer.
        check=False,
    )
    if answer.returncode != 0:
        said = answer.stderr.strip().splitlines() or ["it did not say why"]
        raise UsersRefused(f"{failure}: {said[-1].removeprefix('CommandError: ')}")
    return answer.stdout
