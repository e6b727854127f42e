"""Users are made by the gateway's own command; nothing here knows its tables."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from mercato.failures import Failure
from mercato.topology import GATEWAY, System


class UsersRefused(Failure):
    """The gateway did not make the users; the text is what it said."""


@dataclass(frozen=True)
class NewUser:
    """What the gateway needs to make a user."""

    email: str
    password: str
    groups: tuple[str, ...]


@dataclass(frozen=True)
class KnownUser:
    """What the gateway says of a user."""

    email: str
    sub: str
    scopes: tuple[str, ...]


def create_users(system: System, users: Sequence[NewUser]) -> list[KnownUser]:
    """Make the users, all or none, in their order; one that exists gets the new password and groups.

    Raises: UsersRefused.
    """
    wanted = [{"email": u.email, "password": u.password, "groups": list(u.groups)} for u in users]
    answer = subprocess.run(
        system.manage(GATEWAY, "create_users", "--no-color"),
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        env=system.service_environment(GATEWAY),
        cwd=system.home.root / GATEWAY.name,
        start_new_session=True,  # Ctrl-C is ours to answer.
        check=False,
    )
    if answer.returncode != 0:
        said = answer.stderr.strip().splitlines() or ["it did not say why"]
        raise UsersRefused(f"the gateway did not make the users: {said[-1].removeprefix('CommandError: ')}")
    # The answer is the last line; the service may have logged to standard output before it.
    made = json.loads(answer.stdout.splitlines()[-1])
    return [KnownUser(user["email"], user["sub"], tuple(user["scopes"])) for user in made]
