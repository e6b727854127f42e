"""Reads of variants and stock, each a fixed number of statements however many there are."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Prefetch, QuerySet

from catalog_variant.models import Option, OptionValue, Status, StockMovement, Variant

IN_STOCK: Final = "in_stock"
LOW_STOCK: Final = "low_stock"
OUT_OF_STOCK: Final = "out_of_stock"

_SUMMARIES: Final = """
    WITH shown AS (
        SELECT * FROM variant WHERE product = ANY(%s::uuid[]) AND status = 'published'
    ), chosen AS (
        SELECT DISTINCT product, unnest(value_ids) AS value_id FROM shown
    ), choice AS (
        SELECT c.product, o.position, o.public_id, o.code, o.name, o.display,
               jsonb_agg(jsonb_build_object('code', v.code, 'name', v.name, 'swatch', v.swatch)
                         ORDER BY v.position, v.public_id) AS found
          FROM chosen c JOIN option_value v ON v.id = c.value_id JOIN option o ON o.id = v.option_id
         GROUP BY c.product, o.id
    ), choices AS (
        SELECT product, jsonb_agg(jsonb_build_object('code', code, 'name', name, 'display', display,
                                                     'values', found) ORDER BY position, public_id) AS options
          FROM choice GROUP BY product
    )
    SELECT s.product, count(*), min(s.currency), min(s.price_minor), max(s.price_minor),
           min(s.compare_at_minor), bool_or(s.available > 0),
           coalesce((SELECT options FROM choices c WHERE c.product = s.product), '[]')
      FROM shown s GROUP BY s.product ORDER BY s.product
"""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a variant can be bought; left is how many units are, told only when they are few."""

    state: str
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of a variant's stock, in units."""

    id: UUID
    variant: UUID
    delta: int
    on_hand_after: int
    reason: str
    note: str
    actor: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list of products shows of one: its published variants, prices in minor units, their options.

    options is as the API shows it: [{code, name, display, values: [{code, name, swatch}]}].
    """

    product: UUID
    variants: int
    currency: str
    price_min_minor: int
    price_max_minor: int
    compare_at_min_minor: int | None
    in_stock: bool
    options: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """A variant with what it chooses: codes of values by codes of their options, in the order of these."""

    variant: Variant
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Matrix:
    """All that a picker needs of one product; choices are the values that its variants have, in order."""

    product: UUID
    choices: Mapping[Option, Sequence[OptionValue]]
    rows: Sequence[Row]


def availability_of(available: int) -> Availability:
    """How a number of units that can be sold is shown; up to settings.LOW_STOCK they count as few."""
    if available <= 0:
        return Availability(OUT_OF_STOCK)
    return Availability(LOW_STOCK, available) if available <= settings.LOW_STOCK else Availability(IN_STOCK)


def options() -> QuerySet[Option]:
    """Options with their values in order."""
    values = OptionValue.objects.order_by("position", "public_id")
    return Option.objects.prefetch_related(Prefetch("values", queryset=values))


def rows_of(variants: Sequence[Variant]) -> list[Row]:
    """Variants with what they choose; one statement finds all of it."""
    return _rows(variants, _chosen(variants))


def matrix(product: UUID) -> Matrix:
    """The published variants of a product in order, in two statements."""
    variants = list(Variant.objects.visible().filter(product=product).order_by("position", "public_id"))
    chosen = _chosen(variants)
    choices: dict[Option, list[OptionValue]] = {}
    for value in chosen:
        choices.setdefault(value.option, []).append(value)
    return Matrix(product, choices, _rows(variants, chosen))


def summaries(products: Sequence[UUID]) -> list[Summary]:
    """One for each of these products that has a published variant, by product id; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMMARIES, [list(products)])
        return [Summary(*(*row[:-1], json.loads(row[-1]))) for row in cursor.fetchall()]


def low_stock() -> QuerySet[Variant]:
    """Variants that are not archived and of which few units can be sold, or none."""
    return Variant.objects.exclude(status=Status.ARCHIVED).filter(available__lte=settings.LOW_STOCK)


def movement_of(movement: StockMovement) -> Movement:
    """A movement that was fetched with its variant."""
    return Movement(
        id=movement.public_id,
        variant=movement.variant.public_id,
        delta=movement.delta,
        on_hand_after=movement.on_hand_after,
        reason=movement.reason,
        note=movement.note,
        actor=movement.actor_sub,
        created_at=movement.created_at,
    )


def _chosen(variants: Iterable[Variant]) -> list[OptionValue]:
    # In the order in which a picker shows them.
    wanted = {value_id for variant in variants for value_id in variant.value_ids}
    values = OptionValue.objects.filter(pk__in=wanted).select_related("option")
    return list(values.order_by("option__position", "option__public_id", "position", "public_id"))


def _rows(variants: Iterable[Variant], chosen: Sequence[OptionValue]) -> list[Row]:
    places = {value.pk: place for place, value in enumerate(chosen)}
    codes = [(value.option.code, value.code) for value in chosen]
    rows = []
    for variant in variants:
        # A value that is gone since the variant was read is no longer chosen.
        present = sorted(places[each] for each in variant.value_ids if each in places)
        rows.append(Row(variant, dict(codes[place] for place in present)))
    return rows
