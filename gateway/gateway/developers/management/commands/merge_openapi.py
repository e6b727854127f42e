"""Merges what the services commit, for the web has none of their folders when it runs."""

from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from gateway.developers.document import FILE
from gateway.developers.merging import SERVICES, CannotMerge, encode, merge


class Command(BaseCommand):
    """Writes gateway/developers/openapi.json."""

    requires_system_checks: tuple[str, ...] = ()
    help = "Merge the OpenAPI documents of the six services into the one that is served, to be committed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; fail when it would change.")
        parser.add_argument("--repository", type=Path, default=settings.BASE_DIR.parent.parent)

    def handle(self, *args: Any, **options: Any) -> None:
        root: Path = options["repository"]
        try:
            read = {name: yaml.safe_load((root / name / "openapi.yaml").read_text()) for name in SERVICES}
            merged = encode(merge(read))
        except (OSError, CannotMerge) as exc:
            raise CommandError(str(exc)) from exc
        if not options["check"]:
            FILE.write_text(merged)
        elif merged != FILE.read_text():
            raise CommandError("The merged document is not what the services say: run merge_openapi.")
        self.stdout.write(f"{len(read)} documents in {FILE}")
