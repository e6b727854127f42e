"""The web as a WSGI application, which exists with all of its keys or not at all."""

import os
from collections.abc import Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
_django = get_wsgi_application()

from gateway.background import TASKS  # noqa: E402 (Django is set up by now)
from gateway.tokens.verifying import require_keys  # noqa: E402

require_keys()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """What the server calls."""
    TASKS.ensure_running()
    return _django(environ, start_response)
