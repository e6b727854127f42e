"""manage.py end_sessions: log everybody out, for after a restore or a leak."""

from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models.functions import Now

from gateway.tokens.models import RefreshFamily


class Command(BaseCommand):
    """Access tokens that are out already are good until they expire."""

    help = "End every session of browsers and of API clients; print how many there were."
    requires_system_checks: list[str] = []

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        clients = RefreshFamily.objects.filter(revoked_at=None).update(
            revoked_at=Now(), revoked_because=RefreshFamily.Reason.STAFF
        )
        browsers, _ = Session.objects.all().delete()
        self.stdout.write(f"{clients} sessions of API clients and {browsers} of browsers ended")
