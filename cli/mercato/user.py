"""`mercato user`: people of your own."""

import sys

import click

from mercato import console
from mercato.assembly import open_system
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option
from mercato.personas import new_password
from mercato.topology import GATEWAY
from mercato.users import NewUser, create_users


@click.group()
def user() -> None:
    """Make users."""


@user.command()
@click.option("--email", required=True)
@click.option("--group", "groups", multiple=True, required=True, help="One of the groups; may be repeated.")
@click.option("--password-stdin", is_flag=True, help="Read the password instead of generating one.")
@home_option
def create(email: str, groups: tuple[str, ...], password_stdin: bool, home: Home) -> None:
    """Make a user, or give an existing one a new password and these groups. Prints the password once."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else new_password()
    if not password:
        raise Failure("standard input held no password")
    with open_system(home, [GATEWAY]) as system:
        made = create_users(system, [NewUser(email, password, groups)])[0]
    click.echo(f"sub       {made.sub}\nscopes    {' '.join(made.scopes)}")
    if not password_stdin:
        click.echo(f"password  {password}")
    if set(groups) - {"customer"}:
        console.note("no admin opens to them before they have added a second factor at /account/security/")
