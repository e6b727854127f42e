"""manage.py keys …: the keys folder from the command line."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gateway.tokens import keyring


class Command(BaseCommand):
    help = "Create, list, check, rotate or revoke the keys of this installation."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        made = {name: actions.add_parser(name) for name in ("init", "list", "check", *_STEPS, "revoke")}
        for action in made.values():
            action.add_argument(
                "--keys-dir",
                type=Path,
                default=settings.KEYS_PUBLIC.parent,
                help="default: the parent of KEYS_PUBLIC",
            )
        for name in _STEPS:
            made[name].add_argument("--holder", choices=list(keyring.KINDS), help="default: all")
            made[name].add_argument("--kind", choices=keyring.EVERY_KIND, help="default: all")
        made["promote"].add_argument(
            "--now", action="store_true", help="do not wait until others know the new key"
        )
        made["revoke"].add_argument("kid")

    def handle(self, *args: Any, action: str, keys_dir: Path, **options: Any) -> None:
        try:
            lines = _do(action, keys_dir, options)
        except (keyring.UnusableKey, keyring.Refused, OSError) as exc:
            raise CommandError(str(exc)) from exc
        for line in lines:
            self.stdout.write(str(line))
        if action == "check" and lines:
            raise CommandError(f"{len(lines)} found.")


# Any: options come as Django read them.
def _do(action: str, keys_dir: Path, options: dict[str, Any]) -> list[keyring.KeyInfo] | list[str]:
    if action == "revoke":
        return keyring.revoke(keys_dir, options["kid"])
    if action == "check":
        return keyring.check(keys_dir)
    if action not in _STEPS:
        return {"init": keyring.init, "list": keyring.list_keys}[action](keys_dir)
    choice = keyring.Choice(options["holder"], options["kind"])
    if action == "promote":
        return keyring.promote(keys_dir, choice, at_once=options["now"])
    return _STEPS[action](keys_dir, choice)


_STEPS = {"next": keyring.add_next, "promote": keyring.promote, "retire": keyring.retire}
