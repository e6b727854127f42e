"""The app's configuration."""

from django.apps import AppConfig


class MailConfig(AppConfig):
    """Mail."""

    name = "gateway.mail"

    def ready(self) -> None:
        from gateway.mail import delivery  # noqa: F401 (the task that delivers; needs the model)
