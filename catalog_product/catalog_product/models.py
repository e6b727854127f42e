"""Products, their brands, the categories they are in, and their pictures.

What Django's constraints cannot say, and what is searched, stands in migrations/sql/.
"""

from collections.abc import Iterable
from typing import Final, Self
from uuid import UUID

from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Lower
from django.db.models.lookups import Exact
from django.utils import timezone

from chassis.django.fields import SLUG_FORM
from chassis.ids import uuid7

# `search` and `words` are columns that a trigger keeps and no model loads.
_MATCHES: Final = "product.search @@ websearch_to_tsquery('english', %s)"
# The operator uses an index; how alike is alike enough is a setting of the connection (settings.py).
_RESEMBLES: Final = "product.words %%>> %s"
# A hit stands above every hit of what may be meant, and that above any likeness, of which the title's counts
# most; whole numbers, so that a cursor can hold one exactly.
_RELEVANCE: Final = """(
    CASE WHEN product.search @@ websearch_to_tsquery('english', %s)
         THEN 2000000 + 1000000 * ts_rank(product.search, websearch_to_tsquery('english', %s))
         WHEN product.search @@ websearch_to_tsquery('english', %s)
         THEN 1000000 + 1000000 * ts_rank(product.search, websearch_to_tsquery('english', %s))
         ELSE 600000 * strict_word_similarity(%s, product.words)
            + 400000 * strict_word_similarity(%s, product.title) END
)::int"""
_HEX_DIGITS_64: Final = r"^[0-9a-f]{64}$"


class Status(models.TextChoices):
    """Who sees a product."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class ProductQuerySet(models.QuerySet["Product"]):
    """Filters and orders over products."""

    def visible(self) -> Self:
        """What the public sees."""
        return self.filter(status=Status.PUBLISHED)

    def in_categories(self, categories: Iterable[UUID]) -> Self:
        """What is in at least one of these categories."""
        return self.filter(pk__in=ProductCategory.objects.filter(category__in=categories).values("product"))

    def matching(self, text: str, meant: str = "") -> Self:
        """What the full text search finds for the words of a customer, or for what these may mean."""
        return self.filter(_matches(text, meant))

    def resembling(self, text: str, meant: str) -> Self:
        """The same, and what has words that look like the text."""
        return self.filter(_matches(text, meant) | models.Q(_claim(_RESEMBLES, text)))

    def with_relevance(self, text: str, meant: str = "") -> Self:
        """Annotates `relevance`, a whole number that is larger the better the product fits the words."""
        said = [text, text, meant, meant, text, text]
        relevance = RawSQL(_RELEVANCE, said, output_field=models.IntegerField())  # noqa: S611 - constant.
        return self.annotate(relevance=relevance)

    def with_order(self) -> Self:
        """Annotates `listed_at`, since when it is offered or there, and `sort_title`, by which it sorts."""
        return self.annotate(listed_at=Coalesce("published_at", "created_at"), sort_title=Lower("title"))


class Brand(models.Model):
    """Who makes a product."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=80)
    description = models.TextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "brand"
        indexes = [models.Index(Lower("name"), "public_id", name="brand_name_idx")]
        constraints = [
            models.UniqueConstraint(
                Lower("slug"),
                name="brand_slug_key",
                violation_error_message="Another brand has this slug.",
            ),
            models.CheckConstraint(name="brand_slug_check", condition=models.Q(slug__regex=SLUG_FORM)),
            models.CheckConstraint(name="brand_name_check", condition=models.Q(name__regex=r"\S")),
            models.CheckConstraint(name="brand_version_starts_at_1", condition=models.Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """What is offered. The integer key never leaves the database; variants refer to the public id."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    brand = models.ForeignKey(Brand, models.PROTECT, null=True, blank=True)
    title = models.CharField(max_length=200)
    slug = models.CharField(max_length=80)
    subtitle = models.CharField(max_length=200, blank=True, default="")
    description = models.TextField(blank=True, default="")
    details = models.JSONField(blank=True, default=list)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.DRAFT)
    version = models.PositiveIntegerField(default=1, editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        db_table = "product"
        indexes = [
            models.Index(
                Coalesce("published_at", "created_at").desc(),
                models.F("public_id").desc(),
                name="product_listed_idx",
            ),
            models.Index(Lower("title"), "public_id", name="product_title_idx"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("slug"),
                name="product_slug_key",
                violation_error_message="Another product has this slug.",
            ),
            models.CheckConstraint(name="product_slug_check", condition=models.Q(slug__regex=SLUG_FORM)),
            models.CheckConstraint(name="product_title_check", condition=models.Q(title__regex=r"\S")),
            models.CheckConstraint(name="product_status_check", condition=models.Q(status__in=Status.values)),
            models.CheckConstraint(
                name="product_published_at_check",
                condition=models.Q(published_at__isnull=False) | ~models.Q(status=Status.PUBLISHED),
            ),
            models.CheckConstraint(name="product_version_starts_at_1", condition=models.Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return self.title


class SlugHistory(models.Model):
    """A slug that a product had, and still answers to as long as no other product has it."""

    product = models.ForeignKey(Product, models.PROTECT)
    slug = models.CharField(max_length=80)

    class Meta:
        db_table = "slug_history"
        constraints = [models.UniqueConstraint(Lower("slug"), name="slug_history_key")]

    def __str__(self) -> str:
        return self.slug


class ProductCategory(models.Model):
    """A category, of the category service, that a product is in; the one at position 0 is the primary one."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="in_categories", db_index=False)
    category = models.UUIDField()
    position = models.PositiveSmallIntegerField()

    class Meta:
        db_table = "product_category"
        indexes = [models.Index("category", "product", name="product_category_idx")]
        constraints = [
            models.UniqueConstraint("product", "category", name="product_category_key"),
            models.UniqueConstraint("product", "position", name="product_category_position_key"),
        ]

    def __str__(self) -> str:
        return str(self.category)


class Picture(models.Model):
    """An upload, by the hash of its bytes; its renditions are files, however many products show it."""

    sha256 = models.CharField(max_length=64, unique=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    color = models.CharField(max_length=7)
    renditions = models.JSONField()

    class Meta:
        db_table = "picture"
        constraints = [
            models.CheckConstraint(
                name="picture_sha256_check", condition=models.Q(sha256__regex=_HEX_DIGITS_64)
            ),
            models.CheckConstraint(
                name="picture_color_check", condition=models.Q(color__regex=r"^#[0-9a-f]{6}$")
            ),
        ]

    def __str__(self) -> str:
        return self.sha256


class Media(models.Model):
    """A picture at a place of a product's gallery, for those who see it and those who do not."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="media", db_index=False)
    picture = models.ForeignKey(Picture, models.PROTECT)
    alt = models.CharField(max_length=300)
    options = models.JSONField(blank=True, default=dict)
    position = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "media"
        verbose_name_plural = "media"
        constraints = [
            models.UniqueConstraint("product", "picture", "options", name="media_picture_key"),
            models.UniqueConstraint(
                fields=["product", "position"],
                name="media_position_key",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(name="media_alt_check", condition=models.Q(alt__regex=r"\S")),
        ]

    def __str__(self) -> str:
        return self.alt


def has_slug(slug: str) -> "Exact[str]":
    """A filter for the one with this slug, in any case."""
    return Exact(Lower("slug"), slug.lower())


def _matches(text: str, meant: str) -> models.Q:
    matches = models.Q(_claim(_MATCHES, text))
    return matches | models.Q(_claim(_MATCHES, meant)) if meant else matches


def _claim(condition: str, text: str) -> RawSQL:
    return RawSQL(condition, [text], output_field=models.BooleanField())  # noqa: S611 - constants, see above.
