"""`mercato token`: an access token to try the API with."""

import click

from mercato.api import Api
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option
from mercato.personas import find_login
from mercato.state import read_state
from mercato.topology import refuse_demo
from mercato.totp import Codes


@click.command()
@click.option("--as", "persona", required=True, metavar="PERSONA", help="Who logs in; see mercato logins.")
@home_option
def token(persona: str, home: Home) -> None:
    """Log in through the API and print the access token, and nothing else."""
    if not home.is_running():
        raise Failure("the system is not running; mercato up starts it")
    running = read_state(home)
    refuse_demo(running.origin)
    login = find_login(home, persona)
    api = Api(f"http://127.0.0.1:{running.port}", running.origin, Codes(home.codes_file))
    click.echo(api.login(login).access)
