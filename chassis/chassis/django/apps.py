"""Registers the chassis with Django: its commands and its system checks."""

from django.apps import AppConfig


class ChassisConfig(AppConfig):
    """The app `chassis.django`, which has no models."""

    name = "chassis.django"
    label = "chassis"

    def ready(self) -> None:
        from chassis.django import checks  # noqa: F401 - importing it registers the checks.
