"""`mercato logins`: who the demo's people are, and how they log in."""

import dataclasses
import json
from collections.abc import Iterable

import click

from mercato import console
from mercato.assembly import default_port
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option, json_option
from mercato.personas import Login, find_login, read_logins
from mercato.state import read_state
from mercato.topology import public_origin, refuse_demo


@click.command()
@click.argument("persona", required=False)
@json_option
@home_option
def logins(persona: str | None, as_json: bool, home: Home) -> None:
    """Show the demo log-ins made on this machine, or one persona's e-mail and password.

    With --json also the secret for an authenticator app; mercato otp makes the codes of staff without one.
    """
    origin = read_state(home).origin
    refuse_demo(public_origin(default_port()))
    if origin:
        refuse_demo(origin)
    known = read_logins(home) if persona is None else [find_login(home, persona)]
    if not known:
        raise Failure("there are no log-ins yet; mercato up makes them")
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(login) for login in known], indent=2))
    elif persona is not None:
        click.echo(f"{known[0].email} {known[0].password}")
    else:
        print_logins(known)


def print_logins(known: Iterable[Login]) -> None:
    """A table of persona, e-mail and password, and how to come by the code that staff are asked for."""
    for login in known:
        console.out.print(f"  {login.persona:<18}{login.email:<32}{login.password}", markup=False)
    console.out.print("\n  Staff are asked for a code as well: mercato otp superuser", markup=False)
