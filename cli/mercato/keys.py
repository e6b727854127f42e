"""`mercato keys`: the key material in keys/."""

from collections.abc import Iterable

import click

from gateway.tokens import keyring
from mercato.assembly import ensure_keys
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option


@click.group()
def keys() -> None:
    """Make and check the keys that tokens are signed with."""


@keys.command("init")
@home_option
def init_keys(home: Home) -> None:
    """Make the keys that are missing; those that are there stay."""
    ensure_keys(home)
    _print(keyring.list_keys(home.keys_dir))


@keys.command("list")
@home_option
def list_keys(home: Home) -> None:
    """Show every private key, by its holder."""
    _print(keyring.list_keys(home.keys_dir))


@keys.command("check")
@home_option
def check_keys(home: Home) -> None:
    """Look for anything wrong with the keys folder."""
    problems = keyring.check(home.keys_dir)
    if problems:
        raise Failure(f"{len(problems)} problems in {home.keys_dir}:", problems)
    click.echo("all well")


def _print(found: Iterable[keyring.KeyInfo]) -> None:
    for key in found:
        made = key.created_at.date().isoformat()
        click.echo(f"{key.holder:<18}{key.kind:<9}{key.state:<9}{made}  {key.kid}")
