"""Lists by keyset: signed cursors and limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from django.core import signing
from django.db.models import Model, Q, QuerySet
from rest_framework.request import Request

from chassis.django.parameters import InvalidParameter

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100


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
    limit = _limit(request)
    after = _after(request, key)
    if after is not None:
        queryset = queryset.filter(_beyond(key, after))
    rows = list(queryset.order_by(*key)[: limit + 1])
    has_more = len(rows) > limit
    return Page(rows[:limit], _cursor(rows[limit - 1], request, key) if has_more else None)


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT):
        raise InvalidParameter("limit", f"The limit must be a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def _after(request: Request, key: Sequence[str]) -> list[Any] | None:
    text = request.query_params.get("cursor")
    if text is None:
        return None
    try:
        values = signing.loads(text, salt=_salt(request, key))
    except (signing.BadSignature, ValueError) as exc:
        raise InvalidParameter("cursor", "The cursor is not one of this list.") from exc
    return list(values)


def _cursor(row: Model, request: Request, key: Sequence[str]) -> str:
    values = [attrgetter(name.lstrip("-").replace("__", "."))(row) for name in key]
    plain = [value.isoformat() if isinstance(value, datetime) else str(value) for value in values]
    return signing.dumps(plain, salt=_salt(request, key))


def _salt(request: Request, key: Sequence[str]) -> str:
    # A cursor belongs to one list in one order, so one list's cursor cannot steer another.
    return f"cursor:{request.path}:{','.join(key)}"


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
