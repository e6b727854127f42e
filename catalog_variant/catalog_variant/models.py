"""Options, variants and stock. Prices are integers in minor units.

What constraints cannot say, such as that the counters of stock change only with a movement, triggers do
(migrations/sql/).
"""

from dataclasses import dataclass
from typing import Any, Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Greatest, Lower
from django.db.models.lookups import Exact
from django.utils import timezone

from chassis.django.fields import SLUG_FORM
from chassis.ids import uuid7

MAX_MINOR: Final = 10**12
MAX_OPTIONS: Final = 5
MAX_SAFETY: Final = 10**6
SKU_FORM: Final = r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$"
SWATCH_FORM: Final = r"^#[0-9a-f]{6}$"
GTIN_FORM: Final = r"^([0-9]{8}|[0-9]{12,14})$"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of a currency (ISO 4217)."""

    amount_minor: int
    currency: str


class Status(models.TextChoices):
    """Who sees a variant: the public sees the published ones."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Display(models.TextChoices):
    """How a picker shows the values of an option."""

    SWATCH = "swatch"
    PILL = "pill"
    SELECT = "select"


class Reason(models.TextChoices):
    """Why stock moved."""

    RECEIVE = "receive"
    CORRECTION = "correction"
    DAMAGE = "damage"
    RETURN = "return"


class Option(models.Model):
    """Something that variants of a product differ in, such as their size. Its values share its version."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    code = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    display = models.CharField(max_length=16, choices=Display.choices, default=Display.PILL)
    position = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        db_table = "option"
        indexes = [models.Index(fields=["position", "public_id"], name="option_position_idx")]
        constraints = [
            models.UniqueConstraint(
                Lower("code"),
                name="option_code_key",
                violation_error_message="Another option has this code.",
            ),
            models.CheckConstraint(name="option_code_check", condition=models.Q(code__regex=SLUG_FORM)),
            models.CheckConstraint(name="option_name_check", condition=models.Q(name__regex=r"\S")),
            models.CheckConstraint(
                name="option_display_check", condition=models.Q(display__in=Display.values)
            ),
            models.CheckConstraint(name="option_version_starts_at_1", condition=models.Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return self.name


class OptionValue(models.Model):
    """One of the values of an option, such as M; swatch is a color as #rrggbb, or empty."""

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    option = models.ForeignKey(Option, models.CASCADE, related_name="values", db_index=False)
    code = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    swatch = models.CharField(max_length=7, blank=True, default="")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "option_value"
        constraints = [
            models.UniqueConstraint(
                "option",
                Lower("code"),
                name="option_value_code_key",
                violation_error_message="Another value of this option has this code.",
            ),
            models.CheckConstraint(name="option_value_code_check", condition=models.Q(code__regex=SLUG_FORM)),
            models.CheckConstraint(name="option_value_name_check", condition=models.Q(name__regex=r"\S")),
            models.CheckConstraint(
                name="option_value_swatch_check",
                condition=models.Q(swatch="") | models.Q(swatch__regex=SWATCH_FORM),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.option}: {self.name}"


class VariantQuerySet(models.QuerySet["Variant"]):
    """Filters over variants."""

    def visible(self) -> Self:
        """What the public sees."""
        return self.filter(status=Status.PUBLISHED)

    def with_sku(self, sku: str) -> Self:
        """The variant with this SKU, in any case."""
        return self.filter(Exact(Lower("sku"), sku.lower()))


class Variant(models.Model):
    """One thing that can be bought: a choice among the options of a product, with a price and a stock.

    value_ids are keys of option values in ascending order, at most one of each option; the database sorts and
    checks them. The counters on_hand (in the house), reserved (for check-outs under way) and allocated (sold
    and not yet gone) count units; so do safety, which is never offered, and available, which is.
    """

    public_id = models.UUIDField(unique=True, default=uuid7, editable=False)
    product = models.UUIDField()
    sku = models.CharField("SKU", max_length=64)
    value_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    price_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    compare_at_minor = models.BigIntegerField(null=True, blank=True)
    price_version = models.PositiveIntegerField(default=1, editable=False)
    barcode = models.CharField(max_length=14, blank=True, default="")
    weight_grams = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.DRAFT)
    position = models.PositiveIntegerField(default=0)
    on_hand = models.PositiveIntegerField(default=0, editable=False)
    reserved = models.PositiveIntegerField(default=0, editable=False)
    allocated = models.PositiveIntegerField(default=0, editable=False)
    safety = models.PositiveIntegerField(default=0)
    available: Any = models.GeneratedField(  # Django's stubs know no type for it.
        expression=Greatest(
            models.Value(0),
            models.F("on_hand") - models.F("reserved") - models.F("allocated") - models.F("safety"),
        ),
        output_field=models.IntegerField(),
        db_persist=True,
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = VariantQuerySet.as_manager()

    class Meta:
        db_table = "variant"
        indexes = [models.Index(fields=["product", "position", "public_id"], name="variant_product_idx")]
        constraints = [
            models.UniqueConstraint(
                Lower("sku"), name="variant_sku_key", violation_error_message="Another variant has this SKU."
            ),
            # What is archived is out of the way of its successors.
            models.UniqueConstraint(
                fields=["product", "value_ids"],
                name="variant_signature_key",
                condition=~models.Q(status=Status.ARCHIVED),
            ),
            models.CheckConstraint(name="variant_sku_check", condition=models.Q(sku__regex=SKU_FORM)),
            models.CheckConstraint(
                name="variant_price_check", condition=models.Q(price_minor__range=(1, MAX_MINOR))
            ),
            models.CheckConstraint(
                name="variant_currency_check", condition=models.Q(currency__regex="^[A-Z]{3}$")
            ),
            models.CheckConstraint(
                name="variant_compare_at_check",
                condition=models.Q(compare_at_minor__isnull=True)
                | models.Q(compare_at_minor__gt=models.F("price_minor"), compare_at_minor__lte=MAX_MINOR),
            ),
            models.CheckConstraint(
                name="variant_barcode_check",
                condition=models.Q(barcode="") | models.Q(barcode__regex=GTIN_FORM),
            ),
            models.CheckConstraint(name="variant_status_check", condition=models.Q(status__in=Status.values)),
            models.CheckConstraint(
                name="variant_promise_check",
                condition=models.Q(on_hand__gte=models.F("reserved") + models.F("allocated")),
            ),
            models.CheckConstraint(name="variant_stock_limit_check", condition=models.Q(on_hand__lte=10**9)),
            models.CheckConstraint(name="variant_safety_limit", condition=models.Q(safety__lte=MAX_SAFETY)),
            models.CheckConstraint(
                name="variant_versions_start_at_1", condition=models.Q(version__gte=1, price_version__gte=1)
            ),
        ]

    def __str__(self) -> str:
        return self.sku

    @property
    def price(self) -> Money:
        """What one costs."""
        return Money(self.price_minor, self.currency)

    @property
    def compare_at(self) -> Money | None:
        """What one cost before."""
        return None if self.compare_at_minor is None else Money(self.compare_at_minor, self.currency)


class StockMovement(models.Model):
    """One change of a variant's stock. Only the function stock_adjust writes it; nothing changes it."""

    public_id = models.UUIDField(unique=True)
    variant = models.ForeignKey(Variant, models.DO_NOTHING, related_name="movements")
    delta = models.IntegerField()
    on_hand_after = models.IntegerField()
    reason = models.TextField(choices=Reason.choices)
    note = models.TextField(blank=True)
    actor_sub = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "stock_movement"

    def __str__(self) -> str:
        return f"{self.delta:+} {self.reason}"
