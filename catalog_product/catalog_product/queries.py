"""Reads of products, and what the category service is asked about them."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.cache import cache
from django.db.models import OuterRef, Prefetch, QuerySet

from catalog_product.models import Media, ProductCategory, ProductQuerySet, SlugHistory, has_slug
from chassis.django.asking import ServiceAway, ask

ORDERS: Final = {
    "newest": ("-listed_at", "-public_id"),
    "title": ("sort_title", "public_id"),
    "-title": ("-sort_title", "-public_id"),
    "relevance": ("-relevance", "-public_id"),
}
"""The orders of a list, as paginate() takes them."""

ENOUGH_HITS: Final = 3
"""With fewer hits of the full text, what only looks alike is found too."""

_CATEGORIES: Final = "catalog_category"
_EXISTS_SECONDS: Final = 5
_SUBTREE_SECONDS: Final = 30
_STALE_SECONDS: Final = int(timedelta(days=1).total_seconds())


def rows(products: ProductQuerySet) -> ProductQuerySet:
    """Products with brand, categories and their first picture: two statements, however many they are."""
    first = Media.objects.order_by("product_id", "position").distinct("product_id")
    return _with_parts(products.defer("description", "details"), first)


def details(products: ProductQuerySet) -> ProductQuerySet:
    """Products with brand, categories and all their pictures, in order; two statements."""
    return _with_parts(products, Media.objects.order_by("position"))


def found(products: ProductQuerySet, text: str) -> ProductQuerySet:
    """The products that fit the words of a customer, with their `relevance`.

    Those of the full text; when they are fewer than ENOUGH_HITS, also those that look like it.
    """
    hits = products.matching(text)
    has_enough = len(hits.values("pk")[:ENOUGH_HITS]) == ENOUGH_HITS
    return (hits if has_enough else products.resembling(text)).with_relevance(text)


def slug_after(products: ProductQuerySet, slug: str) -> str | None:
    """The present slug of the one among these products that had this one before."""
    owner = SlugHistory.objects.filter(has_slug(slug)).values("product")
    return products.filter(pk__in=owner).values_list("slug", flat=True).first()


def has_category(category: UUID) -> bool:
    """Whether the category exists; who got a yes is not asked again for 5 seconds.

    Raises: ServiceAway.
    """
    key = f"category:{category}"
    if cache.get(key):
        return True
    path = f"/internal/categories/{category}"
    answer = ask(_CATEGORIES, settings.CATEGORY_URL, path, scope="catalog:exists")
    if answer.status == 404:
        return False
    cache.set(key, True, _EXISTS_SECONDS)
    return True


def subtree(category: UUID) -> list[UUID]:
    """A category and all that the public sees below it; empty when the public does not see it.

    A copy serves for 30 seconds, and up to a day while the category service is away.
    Raises: ServiceAway when it is away and there is no copy.
    """
    key, fresh = f"subtree:{category}", f"subtree-fresh:{category}"
    copy: list[UUID] | None = cache.get(key)
    if copy is not None and cache.get(fresh):
        return copy
    try:
        below = _ask_below(category)
    except ServiceAway:
        if copy is None:
            raise
        return copy
    if below is None:
        cache.delete(key)
        return []
    cache.set(key, [category, *below], _STALE_SECONDS)
    cache.set(fresh, True, _SUBTREE_SECONDS)
    return [category, *below]


def _ask_below(category: UUID) -> list[UUID] | None:
    # As the public asks, so that no draft category shows through what is in it. None when there is none.
    path = f"/api/v1/categories/{category}/descendants?ids_only=1"
    answer = ask(_CATEGORIES, settings.CATEGORY_URL, path)
    if answer.status == 404:
        return None
    try:
        return [UUID(one) for one in answer.json()["data"]]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ServiceAway(_CATEGORIES) from exc


def _with_parts(products: ProductQuerySet, media: QuerySet[Media]) -> ProductQuerySet:
    # Plain lists, `category_ids` and `gallery`: a row of its own for each category costs as much as the rest.
    categories = ProductCategory.objects.filter(product=OuterRef("pk")).order_by("position")
    return (
        products.select_related("brand")
        .annotate(category_ids=ArraySubquery(categories.values("category")))
        .prefetch_related(Prefetch("media", media.select_related("picture"), to_attr="gallery"))
    )
