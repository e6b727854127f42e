"""`mercato keys`: the key material in keys/."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from gateway.tokens import keyring
from mercato.assembly import ensure_keys
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option

# Any: click turns functions of every shape into commands.
Command = TypeVar("Command", bound=Callable[..., Any])


def choice_option(command: Command) -> Command:
    """`--holder` and `--kind`, which narrow a command to some of the keys."""
    for name, values in (("kind", keyring.EVERY_KIND), ("holder", tuple(keyring.KINDS))):
        command = click.option(f"--{name}", type=click.Choice(values), help="Default: all.")(command)
    return command


@click.group()
def keys() -> None:
    """Make, check, rotate and revoke the keys that tokens are signed with."""


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
    with _in_one_line():
        _print(keyring.list_keys(home.keys_dir))


@keys.command("check")
@home_option
def check_keys(home: Home) -> None:
    """Look for anything wrong with the keys folder."""
    with _in_one_line():
        problems = keyring.check(home.keys_dir)
    if problems:
        raise Failure(f"{len(problems)} problems in {home.keys_dir}:", problems)
    click.echo("all well")


@keys.command("next")
@choice_option
@home_option
def next_keys(home: Home, holder: str | None, kind: str | None) -> None:
    """Make and publish the keys that will sign next; nothing is signed with them yet."""
    with _in_one_line():
        _print(keyring.add_next(home.keys_dir, keyring.Choice(holder, kind)))


@keys.command("promote")
@choice_option
@click.option("--now", "at_once", is_flag=True, help="Do not wait until others know the new key.")
@home_option
def promote_keys(home: Home, holder: str | None, kind: str | None, at_once: bool) -> None:
    """Sign with the next keys from now on; the old ones stay published while their tokens live."""
    with _in_one_line():
        _print(keyring.promote(home.keys_dir, keyring.Choice(holder, kind), at_once=at_once))


@keys.command("retire")
@choice_option
@home_option
def retire_keys(home: Home, holder: str | None, kind: str | None) -> None:
    """Unpublish and delete the old keys of which no token lives any more."""
    with _in_one_line():
        _print(keyring.retire(home.keys_dir, keyring.Choice(holder, kind)))


@keys.command("revoke")
@click.argument("kid")
@home_option
def revoke_key(home: Home, kid: str) -> None:
    """Unpublish and delete a key at once, with all that it signed; if it signs, another takes its place."""
    with _in_one_line():
        _print(keyring.revoke(home.keys_dir, kid))


@contextmanager
def _in_one_line() -> Iterator[None]:
    try:
        yield
    except (keyring.Refused, keyring.UnusableKey, OSError) as exc:
        raise Failure(str(exc)) from exc


def _print(found: list[keyring.KeyInfo]) -> None:
    for key in found:
        click.echo(key)
