"""Registers the product service with Django."""

from django.apps import AppConfig


class CatalogProductConfig(AppConfig):
    """The one app of this service, which is the project package itself."""

    name = "catalog_product"
    verbose_name = "Products"
    default_auto_field = "django.db.models.BigAutoField"
