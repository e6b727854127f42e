"""manage.py end_sessions: log everybody out, for after a restore or a leak."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models.functions import Now

from gateway.accounts.models import StoredSession
from gateway.tokens.models import RefreshFamily
from gateway.tokens.revocations import PUBLISHER, revoke_everybody


class Command(BaseCommand):
    help = (
        "End every session of browsers and of API clients, and have every token refused that was given out; "
        "print how many sessions there were."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(self._end())
        # A web that runs has noticed; one that does not has nobody else to do it.
        PUBLISHER.publish()

    @transaction.atomic
    def _end(self) -> str:
        clients = RefreshFamily.objects.filter(revoked_at=None).update(
            revoked_at=Now(), revoked_because=RefreshFamily.Reason.STAFF
        )
        browsers, _ = StoredSession.objects.all().delete()
        revoke_everybody()
        return f"{clients} sessions of API clients and {browsers} of browsers ended"
