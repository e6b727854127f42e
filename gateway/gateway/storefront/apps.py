"""The app's configuration."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """Storefront pages."""

    name = "gateway.storefront"
