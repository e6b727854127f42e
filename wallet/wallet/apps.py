"""Registers the wallet with Django."""

from django.apps import AppConfig


class WalletConfig(AppConfig):
    """The one app of this service, which is the project package itself."""

    name = "wallet"
    default_auto_field = "django.db.models.BigAutoField"
