"""Writes of a product's own members and of the categories it is in."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from catalog_product import queries
from catalog_product.models import Brand, Product, ProductCategory, Status
from catalog_product.operations.slugs import SLUG_REFUSALS, give_slug
from chassis.django.constraints import refusing
from chassis.django.etags import Expected
from chassis.problems import DomainError, FieldError

MAX_CATEGORIES: Final = 20
"""How many categories a product may be in."""


class NoSuchProduct(DomainError):
    """There is no product with this id."""

    code = "not-found"
    status = 404


class UnknownBrand(DomainError):
    """The brand that the input names does not exist."""

    code = "unknown-brand"
    status = 422

    def __init__(self) -> None:
        detail = "There is no brand with this id."
        super().__init__(detail, errors=[FieldError("#/brand", "unknown", detail)])


class UnknownCategory(DomainError):
    """The category service does not know a category that the input names."""

    code = "unknown-category"
    status = 422

    def __init__(self, index: int) -> None:
        detail = "There is no category with this id."
        super().__init__(detail, errors=[FieldError(f"#/categories/{index}", "unknown", detail)])


def create_product(
    *,
    title: str,
    slug: str,
    subtitle: str = "",
    description: str = "",
    details: Sequence[dict[str, str]] = (),
    brand: UUID | None = None,
    categories: Sequence[UUID] = (),
    status: str = Status.DRAFT,
) -> Product:
    """Add a product; the first of its categories is the primary one. details: label and value of each.

    Raises: UnknownCategory, ServiceAway, UnknownBrand, SlugTaken.
    """
    check_categories(categories)
    product = Product(title=title, slug=slug, subtitle=subtitle, description=description, status=status)
    product.details = list(details)
    product.published_at = _published_at(product)
    with transaction.atomic():
        product.brand = _lock_brand(brand)
        with refusing(SLUG_REFUSALS):
            product.save(force_insert=True)
        give_slug(product)
        _put_into(product, categories)
    return product


def update_product(
    *, product_id: UUID, expected: Expected, categories: Sequence[UUID] | None = None, **changes: Any
) -> Product:
    """Set members, as create_product names them, of the version that is expected; the next one has them.

    What is set to the value it had is no change. A product that is published for the first time gets its
    published_at, and keeps it.
    Raises: NoSuchProduct, PreconditionFailed, UnknownCategory, ServiceAway, UnknownBrand, SlugTaken.
    """
    expected.check(get_product(product_id).version)
    check_categories(categories or ())
    with transaction.atomic():
        if "brand" in changes:
            changes["brand"] = _lock_brand(changes["brand"])
        product = lock_product(product_id, expected)
        is_moved = categories is not None and _put_into(product, categories)
        changed = [name for name, value in changes.items() if getattr(product, name) != value]
        if changed or is_moved:
            _change(product, {name: changes[name] for name in changed})
    return product


def check_categories(categories: Sequence[UUID]) -> None:
    """Ask the category service for each of them, up to the first that it does not know.

    Raises: UnknownCategory, ServiceAway.
    """
    for index, category in enumerate(categories):
        if not queries.has_category(category):
            raise UnknownCategory(index)


def get_product(product_id: UUID) -> Product:
    """The product with this id, whatever its status.

    Raises: NoSuchProduct.
    """
    product = Product.objects.filter(public_id=product_id).first()
    if product is None:
        raise NoSuchProduct
    return product


def lock_product(product_id: UUID, expected: Expected) -> Product:
    """The product, locked, in a version that is expected.

    Raises: NoSuchProduct, PreconditionFailed.
    """
    locked = Product.objects.select_related("brand").select_for_update(of=("self",))
    product = locked.filter(public_id=product_id).first()
    if product is None:
        raise NoSuchProduct
    expected.check(product.version)
    return product


def save_version(product: Product, *fields: str) -> None:
    """Save these members of a product as its next version."""
    product.version += 1
    product.updated_at = timezone.now()
    product.save(update_fields=[*fields, "version", "updated_at"])


def _change(product: Product, changes: dict[str, Any]) -> None:
    old_slug = product.slug
    for name, value in changes.items():
        setattr(product, name, value)
    product.published_at = _published_at(product)
    with refusing(SLUG_REFUSALS):
        save_version(product, *changes, "published_at")
    if "slug" in changes:
        give_slug(product, instead_of=old_slug)


def _published_at(product: Product) -> Any:
    is_first = product.status == Status.PUBLISHED and product.published_at is None
    return timezone.now() if is_first else product.published_at


def _lock_brand(brand_id: UUID | None) -> Brand | None:
    # Locked, so that it is neither deleted nor renamed before the product that has it is seen by everybody.
    if brand_id is None:
        return None
    brand = Brand.objects.select_for_update(no_key=True).filter(public_id=brand_id).first()
    if brand is None:
        raise UnknownBrand
    return brand


def _put_into(product: Product, categories: Sequence[UUID]) -> bool:
    # Whether that was a change.
    present = product.in_categories.order_by("position")
    if list(present.values_list("category", flat=True)) == list(categories):
        return False
    present.delete()
    ProductCategory.objects.bulk_create(
        ProductCategory(product=product, category=category, position=position)
        for position, category in enumerate(categories)
    )
    return True
