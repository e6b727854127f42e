"""Takes mail from the outbox to the mail server, beside the requests."""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused
from typing import Final

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import Counter, Gauge

from gateway.background import TASKS, Task
from gateway.mail.models import OutgoingMail

CLAIM: Final = timedelta(minutes=2)
"""How long a mail belongs to whoever tries it: longer than a conversation with a mail server can last."""

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
_PAUSES_IN_A_LIFE: Final = 15
_DOUBLINGS: Final = 16  # Far past the longest pause; a power of more is only a large number.

_logger = logging.getLogger(__name__)


class Result(Enum):
    """What comes of a mail, or of a try."""

    SENT = "sent"
    FAILED = "failed"
    """It is tried again."""

    REFUSED = "refused"
    """The server will never take it."""

    EXPIRED = "expired"
    """Nobody took it in time."""


_mails = Counter("mercato_mails", "Mails, and tries that failed, by what came of them.", ["result"])
for _result in Result:
    _mails.labels(_result.value)  # There from the start, so that the first one is seen as an increase.
_waiting = Gauge("mercato_mails_waiting", "Mails in the outbox.", multiprocess_mode="mostrecent")
_oldest = Gauge(
    "mercato_mails_oldest_seconds", "How long the oldest mail has waited.", multiprocess_mode="mostrecent"
)


def deliver_due(*, clock: Callable[[], datetime] = timezone.now) -> None:
    """Try each mail that is due, one after the other. Others may do the same at the same time.

    A mail is sent once, or twice when a process dies between the server's yes and the deletion of the row.
    """
    _look(clock())
    while mail := _claim(clock()):
        result = _deliver(mail, clock)
        _mails.labels(result.value).inc()
        _look(clock())


@transaction.atomic
def _claim(now: datetime) -> OutgoingMail | None:
    # Claimed by a time and not by a lock that is held: a mail server may take longer than a transaction may.
    mail = (
        OutgoingMail.objects.select_for_update(skip_locked=True)
        .filter(due_at__lte=now)
        .order_by("due_at", "id")
        .first()
    )
    if mail is not None:
        mail.tries += 1
        mail.due_at = now + CLAIM
        mail.save(update_fields=["tries", "due_at"])
    return mail


def _deliver(mail: OutgoingMail, clock: Callable[[], datetime]) -> Result:
    if mail.expires_at <= clock():
        return _give_up(mail, Result.EXPIRED, "")
    try:
        EmailMessage(mail.subject, mail.text, to=[mail.to]).send()
    except (OSError, SMTPException, ValueError) as exc:
        error = type(exc).__name__  # What it says may hold the address.
        return _give_up(mail, Result.REFUSED, error) if _is_final(exc) else _try_again(mail, clock(), error)
    mail.delete()
    return Result.SENT


def _is_final(exc: Exception) -> bool:
    # RFC 5321 section 4.2.1: 5yz is for ever. Where it is about us, it is a setting that can be mended.
    if isinstance(exc, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in exc.recipients.values())
    if isinstance(exc, SMTPDataError):
        return exc.smtp_code >= 500
    return isinstance(exc, ValueError)  # It makes no message at all.


def _give_up(mail: OutgoingMail, result: Result, error: str) -> Result:
    mail.delete()
    said = {"mail": mail.name, "result": result.value, "tries": mail.tries, "error": error}
    _logger.error("Gave up a mail.", extra=said)
    return result


def _try_again(mail: OutgoingMail, now: datetime, error: str) -> Result:
    mail.due_at = now + _pause(mail)
    mail.save(update_fields=["due_at"])
    _logger.warning(
        "A mail could not be sent.", extra={"mail": mail.name, "tries": mail.tries, "error": error}
    )
    return Result.FAILED


def _pause(mail: OutgoingMail) -> timedelta:
    # Never much of what is left to a mail: a code that comes after ten minutes is hardly one.
    longest = min(LONGEST_PAUSE, (mail.expires_at - mail.created_at) / _PAUSES_IN_A_LIFE)
    pause: timedelta = min(FIRST_PAUSE * 2 ** min(mail.tries - 1, _DOUBLINGS), longest)
    # Spread, so that all that failed together do not come back together.
    spread = random.uniform(0.5, 1.0)  # noqa: S311 (no secret)
    return pause * spread


def _look(now: datetime) -> None:
    found = OutgoingMail.objects.aggregate(count=Count("id"), oldest=Min("created_at"))
    _waiting.set(found["count"])
    _oldest.set(max(0.0, (now - found["oldest"]).total_seconds()) if found["oldest"] else 0.0)


DELIVERY: Final = TASKS.add(Task("mail", deliver_due, every=1.0))
