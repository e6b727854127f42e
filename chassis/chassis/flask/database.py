"""SQLAlchemy and Alembic with chassis.postgres: one engine of the service, migrations as the owner."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg2
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy.exc import DBAPIError

from chassis.env import ConfigurationError
from chassis.postgres import has_too_many_rights

HISTORY: Final = "alembic_version"


def engine_options(login: dict[str, Any], threads: int) -> dict[str, Any]:
    """SQLALCHEMY_ENGINE_OPTIONS: a kept and checked connection for each thread, with this login."""
    return {
        "connect_args": login,
        "pool_size": threads,
        "max_overflow": 1,
        "pool_pre_ping": True,
        # What somebody sent has no place in a log.
        "hide_parameters": True,
    }


def is_migrated() -> bool:
    """Whether the database of the current application has had all its migrations."""
    config = Config()
    config.set_main_option("script_location", str(_migrations()))
    heads = set(ScriptDirectory.from_config(config).get_heads())
    with current_app.extensions["sqlalchemy"].engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == heads


def require_database() -> bool:
    """Make sure that the database answers and is migrated; whether its role has more rights than it needs.

    Raises: ConfigurationError.
    """
    with database_needed():
        migrated = is_migrated()
        with current_app.extensions["sqlalchemy"].engine.connect() as connection:
            has_too_many = has_too_many_rights(connection.connection.cursor())
    if not migrated:
        raise ConfigurationError(f"the {_place()} lacks migrations; run manage.py migrate.")
    return has_too_many


@contextmanager
def database_needed() -> Iterator[None]:
    """Ends the process in one line when the database does not let us in.

    Raises: ConfigurationError.
    """
    try:
        yield
    except (DBAPIError, psycopg2.OperationalError) as exc:
        reason = str(getattr(exc, "orig", exc)).splitlines()[0]
        raise ConfigurationError(f"cannot use the {_place()}: {reason}") from exc


def _place() -> str:
    login = current_app.config["DATABASE"]
    return f"database {login['dbname']} as {login['user']}"


def _migrations() -> Path:
    return Path(current_app.extensions["migrate"].directory)
