"""Fixtures of the banner tests: a real PostgreSQL, the real service's rights, tokens of the test key."""

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image as Picture
from sqlalchemy import text

from banner.models import Banner
from chassis.testing.flask import (
    anonymous,
    app,
    app_context,
    as_staff,
    as_user,
    connect,
    count_queries,
    migrated_app,
    owner,
)

__all__ = [
    "anonymous",
    "app",
    "app_context",
    "as_staff",
    "as_user",
    "connect",
    "count_queries",
    "migrated_app",
    "owner",
]

BANNERS = "/api/v1/banners"
ALLOWED_HOST = "partner.example"


@pytest.fixture(scope="session")
def flask_app() -> Iterator[Flask]:
    """The service as it is started, with a folder of its own for images."""
    with tempfile.TemporaryDirectory(prefix="mercato-media-") as folder:
        os.environ |= {"BANNER_MEDIA": folder, "BANNER_EXTERNAL_HOSTS": ALLOWED_HOST}
        from banner import create_app

        yield create_app()


@pytest.fixture(autouse=True)
def empty_tables(migrated_app: Flask) -> Iterator[None]:
    """Takes away what a test has committed, for the service commits itself."""
    yield
    with migrated_app.app_context():
        database = migrated_app.extensions["sqlalchemy"]
        with database.engine.begin() as connection:
            connection.execute(text("DELETE FROM banner"))


@pytest.fixture
def media(migrated_app: Flask) -> Path:
    """The folder of images."""
    return Path(migrated_app.config["MEDIA"])


@pytest.fixture
def editor(as_staff):
    """Staff who may change banners, and see those that are not live."""
    return as_staff("banner:read banner:write")


@pytest.fixture
def customer(as_user):
    """A customer with a good token and no right here."""
    return as_user("wallet:read")


@pytest.fixture
def make_banner(migrated_app: Flask) -> Callable[..., Banner]:
    """Adds a banner through the real operation, published unless said otherwise."""
    from banner import operations

    def make(**changes: Any) -> Banner:
        values = {
            "placement": "home_hero",
            "title": "Winter",
            "target": {"kind": "page", "ref": "winter"},
            "status": "published",
        } | changes
        with migrated_app.app_context():
            return operations.create_banner(actor="svc:test", now=datetime.now(UTC), **values)

    return make


@pytest.fixture
def deleted_after(monkeypatch) -> Callable[[str], None]:
    """Lets somebody else delete all banners as soon as an operation has committed."""
    from banner import operations
    from banner.extensions import db

    def arrange(name: str) -> None:
        operation = getattr(operations, name)

        def then_gone(**arguments: Any) -> Any:
            result = operation(**arguments)
            with db.engine.begin() as connection:
                connection.execute(text("DELETE FROM banner"))
            return result

        monkeypatch.setattr(operations, name, then_gone)

    return arrange


@pytest.fixture
def hours() -> Callable[[float], datetime]:
    """A moment so many hours from now."""
    return lambda count: datetime.now(UTC) + timedelta(hours=count)


@pytest.fixture
def png() -> Callable[..., bytes]:
    """The bytes of a picture."""

    def make(width: int = 400, height: int = 200, color: str = "#336699", form: str = "PNG") -> bytes:
        buffer = io.BytesIO()
        Picture.new("RGB", (width, height), color).save(buffer, form)
        return buffer.getvalue()

    return make
