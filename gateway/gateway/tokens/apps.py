"""The app of tokens."""

from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "gateway.tokens"
    label = "tokens"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gateway.tokens import housekeeping  # noqa: F401 (its task; needs the models)
