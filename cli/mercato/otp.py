"""`mercato otp`: the second factor of a demo log-in."""

import click

from mercato.assembly import default_port
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option
from mercato.personas import find_login
from mercato.state import read_state
from mercato.topology import public_origin, refuse_demo
from mercato.totp import Codes


@click.command()
@click.argument("persona")
@home_option
def otp(persona: str, home: Home) -> None:
    """Print a code of a persona's authenticator app, good once and within half a minute."""
    refuse_demo(public_origin(default_port()))
    if origin := read_state(home).origin:
        refuse_demo(origin)
    login = find_login(home, persona)
    if not login.totp_secret:
        raise Failure(f"{persona} has no second factor; the password is enough")
    click.echo(Codes(home.codes_file).next(login.email, login.totp_secret, to_type=True))
