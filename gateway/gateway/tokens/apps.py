"""The app of tokens."""

from django.apps import AppConfig


class TokensConfig(AppConfig):
    name = "gateway.tokens"
    label = "tokens"
    default_auto_field = "django.db.models.BigAutoField"
