"""Lists by keyset: signed cursors and limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request

from chassis.lists import limit_of, read_cursor, sign_cursor


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and the cursor that continues it, or None at its end."""

    rows: list[Any]
    next_cursor: str | None


def paginate(queryset: QuerySet[Any], request: Request, *, key: Sequence[str]) -> Page:
    """The page of a list that `limit` (1 to 100, default 20) and `cursor` of the query ask for.

    key names the fields that order the list, as order_by() takes them; together they must be unique. They can
    be read in a cursor, so integer keys of the database do not belong there.
    Raises: InvalidParameter.
    """
    limit = limit_of(request.query_params.get("limit"))
    # A cursor belongs to one list in one order, so one list's cursor cannot steer another.
    purpose = f"{request.path}:{','.join(key)}"
    cursor = request.query_params.get("cursor")
    if cursor is not None:
        after = read_cursor(cursor, secret=settings.SECRET_KEY, purpose=purpose)
        queryset = queryset.filter(_beyond(key, after))
    rows = list(queryset.order_by(*key)[: limit + 1])
    has_more = len(rows) > limit
    return Page(rows[:limit], _cursor(rows[limit - 1], key, purpose) if has_more else None)


def _cursor(row: Model, key: Sequence[str], purpose: str) -> str:
    values = [attrgetter(name.lstrip("-").replace("__", "."))(row) for name in key]
    plain = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return sign_cursor(plain, secret=settings.SECRET_KEY, purpose=purpose)


def _beyond(key: Sequence[str], values: Sequence[Any]) -> Q:
    # (a, b) > (x, y) as a > x or (a = x and b > y), each in its own direction; and a >= x by itself, which
    # says nothing new but lets an index begin there instead of at the top of the list.
    condition = Q(pk__in=[])
    equal = Q()
    for name, value in zip(key, values, strict=True):
        field, direction = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{field}__{direction}": value})
        equal &= Q(**{field: value})
    first, direction = key[0].lstrip("-"), "lte" if key[0].startswith("-") else "gte"
    return Q(**{f"{first}__{direction}": values[0]}) & condition
