"""Fixtures for services on Flask, to be imported in the conftest.py of a suite, which gives `flask_app`.

Tests connect with the rights that the running service has: the owner creates and migrates the database.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg2 import sql
from sqlalchemy import event

from chassis.ids import uuid7
from chassis.testing.forge import Forge

ClientFor = Callable[..., "BearerClient"]


class BearerClient(FlaskClient):
    """A client that shows a token with every request; sub is whose."""

    token = ""
    sub = ""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        headers = dict(kwargs.pop("headers", None) or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return super().open(*args, headers=headers, **kwargs)


@pytest.fixture(scope="session")
def migrated_app(flask_app: Flask) -> Iterator[Flask]:
    """The application with a database of its own, created and migrated by the owner, dropped at the end."""
    owner, app = flask_app.config["DATABASE_OWNER"], flask_app.config["DATABASE"]
    real_name = owner["dbname"]
    name = f"test_{real_name}"
    admin = {**owner, "dbname": real_name}
    _recreate(admin, name)
    owner["dbname"] = app["dbname"] = name
    with flask_app.app_context():
        # The engine was made for the real database, with a copy of what it was told.
        engine = flask_app.extensions["sqlalchemy"].engine
    event.listen(engine, "do_connect", lambda _d, _r, _args, login: login.update(dbname=name))
    result = flask_app.test_cli_runner().invoke(args=["migrate"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    yield flask_app
    engine.dispose()
    _drop(admin, name)


@pytest.fixture
def app_context(migrated_app: Flask) -> Iterator[None]:
    """An application context, in which operations and queries can be called; emptied tables afterwards."""
    with migrated_app.app_context():
        yield
        migrated_app.extensions["sqlalchemy"].session.remove()


@pytest.fixture
def as_user(forge: Forge, migrated_app: Flask) -> ClientFor:
    """A client with the token of a customer: `as_user("scope", sub="…")`, any claim can be set."""

    def client(scope: str = "", sub: str | None = None, **claims: Any) -> BearerClient:
        sub = sub or str(uuid7())
        made = _client(migrated_app)
        made.token = forge.mint(migrated_app.config["AUDIENCE"], scope=scope, sub=sub, **claims)
        made.sub = sub
        return made

    return client


@pytest.fixture
def as_staff(as_user: ClientFor) -> ClientFor:
    """A client with the token of a member of staff."""

    def client(scope: str = "", sub: str | None = None, **claims: Any) -> BearerClient:
        return as_user(scope, sub, **{"roles": ["staff"]} | claims)

    return client


@pytest.fixture
def anonymous(migrated_app: Flask) -> BearerClient:
    """A client without a token."""
    return _client(migrated_app)


@pytest.fixture
def connect(migrated_app: Flask) -> Iterator[Callable[[], Any]]:
    """New connections with the rights of the running service; nothing of them is committed."""
    yield from _connections(migrated_app.config["DATABASE"])


@pytest.fixture
def app(connect: Callable[[], Any]) -> Any:
    """A psql session, so to speak, of the service's role."""
    return connect().cursor()


@pytest.fixture
def owner(migrated_app: Flask) -> Iterator[Any]:
    """The same of the role that owns the tables."""
    for make in _connections(migrated_app.config["DATABASE_OWNER"]):
        yield make().cursor()


@pytest.fixture
def count_queries(migrated_app: Flask) -> Callable[[], Any]:
    """`with count_queries() as queries:` collects the statements that the application sends within."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            sent.append(statement)

        with migrated_app.app_context():
            engine = migrated_app.extensions["sqlalchemy"].engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting


def _client(app: Flask) -> BearerClient:
    client = BearerClient(app, app.response_class, use_cookies=True)
    client.environ_base["HTTP_HOST"] = "localhost"
    return client


def _recreate(admin: dict[str, Any], name: str) -> None:
    _drop(admin, name)
    _run(admin, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _drop(admin: dict[str, Any], name: str) -> None:
    _run(admin, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _run(login: dict[str, Any], statement: sql.Composable) -> None:
    with closing(psycopg2.connect(**login)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _connections(login: dict[str, Any]) -> Iterator[Callable[[], Any]]:
    made: list[Any] = []

    def connect() -> Any:
        made.append(psycopg2.connect(**login))
        return made[-1]

    yield connect
    for one in made:
        one.close()
