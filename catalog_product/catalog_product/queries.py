"""Reads of products, and what the category service is asked about them."""

import re
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
"""With fewer hits of the full text, what comes close is found too."""

_WORD_OR_REFUSED: Final = re.compile(r'(?<!\w)-(?:"[^"]*"|\S+)|[^\W\d_]{3,}')
_CATEGORIES: Final = "catalog_category"
_EXISTS_SECONDS: Final = 5
_SUBTREE_SECONDS: Final = 30
_PATIENCE_SECONDS: Final = 0.5  # Whoever makes a page of this list waits 1.5 seconds for all of it.
_RETRY_SECONDS: Final = 5
_UNKNOWN_SECONDS: Final = 5
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

    Those of the full text; when they are fewer than ENOUGH_HITS, also those that it finds when two letters
    change places; and when all these are fewer, also those that look like the words.
    """
    if _are_enough(products.matching(text)):
        return products.matching(text).with_relevance(text)
    meant = with_letters_swapped(text)
    close = products.matching(text, meant)
    return (close if _are_enough(close) else products.resembling(text, meant)).with_relevance(text, meant)


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

    A copy serves for 30 seconds, and up to a day while the category service is away or somebody else asks it;
    that the public does not see a category is believed for 5 seconds.
    Raises: ServiceAway when it is away and there is no copy.
    """
    key, fresh = f"subtree:{category}", f"subtree-fresh:{category}"
    copy: list[UUID] | None = cache.get(key)
    # Whoever makes an old copy fresh again asks; the others need not wait for the answer.
    if copy is not None and not cache.add(fresh, True, _RETRY_SECONDS):
        return copy
    try:
        seen = _ask_subtree(category)
    except ServiceAway:
        if copy is None:
            raise
        cache.set(fresh, True, _RETRY_SECONDS)
        return copy
    cache.set(key, seen, _STALE_SECONDS if seen else _UNKNOWN_SECONDS)
    cache.set(fresh, True, _SUBTREE_SECONDS if seen else _UNKNOWN_SECONDS)
    return seen


def _ask_subtree(category: UUID) -> list[UUID]:
    # As the public asks, so that no draft category shows through what is in it. Empty when there is none.
    path = f"/api/v1/categories/{category}/descendants?ids_only=1"
    answer = ask(_CATEGORIES, settings.CATEGORY_URL, path, read_seconds=_PATIENCE_SECONDS)
    if answer.status == 404:
        return []
    try:
        return [category, *(UUID(one) for one in answer.json()["data"])]
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ServiceAway(_CATEGORIES) from exc


def _are_enough(hits: ProductQuerySet) -> bool:
    return len(hits.values("pk")[:ENOUGH_HITS]) == ENOUGH_HITS


def with_letters_swapped(text: str) -> str:
    """What a customer may have meant whose fingers overtook each other: `mgu` gives `gmu or mug`.

    In one word at a time, of those with three letters or more; the rest stays as it was, and so does what is
    not to be found (`-word`, `-"two words"`). Empty when there is no such word.
    """
    closed = text + '"' * (text.count('"') % 2)
    return " or ".join(
        closed[: word.start()] + swapped + closed[word.end() :]
        for word in _WORD_OR_REFUSED.finditer(closed)
        for swapped in _swapped(word[0])
    )


def _swapped(word: str) -> list[str]:
    if word.startswith("-"):
        return []
    return [
        f"{word[:index]}{word[index + 1]}{word[index]}{word[index + 2 :]}"
        for index in range(len(word) - 1)
        if word[index] != word[index + 1]
    ]


def _with_parts(products: ProductQuerySet, media: QuerySet[Media]) -> ProductQuerySet:
    # Plain lists, `category_ids` and `gallery`: a row of its own for each category costs as much as the rest.
    categories = ProductCategory.objects.filter(product=OuterRef("pk")).order_by("position")
    return (
        products.select_related("brand")
        .annotate(category_ids=ArraySubquery(categories.values("category")))
        .prefetch_related(Prefetch("media", media.select_related("picture"), to_attr="gallery"))
    )
