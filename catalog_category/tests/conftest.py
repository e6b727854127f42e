"""Fixtures of the category tests: a real PostgreSQL, the real service's rights, tokens of the test key."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catalog_category import operations
from catalog_category.models import Category, Status
from chassis.ids import uuid7
from chassis.testing.django import (
    anonymous,
    app,
    as_service,
    as_staff,
    as_user,
    committed,
    connect,
    django_db_setup,
    own_key,
    owner,
)
from chassis.testing.wire import StandIn, stand_in

__all__ = [
    "anonymous",
    "app",
    "as_service",
    "as_staff",
    "as_user",
    "committed",
    "connect",
    "django_db_setup",
    "own_key",
    "owner",
    "stand_in",
]

CATEGORIES = "/api/v1/categories"


@pytest.fixture(autouse=True)
def _own_key(own_key: None) -> None:
    """Every test has the service's own key."""


@pytest.fixture
def editor(as_staff):
    """Staff who may change the tree, and see its drafts."""
    return as_staff("catalog:read catalog:write")


@pytest.fixture
def customer(as_user):
    """A customer with a good token and no right here."""
    return as_user("wallet:read")


@pytest.fixture
def make_category() -> Callable[..., Category]:
    """Adds a category through the real operation, published unless said otherwise."""

    def make(slug: str | None = None, parent: Category | None = None, **changes: Any) -> Category:
        slug = slug or f"c-{uuid7().hex}"
        values = {"name": slug.title(), "status": Status.PUBLISHED} | changes
        return operations.create_category(slug=slug, parent=parent.public_id if parent else None, **values)

    return make


@pytest.fixture
def chain(make_category) -> Callable[[int], list[Category]]:
    """Makes categories, each below the one before."""

    def chain(length: int) -> list[Category]:
        made: list[Category] = []
        for _ in range(length):
            made.append(make_category(parent=made[-1] if made else None))
        return made

    return chain


@pytest.fixture
def product_service(settings: Any, stand_in: Callable[[], StandIn]) -> StandIn:
    """A product service that says that nothing is used."""
    service = stand_in()
    service.body = b'{"products": 0}'
    settings.PRODUCT_URL = service.url
    return service


@pytest.fixture
def no_product_service(settings: Any) -> None:
    """A port that nobody listens on."""
    settings.PRODUCT_URL = "http://127.0.0.1:1"


@pytest.fixture
def emptied(committed: None, owner: Any) -> Iterator[None]:
    """The database without a transaction around the test, without categories afterwards."""
    yield
    owner.execute("DELETE FROM category")
    owner.connection.commit()
