"""Fixtures of the variant tests: a real PostgreSQL, the real service's rights, tokens of the test key."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from catalog_variant import operations
from catalog_variant.models import Money, Option, Status, Variant
from catalog_variant.operations import variants
from chassis.ids import uuid7
from chassis.problems import DomainError
from chassis.testing.django import (
    anonymous,
    app,
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
    "as_staff",
    "as_user",
    "committed",
    "connect",
    "django_db_setup",
    "own_key",
    "owner",
    "stand_in",
]

KEEPER = "01999999-0000-7000-8000-00000000cafe"


@pytest.fixture(autouse=True)
def _own_key(own_key: None) -> None:
    """Every test has the service's own key."""


@pytest.fixture(autouse=True)
def _forget_products() -> None:
    """No test remembers the products of another."""
    variants._known.clear()


@pytest.fixture
def editor(as_staff):
    """Staff who may change the catalogue, and see its drafts."""
    return as_staff("catalog:read catalog:write")


@pytest.fixture
def keeper(as_staff):
    """Staff who see stock and move it."""
    return as_staff("catalog:read stock:read stock:write", sub=KEEPER)


@pytest.fixture
def customer(as_user):
    """A customer with a good token and no right here."""
    return as_user("wallet:read")


@pytest.fixture
def product_service(settings: Any, stand_in: Callable[[], StandIn]) -> StandIn:
    """A product service that knows every product."""
    service = stand_in()
    service.body = b'{"exists": true, "status": "published"}'
    settings.PRODUCT_URL = service.url
    return service


@pytest.fixture
def no_product_service(settings: Any) -> None:
    """A port that nobody listens on."""
    settings.PRODUCT_URL = "http://127.0.0.1:1"


@pytest.fixture
def make_option() -> Callable[..., Option]:
    """Adds an option with values of these codes through the real operation."""

    def make(code: str, *values: str, **changes: Any) -> Option:
        rows = [{"code": value, "name": value.title()} for value in values]
        made = operations.create_option(code=code, name=code.title(), values=rows, **changes)
        # Read again, for what was written remembers its values.
        return Option.objects.get(pk=made.pk)

    return make


@pytest.fixture
def shirt(make_option) -> None:
    """What shirts differ in."""
    make_option("colour", "forest", "sand", display="swatch")
    make_option("size", "s", "m", "l")


@pytest.fixture
def make_variant(product_service) -> Callable[..., Variant]:
    """Adds a variant through the real operation, published and for 19.90 EUR unless said otherwise."""

    def make(product: Any = None, options: Any = None, price: int = 1990, **changes: Any) -> Variant:
        values = {"sku": f"SKU-{uuid7().hex}", "status": Status.PUBLISHED} | changes
        return operations.create_variant(
            product=product or uuid7(), options=options or {}, price=Money(price, "EUR"), **values
        ).variant

    return make


@pytest.fixture
def adjust() -> Callable[..., Any]:
    """Moves stock through the real operation."""

    def adjust(variant: Variant, delta: int, **changes: Any) -> Any:
        values = {"reason": "receive", "actor_sub": KEEPER, "idempotency_key": str(uuid7())} | changes
        return operations.adjust_stock(variant=variant.public_id, delta=delta, **values)

    return adjust


@pytest.fixture
def deleted_after(monkeypatch) -> Callable[..., None]:
    """Lets somebody else delete all rows of models as soon as an operation has committed."""

    def arrange(name: str, *models: type[Any]) -> None:
        operation = getattr(operations, name)

        def then_gone(**arguments: Any) -> Any:
            result = operation(**arguments)
            [model.objects.all().delete() for model in models]
            return result

        monkeypatch.setattr(operations, name, then_gone)

    return arrange


@pytest.fixture
def at_once() -> Callable[..., list[Any]]:
    """Calls a function once for each argument, all at the same moment, each on a connection of its own."""

    def at_once(function: Callable[[Any], Any], arguments: Any) -> list[Any]:
        barrier = Barrier(len(arguments))

        def run(argument: Any) -> Any:
            connection.ensure_connection()
            barrier.wait()
            try:
                return function(argument)
            except DomainError as exc:
                return exc
            finally:
                connection.close()

        with ThreadPoolExecutor(len(arguments)) as pool:
            return list(pool.map(run, arguments))

    return at_once


@pytest.fixture
def emptied(committed: None, owner: Any) -> Iterator[None]:
    """The database without a transaction around the test, with an empty catalogue afterwards."""
    yield
    owner.execute("ALTER TABLE stock_movement DISABLE TRIGGER stock_movement_is_append_only")
    owner.execute("DELETE FROM stock_movement")
    owner.execute("ALTER TABLE stock_movement ENABLE TRIGGER stock_movement_is_append_only")
    owner.execute("DELETE FROM variant")
    owner.execute("DELETE FROM option_value")
    owner.execute("DELETE FROM option")
    owner.execute("DELETE FROM django_admin_log")
    owner.execute("DELETE FROM auth_user")
    owner.connection.commit()
