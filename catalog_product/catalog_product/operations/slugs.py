"""Slugs: each belongs to one product, and a product still answers to those that it had."""

from collections.abc import Callable, Mapping
from typing import Final

from catalog_product.models import Product, SlugHistory, has_slug
from chassis.problems import DomainError, FieldError


class SlugTaken(DomainError):
    """Another one has this slug already, be it in other case."""

    code = "slug-taken"

    def __init__(self) -> None:
        detail = "Another one has this slug."
        super().__init__(errors=[FieldError("#/slug", "taken", detail)])


SLUG_REFUSALS: Final[Mapping[str, Callable[[], Exception]]] = {
    "product_slug_key": SlugTaken,
    "brand_slug_key": SlugTaken,
}
"""What `refusing` makes of a slug that is not free."""


def give_slug(product: Product, *, instead_of: str = "") -> None:
    """Remember the slug that a product had, and forget whoever had the one that it has now.

    After the product is saved: from then on no other product can have either.
    """
    SlugHistory.objects.filter(has_slug(product.slug)).delete()
    if instead_of and instead_of.lower() != product.slug.lower():
        SlugHistory.objects.create(product=product, slug=instead_of)
