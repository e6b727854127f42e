"""The WSGI application of the variant service."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "catalog_variant.settings")

application = get_wsgi_application()

# Needs the settings. Without its own key the service could not ask for products, so it does not start.
from chassis.django.asking import get_service_key  # noqa: E402

get_service_key()
