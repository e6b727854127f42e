"""Databases out of PostgreSQL and into it again, with its own programs."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from psycopg2.extensions import connection as Connection  # noqa: N812 - the class has a lower-case name
from psycopg2.extensions import make_dsn, parse_dsn

from mercato.archive import DatabaseEntry
from mercato.failures import Failure
from mercato.postgres import connect, find_client
from mercato.processes import last_lines, spawn
from mercato.topology import DatabaseUrls

_HISTORIES = {
    "django_migrations": "SELECT app || '.' || name FROM django_migrations ORDER BY id",
    "alembic_version": "SELECT version_num FROM alembic_version",
}


class DumpFailed(Failure):
    """pg_dump or pg_restore ended badly; the text is what it said."""


@dataclass(frozen=True)
class Snapshot:
    """A database as it was at one moment, for as long as the block lasts that made it."""

    url: str
    name: str
    taken_at: datetime
    entry: DatabaseEntry


@contextmanager
def snapshots(databases: Mapping[str, DatabaseUrls]) -> Iterator[dict[str, Snapshot]]:
    """Fix every database, one right after the other in the order given.

    Raises: PostgresUnavailable.
    """
    with ExitStack() as stack:
        connections = {name: stack.enter_context(connect(urls.owner)) for name, urls in databases.items()}
        for connection in connections.values():
            # Time-outs of the role or the server must not end a snapshot that a long dump still reads.
            _ask(connection, "SET idle_in_transaction_session_timeout = 0")
            _ask(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # Connected before: between two snapshots is nothing but one question and its answer.
        taken = {
            name: (_ask(connection, "SELECT pg_export_snapshot()")[0], datetime.now(UTC))
            for name, connection in connections.items()
        }
        yield {
            name: Snapshot(databases[name].owner, *taken[name], _entry(connection, databases[name]))
            for name, connection in connections.items()
        }


def dump(snapshot: Snapshot, target: Path, check: Callable[[], None]) -> None:
    """Write a database as it was into a file of pg_dump's custom format.

    Raises: DumpFailed, PostgresUnavailable without a pg_dump for this server.
    """
    program = find_client("pg_dump", snapshot.entry.postgres)
    # Comments on extensions are their owner's, who is another on many a managed server.
    options = ["--format=custom", "--no-comments", f"--snapshot={snapshot.name}", f"--file={target}"]
    _run(program, options, snapshot.url, target.with_suffix(".log"), check)


def load(source: Path, url: str, major: int, check: Callable[[], None]) -> None:
    """Fill an empty database of a server of this major version, whole or not at all, as its owner.

    Raises: DumpFailed, PostgresUnavailable without a pg_restore for this server.
    """
    # Execution of functions is everybody's until somebody says otherwise, and a dump says so at its end
    # only: too late for the functions of extensions, which it makes first.
    with connect(url) as connection:
        _ask(connection, "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    program = find_client("pg_restore", major)
    options = ["--exit-on-error", "--single-transaction", "--no-owner", os.fspath(source)]
    _run(program, options, url, source.with_suffix(".log"), check)


def is_empty(url: str) -> bool:
    """Whether a database holds no table of anybody. Raises: PostgresUnavailable."""
    # What belongs to an extension is the server's, as many a managed one has them everywhere.
    question = """
        SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND c.oid NOT IN
               (SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e')
    """
    with connect(url) as connection:
        return _ask(connection, question) == ["0"]


def server_major(url: str) -> int:
    """The major version of the server of a database. Raises: PostgresUnavailable."""
    with connect(url) as connection:
        return connection.server_version // 10_000


def role_of(url: str) -> str:
    """The role that a libpq URL names."""
    return str(parse_dsn(url).get("user", ""))


def _entry(connection: Connection, urls: DatabaseUrls) -> DatabaseEntry:
    return DatabaseEntry(
        postgres=connection.server_version // 10_000,
        owner=role_of(urls.owner),
        app=role_of(urls.app),
        migrations=tuple(
            row
            for table, question in _HISTORIES.items()
            if _ask(connection, f"SELECT to_regclass('public.{table}') IS NOT NULL") == ["True"]
            for row in _ask(connection, question)
        ),
    )


def _ask(connection: Connection, statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [str(row[0]) for row in cursor.fetchall()] if cursor.description else []


def _run(program: Path, options: list[str], url: str, log: Path, check: Callable[[], None]) -> None:
    parts = parse_dsn(url)
    # Not among the arguments, which every user of the machine can read.
    env = dict(os.environ) | {"PGPASSWORD": parts.pop("password", ""), "LC_ALL": "C"}
    command = [os.fspath(program), f"--dbname={make_dsn(**parts)}", "--no-password", *options]
    process = spawn(command, log=log, env=env)
    try:
        while process.poll() is None:
            check()
            time.sleep(0.02)
    finally:
        process.terminate()
        process.wait()
    if process.returncode != 0:
        said = last_lines(log, 20) or [f"it ended with status {process.returncode}"]
        reason = next((line for line in said if "error:" in line or "detail:" in line), said[-1])
        database = parts.get("dbname", "")
        raise DumpFailed(f"{program.name} of the database {database} failed: {reason}", said)
    log.unlink()
