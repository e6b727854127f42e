"""Fixtures of the wallet's tests: a real PostgreSQL, the real service's rights, tokens of the test key."""

from collections.abc import Callable
from typing import Any

import pytest

from chassis.ids import uuid7
from chassis.testing.django import (
    anonymous,
    app,
    as_staff,
    as_user,
    committed,
    connect,
    django_db_setup,
    owner,
)
from wallet import operations

__all__ = ["anonymous", "app", "as_staff", "as_user", "committed", "connect", "django_db_setup", "owner"]

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
