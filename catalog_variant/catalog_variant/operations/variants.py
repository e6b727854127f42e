"""Writes of variants. That nothing stands twice, or differs where it must not, the database decides."""

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q
from django.db.models.functions import Lower
from django.utils import timezone

from catalog_variant import queries
from catalog_variant.models import MAX_OPTIONS, Money, OptionValue, Status, Variant
from chassis.django.asking import ServiceAway, ask
from chassis.django.constraints import refusing
from chassis.django.etags import Expected
from chassis.problems import DomainError, FieldError

_PRODUCTS: Final = "catalog_product"
_KNOWN_SECONDS: Final = 5.0
_KNOWN_LIMIT: Final = 10_000
_known: Final[dict[UUID, float]] = {}


class NoSuchVariant(DomainError):
    """There is no variant with this id."""

    code = "not-found"
    status = 404


class UnknownProduct(DomainError):
    """The product that the input names does not exist."""

    code = "unknown-product"
    status = 422

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("#/product", "unknown", "There is no product with this id.")])


class UnknownOption(DomainError):
    """The input names an option, or a value of one, that does not exist."""

    code = "unknown-option"
    status = 422

    def __init__(self, *names: str) -> None:
        detail = "There is no such option, or it has no such value."
        pointers = [f"#/options/{name}" for name in names] or ["#/options"]
        super().__init__(errors=[FieldError(pointer, "unknown", detail) for pointer in pointers])


class TooManyOptions(DomainError):
    """A variant would choose from more options than it may."""

    code = "invalid-input"
    status = 400

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("#/options", "max-length", f"At most {MAX_OPTIONS} options.")])


class InvalidCompareAt(DomainError):
    """What a variant cost before is less than it costs now, or in another currency."""

    code = "invalid-input"
    status = 400

    def __init__(self, member: str, detail: str) -> None:
        super().__init__(errors=[FieldError(f"#/compare_at/{member}", "invalid", detail)])


class SkuTaken(DomainError):
    """Another variant has this SKU, be it in other case."""

    code = "sku-taken"
    title = "SKU taken"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("#/sku", "taken", "Another variant has this SKU.")])


class VariantExists(DomainError):
    """Another variant of the product has the same options."""

    code = "variant-exists"

    def __init__(self) -> None:
        detail = "Another variant of the product has the same options."
        super().__init__(errors=[FieldError("#/options", "taken", detail)])


class OptionsDiffer(DomainError):
    """All variants of a product choose from the same options."""

    code = "options-differ"

    def __init__(self) -> None:
        detail = "Other variants of the product choose from other options."
        super().__init__(errors=[FieldError("#/options", "differ", detail)])


class CurrencyDiffers(DomainError):
    """All variants of a product cost the same currency."""

    code = "currency-differs"

    def __init__(self) -> None:
        detail = "Other variants of the product have another currency."
        super().__init__(errors=[FieldError("#/price/currency", "differ", detail)])


_REFUSALS: Final = {
    "variant_sku_key": SkuTaken,
    "variant_signature_key": VariantExists,
    "variant_options_excl": OptionsDiffer,
    "variant_currency_excl": CurrencyDiffers,
    # A value that was deleted after it had been looked up.
    "variant_choice_check": UnknownOption,
    "variant_value_value_fkey": UnknownOption,
}


def create_variant(
    *,
    product: UUID,
    sku: str,
    options: Mapping[str, str],
    price: Money,
    compare_at: Money | None = None,
    barcode: str = "",
    weight_grams: int | None = None,
    status: str = Status.DRAFT,
    position: int | None = None,
    safety: int = 0,
) -> queries.Row:
    """Add a variant to a product that the product service knows; without a position it is the last.

    options is the code of a value by the code of its option, both in any case. Gives back what was written,
    read within its transaction.
    Raises: UnknownProduct, ServiceAway, UnknownOption, TooManyOptions, InvalidCompareAt, SkuTaken,
    VariantExists, OptionsDiffer, CurrencyDiffers.
    """
    _check_product(product)
    variant = Variant(
        product=product,
        sku=sku,
        barcode=barcode,
        weight_grams=weight_grams,
        status=status,
        safety=safety,
        value_ids=_value_ids(options),
        price_minor=price.amount_minor,
        currency=price.currency,
    )
    _put_compare_at(variant, compare_at)
    with transaction.atomic(), refusing(_REFUSALS):
        variant.position = _last(product) if position is None else position
        variant.save(force_insert=True)
        return _written(variant)


@transaction.atomic
def update_variant(*, variant_id: UUID, expected: Expected, **changes: Any) -> queries.Row:
    """Set what create_variant takes, product excepted, of the version that is expected; the next one has it.

    options holds what changes alone; None takes an option away. Another price counts price_version up. What
    is set to the value it had is no change.
    Raises: NoSuchVariant, PreconditionFailed, and what create_variant raises.
    """
    variant = _lock(variant_id)
    expected.check(variant.version)
    before = {field.attname: getattr(variant, field.attname) for field in Variant._meta.concrete_fields}
    _put(variant, changes)
    changed = [name for name, value in before.items() if getattr(variant, name) != value]
    if changed:
        if {"price_minor", "currency"} & set(changed):
            variant.price_version += 1
            changed.append("price_version")
        with refusing(_REFUSALS):
            _save(variant, *changed)
    return _written(variant)


@transaction.atomic
def delete_variant(*, variant_id: UUID, expected: Expected) -> None:
    """Delete a variant, or archive it when its stock has ever moved, for the movements tell of it.

    Raises: NoSuchVariant, PreconditionFailed.
    """
    variant = _lock(variant_id)
    expected.check(variant.version)
    if not variant.movements.exists():
        variant.delete()
    elif variant.status != Status.ARCHIVED:
        variant.status = Status.ARCHIVED
        _save(variant, "status")


def _check_product(product: UUID) -> None:
    # That a product exists stays true for a while; that there is none may change at once.
    now = time.monotonic()
    if _known.get(product, now) > now:
        return
    answer = ask(_PRODUCTS, settings.PRODUCT_URL, f"/internal/products/{product}", scope="catalog:exists")
    if answer.status == 404:
        raise UnknownProduct
    if answer.json().get("exists") is not True:
        raise ServiceAway(_PRODUCTS)
    if len(_known) >= _KNOWN_LIMIT:
        _known.clear()
    _known[product] = now + _KNOWN_SECONDS


def _lock(variant_id: UUID) -> Variant:
    variant = Variant.objects.select_for_update().filter(public_id=variant_id).first()
    if variant is None:
        raise NoSuchVariant
    return variant


def _put(variant: Variant, changes: Mapping[str, Any]) -> None:
    plain = {name: value for name, value in changes.items() if name not in {"options", "price", "compare_at"}}
    for name, value in plain.items():
        setattr(variant, name, value)
    if "options" in changes:
        variant.value_ids = _value_ids(_merged(variant, changes["options"]))
    compare_at = changes.get("compare_at", variant.compare_at)
    if "price" in changes:
        variant.price_minor, variant.currency = changes["price"].amount_minor, changes["price"].currency
    if {"price", "compare_at"} & changes.keys():
        _put_compare_at(variant, compare_at)


def _merged(variant: Variant, changes: Mapping[str, str | None]) -> dict[str, str]:
    values = OptionValue.objects.filter(pk__in=variant.value_ids).select_related("option")
    merged: dict[str, str | None] = {value.option.code.lower(): value.code for value in values}
    merged |= {option.lower(): value for option, value in changes.items()}
    return {option: value for option, value in merged.items() if value is not None}


def _put_compare_at(variant: Variant, compare_at: Money | None) -> None:
    if compare_at and compare_at.currency != variant.currency:
        raise InvalidCompareAt("currency", "The price has another currency.")
    if compare_at and compare_at.amount_minor <= variant.price_minor:
        raise InvalidCompareAt("amount_minor", "It must be more than the price.")
    variant.compare_at_minor = compare_at.amount_minor if compare_at else None


def _value_ids(options: Mapping[str, str]) -> list[int]:
    # Ascending, as the database keeps them.
    if len(options) > MAX_OPTIONS:
        raise TooManyOptions
    wanted = Q(pk__in=[])
    for option, value in options.items():
        wanted |= Q(option_code=option.lower(), value_code=value.lower())
    lowered = OptionValue.objects.annotate(option_code=Lower("option__code"), value_code=Lower("code"))
    found = {value.option_code: value.pk for value in lowered.filter(wanted)}
    unknown = [option for option in options if option.lower() not in found]
    if unknown:
        raise UnknownOption(*unknown)
    return sorted(found.values())


def _last(product: UUID) -> int:
    last = Variant.objects.filter(product=product).aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def _save(variant: Variant, *fields: str) -> None:
    variant.version += 1
    variant.updated_at = timezone.now()
    variant.save(update_fields=[*fields, "version", "updated_at"])


def _written(variant: Variant) -> queries.Row:
    # Nobody can delete the row, or what it chooses, before the transaction ends.
    variant.refresh_from_db(fields=["available"])
    return queries.rows_of([variant])[0]
