"""Settings that every Django service has in common; each settings.py imports them by name."""

from typing import Any, Final

from chassis import postgres
from chassis.web import allowed_hosts, server

__all__ = [
    "ADMIN_TEMPLATES",
    "APPS",
    "MIDDLEWARE",
    "REST_FRAMEWORK",
    "SILENCED_SYSTEM_CHECKS",
    "SPECTACULAR_SETTINGS",
    "allowed_hosts",
    "app_role",
    "database_owner",
    "databases",
    "server",
]

APPS: Final = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "chassis.django",
]
"""INSTALLED_APPS of a service with an admin, but for its own."""

MIDDLEWARE: Final = [
    "chassis.django.middleware.RequestContext",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "chassis.django.admin.JWTAdminMiddleware",
]

REST_FRAMEWORK: Final[dict[str, Any]] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["chassis.django.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["chassis.django.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["chassis.django.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "chassis.django.exceptions.problem_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "NUM_PROXIES": 0,
}

SPECTACULAR_SETTINGS: Final[dict[str, Any]] = {
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "chassis.django.openapi.add_not_modified",
    ],
}

ADMIN_TEMPLATES: Final[list[dict[str, Any]]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
"""What Django admin needs; services have no templates of their own."""

SILENCED_SYSTEM_CHECKS: Final = [
    "admin.E408",  # No AuthenticationMiddleware: each admin request brings its own token.
    "admin.E410",  # No SessionMiddleware: services keep no sessions.
    "security.W001",  # No SecurityMiddleware: RequestContext sets the headers.
    "security.W002",  # No X-Frame-Options: the policy's frame-ancestors says the same.
    "security.W004",  # Strict-Transport-Security is set where TLS ends, at the edge.
    "security.W008",  # Redirection to https likewise.
]


def databases(prefix: str) -> dict[str, dict[str, Any]]:
    """DATABASES from the libpq URL in <PREFIX>_DATABASE_URL, with time-outs and kept connections.

    Raises: ConfigurationError.
    """
    return {"default": _database(postgres.database(prefix))}


def database_owner(prefix: str) -> dict[str, Any]:
    """The same for <PREFIX>_OWNER_DATABASE_URL, which migrations use; the first URL when it is absent.

    Raises: ConfigurationError, also when the two URLs name different databases.
    """
    return _database(postgres.database_owner(prefix))


def app_role(databases: dict[str, dict[str, Any]], owner: dict[str, Any]) -> str:
    """The role that migrations grant to; empty when one role is both, and nothing can be withheld from it."""
    role = str(databases["default"]["USER"])
    return "" if role == owner["USER"] else role


def _database(login: dict[str, Any]) -> dict[str, Any]:
    options = dict(login)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": options.pop("dbname"),
        "USER": options.pop("user"),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": options.pop("port", ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
