"""The app's configuration."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """Staff pages."""

    name = "gateway.staff"
