"""Sends the mails whose words stand in templates/mail/."""

import logging
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from prometheus_client import Counter

_logger = logging.getLogger(__name__)
_mails = Counter("mercato_mails", "Mails by whether they could be sent.", ["result"])
_sent, _failed = _mails.labels("sent"), _mails.labels("failed")


def send(*, name: str, to: str, **context: Any) -> None:
    """Send mail/<name>_subject.txt and mail/<name>_message.txt to somebody.

    A mail that cannot be sent is logged and undoes nothing: what it tells of stands, and a code can be asked
    for again.
    """
    said = context | {"origin": settings.ORIGIN}
    subject = render_to_string(f"mail/{name}_subject.txt", said).strip()
    text = render_to_string(f"mail/{name}_message.txt", said)
    try:
        EmailMessage(subject, text, to=[to]).send()
    except (OSError, SMTPException, ValueError) as exc:
        _failed.inc()
        _logger.error("A mail could not be sent.", extra={"mail": name, "error": type(exc).__name__})
    else:
        _sent.inc()
