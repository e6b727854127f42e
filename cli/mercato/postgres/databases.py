"""Databases and roles: each service its own, closed to the others."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - the class has a lower-case name
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from mercato.postgres.binaries import PostgresUnavailable

# The socket's folder is private, so the port is only a part of the socket's file name.
PORT = 5432
SUPERUSER = "postgres"


class Server(Protocol):
    """Whatever names its superuser's URL; in practice a Cluster."""

    def superuser_url(self, database: str = ...) -> str:
        """The libpq URL of a database for the superuser."""
        ...


def provide(
    server: Server, service: str, *, owner_password: str, app_password: str, for_tests: bool = False
) -> None:
    """Make, or bring up to date, the database `<service>`, its `<service>_owner` and its `<service>_app`.

    The owner owns the database and its schema; the app role may connect and gets its rights from the
    owner's migrations; no other service's role may connect. `for_tests` lets the owner make databases.

    Raises: PostgresUnavailable.
    """
    with connect(server.superuser_url()) as connection, connection.cursor() as cursor:
        _put_role(cursor, f"{service}_owner", owner_password, "CREATEDB" if for_tests else "NOCREATEDB")
        _put_role(cursor, f"{service}_app", app_password, "NOCREATEDB")
        _put_database(cursor, service)
        if not for_tests:  # Django's test runner makes its databases from `postgres`.
            cursor.execute("REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC")
    with connect(server.superuser_url(service)) as connection, connection.cursor() as cursor:
        owner = sql.Identifier(f"{service}_owner")
        cursor.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))
        cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """A connection in autocommit mode, closed at the end.

    Raises: PostgresUnavailable when the server does not take it; the text never holds the password.
    """
    try:
        opened = psycopg2.connect(url, connect_timeout=5)
    except psycopg2.Error as exc:
        raise PostgresUnavailable(f"no connection to the database: {' '.join(str(exc).split())}") from None
    with closing(opened) as connection:
        connection.autocommit = True
        yield connection


def identity(url: str) -> str:
    """What tells one database from any other, across restarts and moves: its server's and its own number.

    Empty when the server does not say (some managed ones forbid it). Raises: PostgresUnavailable.
    """
    question = """SELECT s.system_identifier || '/' || d.oid FROM pg_control_system() s, pg_database d
                  WHERE d.datname = current_database()"""
    with connect(url) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(question)
        except psycopg2.Error:
            return ""
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def database_url(*, user: str, password: str, database: str, socket_dir: Path) -> str:
    """A libpq URL over the Unix socket in `socket_dir`."""
    user, password, database = (quote(part, safe="") for part in (user, password, database))
    host = quote(os.fspath(socket_dir), safe="")
    return f"postgresql://{user}:{password}@/{database}?host={host}&port={PORT}"


def _put_role(cursor: Cursor, name: str, password: str, option: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
    verb = "ALTER" if cursor.fetchone() else "CREATE"
    statement = sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEROLE {} PASSWORD {}")
    parts = (sql.SQL(verb), sql.Identifier(name), sql.SQL(option), sql.Literal(password))
    cursor.execute(statement.format(*parts))


def _put_database(cursor: Cursor, service: str) -> None:
    name, owner, app = (sql.Identifier(service + suffix) for suffix in ("", "_owner", "_app"))
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [service])
    if cursor.fetchone() is None:
        cursor.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
    cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, app))
