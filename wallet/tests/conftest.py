"""Fixtures of the wallet's tests: a real PostgreSQL, the real service's rights, tokens of the test key."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from chassis.ids import uuid7
from chassis.testing.django import anonymous, as_staff, as_user, django_db_setup
from wallet import operations

__all__ = ["anonymous", "as_staff", "as_user", "django_db_setup"]

FINANCE = "01999999-0000-7000-8000-00000000f1ce"


@pytest.fixture
def sub() -> str:
    """A subject that nobody used before."""
    return str(uuid7())


@pytest.fixture
def adjust() -> Callable[..., operations.Posting]:
    """Credits or debits a wallet through the real operation."""

    def adjust(sub: str, amount_minor: int, currency: str = "EUR", **changes: Any) -> operations.Posting:
        values = {"reason": "test", "actor_sub": FINANCE, "idempotency_key": str(uuid7())} | changes
        return operations.adjust_balance(sub=sub, amount_minor=amount_minor, currency=currency, **values)

    return adjust


@pytest.fixture
def ann(as_user, sub):
    """A customer who may read her wallet."""
    return as_user("wallet:read", sub=sub)


@pytest.fixture
def bob(as_user):
    """Another customer."""
    return as_user("wallet:read")


@pytest.fixture
def finance(as_staff):
    """Staff who may adjust balances."""
    return as_staff("wallet:admin", sub=FINANCE)


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database without a transaction around the test; the ledger keeps what the test commits."""
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
