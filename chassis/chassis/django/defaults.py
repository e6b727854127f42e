"""Settings that every Django service has in common; each settings.py imports them by name."""

import os
from typing import Any, Final

from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn

from chassis.env import LOOPBACK_NAMES, ConfigurationError, env_bind, env_int, env_secret, is_loopback

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

_TIMEOUTS: Final = (
    "-c lock_timeout=2000 -c statement_timeout=5000 -c idle_in_transaction_session_timeout=10000"
)


def databases(prefix: str) -> dict[str, dict[str, Any]]:
    """DATABASES from the libpq URL in <PREFIX>_DATABASE_URL, with time-outs and kept connections.

    Raises: ConfigurationError.
    """
    return {"default": _database(f"{prefix}_DATABASE_URL")}


def database_owner(prefix: str) -> dict[str, Any]:
    """The same for <PREFIX>_OWNER_DATABASE_URL, which migrations use; the first URL when it is absent.

    Statements of a migration may take their time.
    Raises: ConfigurationError, also when the two URLs name different databases.
    """
    name = f"{prefix}_OWNER_DATABASE_URL"
    is_given = any(os.environ.get(variable, "").strip() for variable in (name, f"{name}_FILE"))
    app = _database(f"{prefix}_DATABASE_URL")
    owner = _database(name) if is_given else app
    if owner["NAME"] != app["NAME"]:
        raise ConfigurationError(f"{name} must name the same database as {prefix}_DATABASE_URL.")
    return owner | {"OPTIONS": owner["OPTIONS"] | {"options": "-c lock_timeout=10000"}}


def app_role(databases: dict[str, dict[str, Any]], owner: dict[str, Any]) -> str:
    """The role that migrations grant to; empty when one role is both, and nothing can be withheld from it."""
    role = str(databases["default"]["USER"])
    return "" if role == owner["USER"] else role


def server(prefix: str, port: int) -> dict[str, Any]:
    """How `manage.py serve` listens: <PREFIX>_BIND, <PREFIX>_WORKERS, <PREFIX>_THREADS (per worker).

    Raises: ConfigurationError.
    """
    return {
        "bind": env_bind(f"{prefix}_BIND", f"127.0.0.1:{port}"),
        "workers": env_int(f"{prefix}_WORKERS", 1, minimum=1, maximum=64),
        "threads": env_int(f"{prefix}_THREADS", 4, minimum=1, maximum=64),
    }


def allowed_hosts(origin: str) -> list[str]:
    """ALLOWED_HOSTS: the host of the origin, and every loopback name when it is one of them."""
    if is_loopback(origin):
        return sorted(name if ":" not in name else f"[{name}]" for name in LOOPBACK_NAMES)
    return [origin.split("://")[1].rsplit(":", 1)[0] if origin.count(":") > 1 else origin.split("://")[1]]


def _database(name: str) -> dict[str, Any]:
    # A secret, for it may carry a password; so it can also be given as a file.
    url = env_secret(name, min_length=1)
    try:
        dsn = parse_dsn(url)
    except ProgrammingError as exc:
        raise ConfigurationError(f"{name} is not a libpq connection URL.") from exc
    if "dbname" not in dsn or "user" not in dsn:
        raise ConfigurationError(f"{name} must name a user and a database.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": dsn.pop("dbname"),
        "USER": dsn.pop("user"),
        "PASSWORD": dsn.pop("password", ""),
        "HOST": dsn.pop("host", ""),
        "PORT": dsn.pop("port", ""),
        "OPTIONS": {"connect_timeout": 3, "options": _TIMEOUTS} | dsn,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
