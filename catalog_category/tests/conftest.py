"""Fixtures of the category tests: a real PostgreSQL, the real service's rights, tokens of the test key."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import connection

from catalog_category import operations
from catalog_category.models import Category, Status
from chassis.ids import uuid7
from chassis.keys import public_jwk
from chassis.testing.django import anonymous, app, as_staff, as_user, connect, django_db_setup, owner
from chassis.testing.forge import keys_dir_of, new_key

__all__ = ["anonymous", "app", "as_staff", "as_user", "connect", "django_db_setup", "owner"]

CATEGORIES = "/api/v1/categories"


@pytest.fixture(scope="session")
def service_keys(keys_dir: Path) -> Path:
    """The private folder of this service, whose public key is in jwks.json."""
    key, folder = new_key(), keys_dir_of(keys_dir, "catalog_category")
    folder.mkdir(parents=True, exist_ok=True)
    pem = key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"service-{key.kid}.pem").write_bytes(pem)
    jwks = keys_dir / "public" / "jwks.json"
    member = public_jwk(key.private_key, holder="catalog_category", scope="catalog:exists")
    jwks.write_text(json.dumps({"keys": [*json.loads(jwks.read_text())["keys"], member]}))
    return folder


@pytest.fixture(autouse=True)
def own_keys(settings: Any, service_keys: Path) -> None:
    """Gives the service its own folder of keys, not the gateway's."""
    settings.KEYS_PRIVATE = service_keys
    operations.get_service_key.cache_clear()


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


class ProductService:
    """Stands in for the product service on the wire: answers what it is told, keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, b'{"products": 0}'
        self.asked: list[tuple[str, str | None]] = []


@pytest.fixture
def product_service(settings: Any) -> Iterator[ProductService]:
    """A product service on a port of its own."""
    service = ProductService()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append((self.path, self.headers["Authorization"]))
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(service.body)))
            self.end_headers()
            self.wfile.write(service.body)

        def log_message(self, *args: Any) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    settings.PRODUCT_URL = f"http://127.0.0.1:{server.server_port}"
    operations._product_service.cache_clear()
    yield service
    server.shutdown()
    thread.join()
    server.server_close()
    operations._product_service.cache_clear()


@pytest.fixture
def no_product_service(settings: Any) -> Iterator[None]:
    """A port that nobody listens on."""
    settings.PRODUCT_URL = "http://127.0.0.1:1"
    operations._product_service.cache_clear()
    yield
    operations._product_service.cache_clear()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The database without a transaction around the test, emptied afterwards."""
    with django_db_blocker.unblock():
        yield
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM category")
        connection.close()
