"""The WSGI application of the banner service."""

from banner import create_app

application = create_app()
