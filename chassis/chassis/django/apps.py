"""Registers the chassis with Django: its commands and its system checks."""

import logging

from django.apps import AppConfig


class ChassisConfig(AppConfig):
    """The app `chassis.django`, which has no models."""

    name = "chassis.django"
    label = "chassis"

    def ready(self) -> None:
        from chassis.django import checks  # noqa: F401 - importing it registers the checks.

        # It would tell every refusal a second time; the access log has them.
        logging.getLogger("django.request").setLevel(logging.ERROR)
