"""The web as a WSGI application, which exists with all of its keys or not at all."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
application = get_wsgi_application()

from gateway.tokens.verifying import require_keys  # noqa: E402 (Django is set up by now)

require_keys()
