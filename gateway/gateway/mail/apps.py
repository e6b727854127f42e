"""The app's configuration."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """Mail."""

    name = "gateway.mail"
