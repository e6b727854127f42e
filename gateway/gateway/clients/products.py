"""The product service: lists to look through, and one product with everything told about it."""

import re
from dataclasses import dataclass
from typing import Any, Final

from gateway.clients import calls, services
from gateway.clients.pictures import Picture, read_picture

LISTING_LENGTH: Final = 24
LONGEST_QUERY: Final = 100
"""Characters; the service takes no more."""

_PATH: Final = "/api/v1/products"
_SLUG: Final = re.compile(r"[a-zA-Z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Brand:
    """Who makes it."""

    id: str
    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product in a list; primary_category is an id, or empty."""

    id: str
    title: str
    slug: str
    subtitle: str
    brand: Brand | None
    image: Picture | None
    primary_category: str


@dataclass(frozen=True, slots=True)
class ProductList:
    """A page of a list; next_cursor is empty on the last one."""

    rows: tuple[ProductRow, ...]
    next_cursor: str


@dataclass(frozen=True, slots=True)
class Product:
    """A product with everything told about it; details are labels and values in the merchant's order."""

    row: ProductRow
    description: str
    details: tuple[tuple[str, str], ...]
    media: tuple[Picture, ...]
    categories: tuple[str, ...]


def listing(
    *,
    category: str | None = None,
    q: str | None = None,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int | None = LISTING_LENGTH,
) -> ProductList:
    """Published products; category is an id, and means everything below it too.

    What people type is not kept in memory: it would push out what everybody looks at.

    Raises: Unanswered.
    """
    path = services.path_with(_PATH, category=category, q=q, sort=sort, cursor=cursor, limit=limit)
    service = services.service("catalog_product")
    if q:
        return service.get_private(path, _read_list)
    # What lies below a category is known to the category service, which this one asks.
    return service.get(path, _read_list, lane="catalog_category" if category else "")


def find(slug: str) -> Product:
    """The product of a slug; Moved tells its API address when it has another now.

    The service does not mind the case, and each spelling would be kept for itself. A slug that it does not
    take, being too long perhaps, is that of nothing: Missing.
    Raises: Unanswered.
    """
    try:
        return services.service("catalog_product").get(
            services.path_with(_PATH, slug=slug.lower()), _read_product
        )
    except calls.Refused as exc:
        raise calls.Missing(slug) from exc


def drafts(token: str, limit: int = 100) -> ProductList:
    """What is not published yet, for staff.

    Raises: Unanswered.
    """
    path = services.path_with(_PATH, status="draft", limit=limit)
    return services.service("catalog_product").get_private(path, _read_list, token=token, lane=services.STAFF)


def _read_list(data: Any) -> ProductList:
    return ProductList(tuple(_read_row(each) for each in data["data"]), str(data["next_cursor"] or ""))


def _read_row(data: Any) -> ProductRow:
    brand, slug = data["brand"], str(data["slug"])
    if not _SLUG.fullmatch(slug):
        raise ValueError("A product without an address.")
    return ProductRow(
        id=str(data["id"]),
        title=str(data["title"]),
        slug=slug,
        subtitle=str(data["subtitle"]),
        brand=Brand(str(brand["id"]), str(brand["name"]), str(brand["slug"])) if brand else None,
        image=read_picture(data["image"]),
        primary_category=str(data["primary_category"] or ""),
    )


def _read_product(data: Any) -> Product:
    pictures = (read_picture(each) for each in data["media"])
    return Product(
        row=_read_row(data),
        description=str(data["description"]),
        details=tuple((str(each["label"]), str(each["value"])) for each in data["details"]),
        media=tuple(picture for picture in pictures if picture),
        categories=tuple(str(each) for each in data["categories"]),
    )
