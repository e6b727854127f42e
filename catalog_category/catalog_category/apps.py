"""Registers the category service with Django."""

from django.apps import AppConfig


class CatalogCategoryConfig(AppConfig):
    """The one app of this service, which is the project package itself."""

    name = "catalog_category"
    verbose_name = "Categories"
    default_auto_field = "django.db.models.BigAutoField"
