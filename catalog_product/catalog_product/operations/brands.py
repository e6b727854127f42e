"""Writes of brands."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from catalog_product.models import Brand
from catalog_product.operations.slugs import SLUG_REFUSALS
from chassis.django.constraints import refusing
from chassis.django.etags import Expected
from chassis.problems import DomainError


class NoSuchBrand(DomainError):
    """There is no brand with this id."""

    code = "not-found"
    status = 404


class BrandInUse(DomainError):
    """A brand that products have, archived ones included, is not deleted."""

    code = "brand-in-use"


def create_brand(*, name: str, slug: str, description: str = "") -> Brand:
    """Add a brand.

    Raises: SlugTaken.
    """
    brand = Brand(name=name, slug=slug, description=description)
    with refusing(SLUG_REFUSALS):
        brand.save(force_insert=True)
    return brand


@transaction.atomic
def update_brand(*, brand_id: UUID, expected: Expected, **changes: Any) -> Brand:
    """Set name, slug or description of the version that is expected; the next one has them.

    What is set to the value it had is no change. Raises: NoSuchBrand, PreconditionFailed, SlugTaken.
    """
    brand = _lock(brand_id, expected)
    changed = [name for name, value in changes.items() if getattr(brand, name) != value]
    if changed:
        for name in changed:
            setattr(brand, name, changes[name])
        brand.version += 1
        brand.updated_at = timezone.now()
        with refusing(SLUG_REFUSALS):
            brand.save(update_fields=[*changed, "version", "updated_at"])
    return brand


@transaction.atomic
def delete_brand(*, brand_id: UUID, expected: Expected) -> None:
    """Delete a brand that no product has.

    Raises: NoSuchBrand, PreconditionFailed, BrandInUse.
    """
    brand = _lock(brand_id, expected)
    if brand.product_set.exists():
        raise BrandInUse("Products have this brand, be they archived.")
    brand.delete()


def _lock(brand_id: UUID, expected: Expected) -> Brand:
    brand = Brand.objects.select_for_update().filter(public_id=brand_id).first()
    if brand is None:
        raise NoSuchBrand
    expected.check(brand.version)
    return brand
