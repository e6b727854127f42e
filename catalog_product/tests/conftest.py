"""Fixtures of the product tests: a real PostgreSQL, the real service's rights, tokens of the test key."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from PIL import Image

from catalog_product import operations
from catalog_product.models import Brand, Media, Product, Status
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


@pytest.fixture(autouse=True)
def _own_key(own_key: None) -> None:
    """Every test has the service's own key."""


@pytest.fixture(autouse=True)
def media_folder(settings: Any, tmp_path: Any) -> Any:
    """Every test has a folder of its own for pictures, and remembers nothing of the one before."""
    default = settings.STORAGES["default"]
    options = default["OPTIONS"] | {"location": tmp_path}
    settings.STORAGES = settings.STORAGES | {"default": default | {"OPTIONS": options}}
    cache.clear()
    return tmp_path


@pytest.fixture
def category_service(settings: Any, stand_in: Callable[[], StandIn]) -> StandIn:
    """A category service that knows every category, with nothing below it, unless it is told otherwise."""
    service = stand_in()
    service.body = b'{"exists": true, "data": []}'
    settings.CATEGORY_URL = service.url
    return service


@pytest.fixture
def no_category_service(settings: Any) -> None:
    """A port that nobody listens on."""
    settings.CATEGORY_URL = "http://127.0.0.1:1"


@pytest.fixture
def editor(as_staff):
    """Staff who may change products, and see drafts."""
    return as_staff("catalog:read catalog:write")


@pytest.fixture
def customer(as_user):
    """A customer with a good token and no right here."""
    return as_user("wallet:read")


@pytest.fixture
def make_brand() -> Callable[..., Brand]:
    """Adds a brand through the real operation."""

    def make(name: str = "Alder", **changes: Any) -> Brand:
        return operations.create_brand(**{"name": name, "slug": f"b-{uuid7().hex}"} | changes)

    return make


@pytest.fixture
def make_product() -> Callable[..., Product]:
    """Adds a product through the real operation, published unless said otherwise."""

    def make(slug: str | None = None, **changes: Any) -> Product:
        slug = slug or f"p-{uuid7().hex}"
        values = {"title": slug.title(), "status": Status.PUBLISHED} | changes
        return operations.create_product(slug=slug, **values)

    return make


@pytest.fixture
def make_image() -> Callable[..., bytes]:
    """Draws a picture of one color."""

    def make(
        color: str = "#336699", size: tuple[int, int] = (40, 30), kind: str = "PNG", **extra: Any
    ) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", size, color).save(buffer, kind, **extra)
        return buffer.getvalue()

    return make


@pytest.fixture
def add_media(make_image) -> Callable[..., Media]:
    """Adds a picture to a product through the real operation."""

    def add(product: Product, color: str = "#336699", **changes: Any) -> Media:
        values = {"alt": f"In {color}", "options": {}, "data": make_image(color)} | changes
        return operations.add_media(product_id=product.public_id, **values)

    return add


@pytest.fixture
def upload(make_image) -> Callable[..., Any]:
    """Posts a picture to a product as a browser does; a field that is None stays away."""

    def post(client: Any, product: Product, data: bytes | None = None, **fields: Any) -> Any:
        file = SimpleUploadedFile("a.png", make_image() if data is None else data)
        form = {"file": file, "alt": "A shoe"} | fields
        url = f"/api/v1/products/{product.public_id}/media"
        return client.post(url, {k: v for k, v in form.items() if v is not None}, format="multipart")

    return post


@pytest.fixture
def emptied(committed: None, owner: Any) -> Iterator[None]:
    """The database without a transaction around the test, emptied afterwards by who may do so."""
    yield
    connection.close()
    owner.execute("TRUNCATE product, brand, picture CASCADE")
    owner.connection.commit()


@pytest.fixture
def expire() -> Callable[[str], None]:
    """Lets the time pass after which it is asked again what is below a category."""
    return lambda category: cache.delete(f"subtree-fresh:{category}")
