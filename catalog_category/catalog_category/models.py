"""The category tree: one table, in which parent_id alone says what hangs below what.

What constraints cannot say, that there is no cycle, a trigger does (migrations/sql/).
"""

from typing import Final, Self

from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from django.utils import timezone

from chassis.django.fields import MAX_SLUG, SLUG_FORM
from chassis.ids import uuid7

# Everything that is not published, and all below it.
_HIDDEN: Final = """
    WITH RECURSIVE hidden AS (
        SELECT id FROM category WHERE status <> 'published'
        UNION SELECT c.id FROM category c JOIN hidden h ON c.parent_id = h.id
    ) SELECT id FROM hidden
"""
_BELOW: Final = """
    WITH RECURSIVE below AS (
        SELECT id FROM category WHERE parent_id = %s AND status = ANY(%s)
        UNION ALL SELECT c.id FROM category c JOIN below b ON c.parent_id = b.id WHERE c.status = ANY(%s)
    ) SELECT id FROM below
"""
# The positions from the root down; each is followed by the id, so that equal ones keep a family together.
_PLACE: Final = """(
    WITH RECURSIVE up AS (
        SELECT category.id, category.parent_id, category.position, 1 AS height
        UNION ALL SELECT c.id, c.parent_id, c.position, up.height + 1
                    FROM category c JOIN up ON c.id = up.parent_id
    ) SELECT array_agg(ARRAY[up.position, up.id] ORDER BY up.height DESC) FROM up
)"""


class CategoryQuerySet(models.QuerySet["Category"]):
    """Filters over categories."""

    def visible(self) -> Self:
        """What the public sees: published, and so is everything above it."""
        return self.exclude(pk__in=RawSQL(_HIDDEN, []))  # noqa: S611 - a constant statement.

    def below(self, category: "Category", *, all_statuses: bool) -> Self:
        """What hangs below a category, however deep; not the category itself.

        Without all_statuses it is what the public sees there, given that it sees the category.
        """
        statuses = Status.values if all_statuses else [Status.PUBLISHED.value]
        values = [category.pk, statuses, statuses]
        return self.filter(pk__in=RawSQL(_BELOW, values))  # noqa: S611 - a constant statement.

    def with_place(self) -> Self:
        """Annotates `place`, by which the tree is read from top to bottom; its length is the depth."""
        return self.annotate(place=RawSQL(_PLACE, []))  # noqa: S611 - a constant statement.


class Status(models.TextChoices):
    """Who sees a category, and with it all below."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Category(models.Model):
    """A place in the tree. The integer key never leaves the database."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", db_index=False
    )
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=MAX_SLUG)
    description = models.TextField(blank=True, default="")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.DRAFT)
    position = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        db_table = "category"
        verbose_name_plural = "categories"
        indexes = [
            models.Index(fields=["position", "public_id"], name="category_position_idx"),
            models.Index(
                fields=["id"], name="category_hidden_idx", condition=~models.Q(status=Status.PUBLISHED)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                "parent",
                Lower("slug"),
                name="category_slug_key",
                violation_error_message="Another category at this place has this slug.",
            ),
            models.UniqueConstraint(
                Lower("slug"),
                name="category_root_slug_key",
                condition=models.Q(parent__isnull=True),
                violation_error_message="Another category at this place has this slug.",
            ),
            models.CheckConstraint(name="category_slug_check", condition=models.Q(slug__regex=SLUG_FORM)),
            models.CheckConstraint(name="category_name_check", condition=models.Q(name__regex=r"\S")),
            models.CheckConstraint(
                name="category_status_check", condition=models.Q(status__in=Status.values)
            ),
            models.CheckConstraint(name="category_version_starts_at_1", condition=models.Q(version__gte=1)),
            models.CheckConstraint(name="category_parent_check", condition=~models.Q(parent=models.F("id"))),
        ]

    def __str__(self) -> str:
        return self.name
