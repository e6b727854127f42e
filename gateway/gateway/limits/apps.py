"""The app's configuration."""

from django.apps import AppConfig


class LimitsConfig(AppConfig):
    """Limits."""

    name = "gateway.limits"
