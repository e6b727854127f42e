"""manage.py forget_expired: what the web does by itself every hour, now."""

from typing import Any

from django.core.management.base import BaseCommand

from gateway.tokens.housekeeping import forget_expired


class Command(BaseCommand):
    help = "Remove sessions, codes, counters and revocations that are past their end; print how many."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for name, removed in forget_expired().items():
            self.stdout.write(f"{removed} {name}")
