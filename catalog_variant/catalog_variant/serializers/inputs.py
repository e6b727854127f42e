"""What comes in: bodies and queries, checked for shape."""

import re
from typing import Any, Final

from django.conf import settings
from django.core.validators import RegexValidator
from rest_framework import serializers

from catalog_variant.models import (
    GTIN_FORM,
    MAX_MINOR,
    MAX_OPTIONS,
    MAX_SAFETY,
    SKU_FORM,
    SWATCH_FORM,
    Display,
    Money,
    Reason,
    Status,
)
from chassis.django.fields import (
    MAX_IDS,
    SLUG_FORM,
    Ids,
    PublicId,
    ShortMap,
    Slug,
    StrictInput,
    Text,
    WholeNumber,
)

_MAX_DELTA: Final = 10**6
_MAX_GRAMS: Final = 10**7
_MAX_POSITION: Final = 10**6
_MAX_VALUES: Final = 200


class Sku(Text):
    """A SKU as a JSON string."""

    def __init__(self, **kwargs: Any) -> None:
        message = "Start with a letter a to z or a digit; then also . _ / and - may stand."
        form = RegexValidator(SKU_FORM.replace("$", r"\Z"), message)
        super().__init__(max_length=64, trim_whitespace=False, validators=[form], **kwargs)


class Swatch(Text):
    """A color as #rrggbb, or empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_blank=True, max_length=7, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data).lower()
        if text and not re.fullmatch(SWATCH_FORM, text):
            raise serializers.ValidationError("Write a color like #2e5a3c.", "invalid")
        return text


class Barcode(Text):
    """A GTIN of 8, 12, 13 or 14 digits, or empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_blank=True, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if text and not is_gtin(text):
            raise serializers.ValidationError("This is no GTIN: digits or check digit are wrong.", "invalid")
        return text


class Position(WholeNumber):
    """A place in an order; the last when absent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=_MAX_POSITION, **kwargs)


class Grams(WholeNumber):
    """A weight in grams."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=_MAX_GRAMS, allow_null=True, **kwargs)


class Choices(ShortMap):
    """The code of a value by the code of its option, as a JSON object."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_OPTIONS, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        choices = super().to_internal_value(data)
        wrong = [name for name in choices if not re.fullmatch(SLUG_FORM.replace("$", r"\Z"), name)]
        lowered = [name.lower() for name in choices]
        wrong += [name for name in choices if lowered.count(name.lower()) > 1]
        if wrong:
            raise serializers.ValidationError(
                {
                    name: [serializers.ErrorDetail("Write the code of an option, once.", "invalid")]
                    for name in wrong
                }
            )
        return choices


class MoneyInput(StrictInput):
    amount_minor = WholeNumber(min_value=1, max_value=MAX_MINOR)
    currency = serializers.ChoiceField(settings.CURRENCIES)

    def validate(self, attrs: dict[str, Any]) -> Any:
        """The two together are one value."""
        return Money(**attrs)


class ListQuery(serializers.Serializer[Any]):
    product = serializers.UUIDField(required=False, help_text="Variants of this product.")
    ids = Ids(required=False, help_text=f"Up to {MAX_IDS} ids with commas between them.")
    sku = serializers.CharField(required=False, max_length=64, help_text="In any case.")
    status = serializers.ChoiceField(Status.choices, required=False, help_text="Needs `catalog:read`.")


class OptionQuery(serializers.Serializer[Any]):
    ids = Ids(required=False, help_text=f"Up to {MAX_IDS} ids with commas between them.")


class SummaryQuery(serializers.Serializer[Any]):
    product = Ids(help_text=f"Up to {MAX_IDS} ids of products with commas between them.")


class MatrixQuery(serializers.Serializer[Any]):
    product = serializers.UUIDField()


class AvailabilityQuery(serializers.Serializer[Any]):
    ids = Ids(help_text=f"Up to {MAX_IDS} ids with commas between them.")


class MovementQuery(serializers.Serializer[Any]):
    """The sources are what the movements are filtered by."""

    variant = serializers.UUIDField(required=False, source="variant__public_id")
    reason = serializers.ChoiceField(Reason.choices, required=False)


class OptionValueInput(StrictInput):
    code = Slug()
    name = Text(max_length=120)
    swatch = Swatch(default="")
    position = Position(allow_null=True, default=None)


class OptionInput(StrictInput):
    code = Slug()
    name = Text(max_length=120)
    display = serializers.ChoiceField(Display.choices, default=Display.PILL.value)
    position = Position(allow_null=True, default=None)
    values = serializers.ListField(child=OptionValueInput(), default=list, max_length=_MAX_VALUES)

    def validate_values(self, values: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Codes that stand twice in one body are no conflict with anybody else."""
        codes = [value["code"].lower() for value in values]
        twice = [index for index, code in enumerate(codes) if code in codes[:index]]
        if twice:
            detail = serializers.ErrorDetail("This code stands twice.", "duplicate")
            raise serializers.ValidationError({str(index): {"code": [detail]} for index in twice})
        return values


class OptionPatch(StrictInput):
    """A merge patch (RFC 7396)."""

    code = Slug(required=False)
    name = Text(max_length=120, required=False)
    display = serializers.ChoiceField(Display.choices, required=False)
    position = Position(required=False)


class OptionValuePatch(StrictInput):
    """A merge patch (RFC 7396). Null takes the swatch away."""

    code = Slug(required=False)
    name = Text(max_length=120, required=False)
    swatch = Swatch(allow_null=True, required=False)
    position = Position(required=False)

    def validate_swatch(self, value: str | None) -> str:
        return value or ""


class VariantInput(StrictInput):
    product = PublicId()
    sku = Sku()
    options = Choices(child=Slug())
    price = MoneyInput()
    compare_at = MoneyInput(
        allow_null=True, default=None, help_text="What it cost before; more than the price."
    )
    barcode = Barcode(default="", help_text="A GTIN, or empty.")
    weight_grams = Grams(default=None)
    status = serializers.ChoiceField(Status.choices, default=Status.DRAFT.value)
    position = Position(allow_null=True, default=None)
    safety = WholeNumber(
        min_value=0, max_value=MAX_SAFETY, default=0, help_text="Units that are never offered."
    )


class VariantPatch(StrictInput):
    """A merge patch (RFC 7396); a price is given as a whole. Null takes away what can be absent."""

    sku = Sku(required=False)
    options = Choices(child=Slug(allow_null=True), required=False)
    price = MoneyInput(required=False)
    compare_at = MoneyInput(allow_null=True, required=False)
    barcode = Barcode(allow_null=True, required=False)
    weight_grams = Grams(required=False)
    status = serializers.ChoiceField(Status.choices, required=False)
    position = Position(required=False)
    safety = WholeNumber(min_value=0, max_value=MAX_SAFETY, required=False)

    def validate_barcode(self, value: str | None) -> str:
        return value or ""


class AdjustmentInput(StrictInput):
    variant = PublicId()
    delta = WholeNumber(min_value=-_MAX_DELTA, max_value=_MAX_DELTA, help_text="Units, signed; not 0.")
    reason = serializers.ChoiceField(Reason.choices)
    note = Text(max_length=500, allow_blank=True, default="")

    def validate_delta(self, value: int) -> int:
        if value == 0:
            raise serializers.ValidationError("A movement moves something.", "zero")
        return value


def is_gtin(text: str) -> bool:
    """Whether a text is a GTIN: 8, 12, 13 or 14 digits of which the last checks the others (GS1)."""
    if not re.fullmatch(GTIN_FORM, text):
        return False
    digits = [int(digit) for digit in reversed(text)]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0
