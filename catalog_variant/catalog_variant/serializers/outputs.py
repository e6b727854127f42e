"""What goes out. What there are many of is written out by hand; the classes describe it all the same."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from catalog_variant import queries
from catalog_variant.models import Display, Money, Option, OptionValue, Reason, Status, Variant

_STATES = [queries.IN_STOCK, queries.LOW_STOCK, queries.OUT_OF_STOCK]


class OptionValueOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    code = serializers.CharField()
    name = serializers.CharField()
    swatch = serializers.CharField(allow_blank=True, help_text="A color as #rrggbb, or empty.")
    position = serializers.IntegerField()


class OptionOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="public_id")
    code = serializers.CharField()
    name = serializers.CharField()
    display = serializers.ChoiceField(Display.choices)
    position = serializers.IntegerField()
    values = OptionValueOutput(many=True)


class OptionList(serializers.Serializer[Any]):
    data = OptionOutput(many=True)  # type: ignore[assignment]  # The list's name hides Serializer.data.
    next_cursor = serializers.CharField(allow_null=True)


class MoneyOutput(serializers.Serializer[Any]):
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()


class AvailabilityOutput(serializers.Serializer[Any]):
    state = serializers.ChoiceField(_STATES)
    left = serializers.IntegerField(allow_null=True, help_text="Units, when they are few.")


class VariantAvailabilityOutput(AvailabilityOutput):
    id = serializers.UUIDField()


class AvailabilityList(serializers.Serializer[Any]):
    data = VariantAvailabilityOutput(many=True)  # type: ignore[assignment]


class StockOutput(serializers.Serializer[Any]):
    on_hand = serializers.IntegerField(help_text="In the house.")
    reserved = serializers.IntegerField(help_text="For check-outs under way.")
    allocated = serializers.IntegerField(help_text="Sold and not yet gone.")
    safety = serializers.IntegerField(help_text="Never offered.")
    available = serializers.IntegerField(help_text="What can be sold: the first less the others, or 0.")


class VariantOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    product = serializers.UUIDField()
    sku = serializers.CharField()
    options = serializers.DictField(
        child=serializers.CharField(), help_text="The code of a value by the code of its option."
    )
    price = MoneyOutput()
    compare_at = MoneyOutput(allow_null=True)
    barcode = serializers.CharField(allow_blank=True)
    weight_grams = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(Status.choices)
    position = serializers.IntegerField()
    availability = AvailabilityOutput()
    stock = StockOutput(required=False, help_text="With `stock:read`.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class VariantList(serializers.Serializer[Any]):
    data = VariantOutput(many=True)  # type: ignore[assignment]
    next_cursor = serializers.CharField(allow_null=True)


class ChoiceValueOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    swatch = serializers.CharField(allow_blank=True)


class ChoiceOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    display = serializers.ChoiceField(Display.choices)
    values = ChoiceValueOutput(many=True)


class SummaryOutput(serializers.Serializer[Any]):
    product = serializers.UUIDField()
    variants = serializers.IntegerField()
    currency = serializers.CharField()
    price_min_minor = serializers.IntegerField()
    price_max_minor = serializers.IntegerField()
    compare_at_min_minor = serializers.IntegerField(allow_null=True)
    in_stock = serializers.BooleanField()
    options = ChoiceOutput(many=True)


class SummaryList(serializers.Serializer[Any]):
    data = SummaryOutput(many=True)  # type: ignore[assignment]


class MatrixVariantOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    sku = serializers.CharField()
    options = serializers.DictField(child=serializers.CharField())
    price = MoneyOutput()
    compare_at = MoneyOutput(allow_null=True)
    availability = AvailabilityOutput()


class MatrixOutput(serializers.Serializer[Any]):
    product = serializers.UUIDField()
    options = ChoiceOutput(many=True)
    variants = MatrixVariantOutput(many=True)


class MovementOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    variant = serializers.UUIDField()
    delta = serializers.IntegerField(help_text="Units, signed.")
    on_hand_after = serializers.IntegerField()
    reason = serializers.ChoiceField(Reason.choices)
    note = serializers.CharField(allow_blank=True)
    actor = serializers.CharField(help_text="Subject of who did it.")
    created_at = serializers.DateTimeField()


class MovementList(serializers.Serializer[Any]):
    data = MovementOutput(many=True)  # type: ignore[assignment]
    next_cursor = serializers.CharField(allow_null=True)


def variant_output(row: queries.Row, *, with_stock: bool) -> dict[str, Any]:
    """What VariantOutput says; stock is for those who may see it."""
    variant = row.variant
    return {
        "id": variant.public_id,
        "product": variant.product,
        "sku": variant.sku,
        "options": row.options,
        "price": _money(variant.price),
        "compare_at": _money(variant.compare_at),
        "barcode": variant.barcode,
        "weight_grams": variant.weight_grams,
        "status": variant.status,
        "position": variant.position,
        "availability": _availability(variant.available),
        **({"stock": _stock(variant)} if with_stock else {}),
        "created_at": variant.created_at,
        "updated_at": variant.updated_at,
    }


def summary_output(summary: queries.Summary) -> dict[str, Any]:
    """What SummaryOutput says."""
    return {
        "product": summary.product,
        "variants": summary.variants,
        "currency": summary.currency,
        "price_min_minor": summary.price_min_minor,
        "price_max_minor": summary.price_max_minor,
        "compare_at_min_minor": summary.compare_at_min_minor,
        "in_stock": summary.in_stock,
        "options": summary.options,
    }


def matrix_output(matrix: queries.Matrix) -> dict[str, Any]:
    """What MatrixOutput says."""
    return {
        "product": matrix.product,
        "options": [_choice(option, values) for option, values in matrix.choices.items()],
        "variants": [_matrix_variant(row) for row in matrix.rows],
    }


def availability_output(public_id: UUID, available: int) -> dict[str, Any]:
    """What VariantAvailabilityOutput says."""
    return {"id": public_id, **_availability(available)}


def _matrix_variant(row: queries.Row) -> dict[str, Any]:
    variant = row.variant
    return {
        "id": variant.public_id,
        "sku": variant.sku,
        "options": row.options,
        "price": _money(variant.price),
        "compare_at": _money(variant.compare_at),
        "availability": _availability(variant.available),
    }


def _choice(option: Option, values: Any) -> dict[str, Any]:
    return {
        "code": option.code,
        "name": option.name,
        "display": option.display,
        "values": [_choice_value(value) for value in values],
    }


def _choice_value(value: OptionValue) -> dict[str, Any]:
    return {"code": value.code, "name": value.name, "swatch": value.swatch}


def _money(money: Money | None) -> dict[str, Any] | None:
    return None if money is None else {"amount_minor": money.amount_minor, "currency": money.currency}


def _availability(available: int) -> dict[str, Any]:
    found = queries.availability_of(available)
    return {"state": found.state, "left": found.left}


def _stock(variant: Variant) -> dict[str, int]:
    return {
        "on_hand": variant.on_hand,
        "reserved": variant.reserved,
        "allocated": variant.allocated,
        "safety": variant.safety,
        "available": variant.available,
    }
