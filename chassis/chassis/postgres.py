"""How a service reaches PostgreSQL, as itself and as the owner of its tables, whatever the framework."""

import os
from contextlib import closing
from typing import Any, Final

from psycopg2 import ProgrammingError, connect, sql
from psycopg2.extensions import parse_dsn

from chassis.env import ConfigurationError, env_secret

_TIMEOUTS: Final = (
    "-c lock_timeout=2000 -c statement_timeout=5000 -c idle_in_transaction_session_timeout=10000"
)
_BY_DEFAULT: Final = (
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    # Every function may be executed by everyone unless somebody says otherwise.
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
)
_HISTORY: Final = "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {history} FROM {role}"
# Extensions that a superuser has made are his own, and the default above took their functions from everyone.
_EXTENSIONS: Final = """
    SELECT p.oid::regprocedure::text FROM pg_proc p
      JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
     WHERE p.proowner = current_user::regrole
"""
_TOO_MANY_RIGHTS: Final = """
    SELECT rolsuper OR has_schema_privilege(rolname, 'public', 'CREATE') OR EXISTS
           (SELECT FROM pg_tables WHERE schemaname = 'public' AND tableowner = rolname)
      FROM pg_roles WHERE rolname = current_user
"""


def database(prefix: str) -> dict[str, Any]:
    """What psycopg2.connect() takes, from the libpq URL in <PREFIX>_DATABASE_URL, with time-outs.

    Raises: ConfigurationError.
    """
    return _database(f"{prefix}_DATABASE_URL", _TIMEOUTS)


def database_owner(prefix: str) -> dict[str, Any]:
    """The same for <PREFIX>_OWNER_DATABASE_URL, which migrations use; the first URL when it is absent.

    Statements of a migration may take their time.
    Raises: ConfigurationError, also when the two URLs name different databases.
    """
    name = f"{prefix}_OWNER_DATABASE_URL"
    is_given = any(os.environ.get(variable, "").strip() for variable in (name, f"{name}_FILE"))
    owner = _database(name if is_given else f"{prefix}_DATABASE_URL", "-c lock_timeout=10000")
    if owner["dbname"] != database(prefix)["dbname"]:
        raise ConfigurationError(f"{name} must name the same database as {prefix}_DATABASE_URL.")
    return owner


def app_role(app: dict[str, Any], owner: dict[str, Any]) -> str:
    """The role that migrations grant to; empty when one role is both, and nothing can be withheld from it."""
    return "" if app["user"] == owner["user"] else str(app["user"])


def grant_by_default(owner: dict[str, Any], role: str) -> None:
    """Before migrations: the role may use what the owner makes, so they state only what they withhold."""
    _execute(owner, *(sql.SQL(text).format(role=sql.Identifier(role)) for text in _BY_DEFAULT))


def finish_rights(owner: dict[str, Any], role: str, history: str) -> None:
    """After migrations: the role may use extensions, and look at the history but not change it."""
    name = sql.Identifier(role)
    grants = [sql.SQL(f"GRANT EXECUTE ON FUNCTION {one} TO {{}}").format(name) for one in _extensions(owner)]
    _execute(owner, sql.SQL(_HISTORY).format(history=sql.Identifier(history), role=name), *grants)


def has_too_many_rights(cursor: Any) -> bool:
    """Whether this connection's role owns tables, may make some in `public`, or is a superuser."""
    cursor.execute(_TOO_MANY_RIGHTS)
    return bool(cursor.fetchone()[0])


def _database(name: str, options: str) -> dict[str, Any]:
    # A secret, for it may carry a password; so it can also be given as a file.
    url = env_secret(name, min_length=1)
    try:
        dsn = parse_dsn(url)
    except ProgrammingError as exc:
        raise ConfigurationError(f"{name} is not a libpq connection URL.") from exc
    if "dbname" not in dsn or "user" not in dsn:
        raise ConfigurationError(f"{name} must name a user and a database.")
    return {"connect_timeout": 3, "tcp_user_timeout": 5000, "keepalives_idle": 30, "options": options} | dsn


def _extensions(owner: dict[str, Any]) -> list[str]:
    # As PostgreSQL itself writes them, quoted where they must be.
    with closing(connect(**owner)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_EXTENSIONS)
        return [str(name) for (name,) in cursor.fetchall()]


def _execute(login: dict[str, Any], *statements: sql.Composable) -> None:
    with closing(connect(**login)) as connection, connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
