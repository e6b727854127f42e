"""Fixtures for services on Django, to be imported in the conftest.py of a suite.

Tests connect with the rights that the running service has: the owner creates and migrates the database.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from rest_framework.test import APIClient

from chassis.django import asking
from chassis.ids import uuid7
from chassis.testing.forge import Forge, keys_dir_of

ClientFor = Callable[..., APIClient]
_LOGIN = ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Create the test database as its owner, then connect as the role that the service runs as."""
    app, owner = (
        {name: of[name] for name in _LOGIN} for of in (connection.settings_dict, settings.DATABASE_OWNER)
    )
    real_name = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        _connect_as(owner)
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        _connect_as(app)
    yield
    with django_db_blocker.unblock():
        _connect_as(owner)
        connection.creation.destroy_test_db(real_name, verbosity=0)


@pytest.fixture
def as_user(forge: Forge) -> ClientFor:
    """A client with the token of a customer: `as_user(scope="…", sub="…")`, any claim can be set."""

    def client(scope: str = "", sub: str | None = None, **claims: Any) -> APIClient:
        sub = sub or str(uuid7())
        return _client(forge.mint(settings.AUDIENCE, scope=scope, sub=sub, **claims), sub)

    return client


@pytest.fixture
def as_staff(as_user: ClientFor) -> ClientFor:
    """A client with the token of a member of staff."""

    def client(scope: str = "", sub: str | None = None, **claims: Any) -> APIClient:
        return as_user(scope, sub, **{"roles": ["staff"]} | claims)

    return client


@pytest.fixture
def anonymous() -> APIClient:
    """A client without a token."""
    return APIClient()


@pytest.fixture
def as_service(forge: Forge) -> ClientFor:
    """A client with the token that a service has signed: `as_service("catalog_variant", scope="…")`."""

    def client(name: str, scope: str, **claims: Any) -> APIClient:
        subject = f"svc:{name}"
        made = forge.service_claims(settings.AUDIENCE, subject, scope, **claims)
        return _client(forge.sign(made, key=forge.service_key(name)), subject)

    return client


@pytest.fixture
def own_key(settings: Any, keys_dir: Path) -> Iterator[None]:
    """Gives the service its own folder of keys, not the gateway's."""
    settings.KEYS_PRIVATE = keys_dir_of(keys_dir, settings.AUDIENCE)
    asking.get_service_keys.cache_clear()
    yield
    asking.get_service_keys.cache_clear()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database without a transaction around the test; what the test commits stays."""
    with django_db_blocker.unblock():
        yield
        connection.close()


@pytest.fixture
def connect(django_db_setup: None) -> Iterator[Callable[[], Any]]:
    """New connections with the rights of the running service."""
    yield from _connections(connection.settings_dict)


@pytest.fixture
def app(connect: Callable[[], Any]) -> Any:
    """A psql session, so to speak, of the service's role; nothing of it is committed."""
    return connect().cursor()


@pytest.fixture
def owner(django_db_setup: None) -> Iterator[Any]:
    """The same of the role that owns the tables."""
    for connect in _connections(settings.DATABASE_OWNER):
        yield connect().cursor()


def _client(token: str, sub: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    client.sub = sub  # type: ignore[attr-defined]
    return client


def _connect_as(login: dict[str, Any]) -> None:
    connection.close()
    connection.settings_dict.update(login)


def _connections(login: dict[str, Any]) -> Iterator[Callable[[], Any]]:
    made: list[Any] = []

    def connect() -> Any:
        made.append(
            psycopg2.connect(
                dbname=connection.settings_dict["NAME"],
                user=login["USER"],
                password=login["PASSWORD"],
                host=login["HOST"],
                port=login["PORT"],
                options=login["OPTIONS"]["options"],
            )
        )
        return made[-1]

    yield connect
    for one in made:
        one.close()
