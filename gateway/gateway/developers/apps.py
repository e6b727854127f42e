"""The app's configuration."""

from django.apps import AppConfig


class DevelopersConfig(AppConfig):
    """Documents for those who write programs against the shop."""

    name = "gateway.developers"
