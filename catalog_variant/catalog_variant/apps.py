"""Registers the variant service with Django."""

from django.apps import AppConfig


class CatalogVariantConfig(AppConfig):
    """The one app of this service, which is the project package itself."""

    name = "catalog_variant"
    verbose_name = "Variants"
    default_auto_field = "django.db.models.BigAutoField"
