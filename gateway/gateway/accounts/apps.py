"""The app of accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "gateway.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
