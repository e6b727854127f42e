"""Where mail goes: to files in development, to a mail server elsewhere."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from gateway.mail.box import Box


class Files(BaseEmailBackend):
    """Keeps the latest messages in settings.MAIL_DIRECTORY, for /dev/mail/ to show."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        box = Box(settings.MAIL_DIRECTORY)
        for message in email_messages:
            box.put(message.message().as_bytes())
        return len(email_messages)


class Server(EmailBackend):
    """Hands mail to settings.MAIL_SERVER."""

    def __init__(self, fail_silently: bool = False, **more: Any) -> None:
        server = settings.MAIL_SERVER
        assert server is not None  # noqa: S101  Settings name this backend where there is one.
        super().__init__(
            host=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_ssl=server.is_tls_from_start,
            use_tls=not server.is_tls_from_start and not server.is_plain,
            timeout=settings.EMAIL_TIMEOUT,
            fail_silently=fail_silently,
        )
