"""manage.py serve of the chassis, for the one service that also needs its private keys."""

from typing import Any

from chassis.django.management.commands import serve
from gateway.tokens.verifying import require_keys


class Command(serve.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        require_keys()
        super().handle(*args, **options)
