"""manage.py serve: this service on granian, after everything it needs was found."""

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from chassis.django.authentication import get_verifier
from chassis.serve import serve

_logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Runs the system checks and loads the keys first, so that a wrong set-up ends here in one line."""

    help = "Run the service until SIGTERM."
    requires_system_checks = "__all__"

    def handle(self, *args: Any, **options: Any) -> None:
        get_verifier()
        server: dict[str, Any] = settings.SERVER
        _logger.info("Serving.", extra=server)
        target = settings.WSGI_APPLICATION.replace(".application", ":application")
        serve(target, name=settings.AUDIENCE, **server)
