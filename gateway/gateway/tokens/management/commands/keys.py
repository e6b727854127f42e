"""manage.py keys init|list|check: the keys folder from the command line."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from gateway.tokens import keyring


class Command(BaseCommand):
    help = "Create, list or check the keys of this installation."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["init", "list", "check"])
        parser.add_argument(
            "--keys-dir",
            type=Path,
            default=settings.KEYS_PUBLIC.parent,
            help="default: the parent of KEYS_PUBLIC",
        )

    def handle(self, *args: Any, action: str, keys_dir: Path, **options: Any) -> None:
        try:
            lines = _ACTIONS[action](keys_dir)
        except keyring.UnusableKey as exc:
            raise CommandError(str(exc)) from exc
        for line in lines:
            self.stdout.write(line)
        if action == "check" and lines:
            raise CommandError(f"{len(lines)} found.")


def _init(keys_dir: Path) -> list[str]:
    return [_line(key) for key in keyring.init(keys_dir)]


def _list(keys_dir: Path) -> list[str]:
    return [_line(key) for key in keyring.list_keys(keys_dir)]


def _line(key: keyring.KeyInfo) -> str:
    return f"{key.holder:<18}{key.kind:<9}{key.state:<9}{key.created_at:%Y-%m-%d}  {key.kid}"


_ACTIONS = {"init": _init, "list": _list, "check": keyring.check}
