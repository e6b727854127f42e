"""Writes the mails whose words stand in templates/mail/."""

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from gateway.mail.delivery import DELIVERY
from gateway.mail.models import OutgoingMail

CODE_LIFETIME: Final = timedelta(minutes=15)
LIFETIME: Final = timedelta(hours=24)


def send(*, name: str, to: str, **context: Any) -> None:
    """Put mail/<name>_subject.txt and mail/<name>_message.txt to somebody into the outbox.

    It is in the caller's transaction, and goes out, once, when that is committed: nobody is told of what was
    undone. No mail server is asked here, so this takes as long whoever it is for and however the server is.
    One that cannot be delivered in time is given up: after 15 minutes with a code, after a day without.
    """
    said = context | {"origin": settings.ORIGIN}
    now = timezone.now()
    OutgoingMail.objects.create(
        name=name,
        to=to,
        subject=render_to_string(f"mail/{name}_subject.txt", said).strip(),
        text=render_to_string(f"mail/{name}_message.txt", said),
        due_at=now,
        expires_at=now + (CODE_LIFETIME if context.get("code") else LIFETIME),
    )
    transaction.on_commit(DELIVERY.ask)
