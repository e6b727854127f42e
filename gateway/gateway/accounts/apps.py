"""The app of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "gateway.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gateway.accounts import receivers  # noqa: F401 (connects them; needs the models)
