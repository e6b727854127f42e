"""Lists by keyset: chassis.lists for Flask and SQLAlchemy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import current_app, request
from sqlalchemy import ColumnElement, Select, and_, false, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from chassis import lists

PAGE: Final = [
    {
        "in": "query",
        "name": "limit",
        "schema": {"type": "integer"},
        "description": "Rows in a page, 1 to 100; 20 when absent.",
    },
    {
        "in": "query",
        "name": "cursor",
        "schema": {"type": "string"},
        "description": "`next_cursor` of the page before.",
    },
]


@dataclass(frozen=True, slots=True)
class Key:
    """One column, of integers, texts or UUIDs, of the order of a list; together they are unique.

    They can be read in a cursor, so integer keys of the database do not belong there.
    """

    column: InstrumentedAttribute[Any]
    descending: bool = False

    @property
    def order(self) -> Any:
        """For order_by()."""
        return self.column.desc() if self.descending else self.column.asc()

    def beyond(self, value: Any) -> ColumnElement[bool]:
        """What comes after this value."""
        compared: ColumnElement[bool] = self.column < value if self.descending else self.column > value
        return compared


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list, and the cursor that continues it, or None at its end."""

    rows: list[Any]
    next_cursor: str | None


def paginate(
    session: Session, rows: Select[Any], *, key: Sequence[Key], default_limit: int = lists.DEFAULT_LIMIT
) -> Page:
    """The page that `limit` (1 to 100) and `cursor` of the query ask for, of a select of one entity.

    Raises: InvalidParameter.
    """
    limit = lists.limit_of(request.args.get("limit"), default_limit)
    after = _after(key)
    if after is not None:
        rows = rows.where(_beyond(key, after))
    found = list(session.scalars(rows.order_by(*(part.order for part in key)).limit(limit + 1)))
    next_cursor = _cursor(found[limit - 1], key) if len(found) > limit else None
    return Page(found[:limit], next_cursor)


def _after(key: Sequence[Key]) -> list[Any] | None:
    text = request.args.get("cursor")
    if text is None:
        return None
    values = lists.read_cursor(text, secret=current_app.config["SECRET_KEY"], purpose=_purpose(key))
    return [part.column.type.python_type(value) for part, value in zip(key, values, strict=True)]


def _cursor(row: Any, key: Sequence[Key]) -> str:
    values = [str(getattr(row, part.column.key)) for part in key]
    return lists.sign_cursor(values, secret=current_app.config["SECRET_KEY"], purpose=_purpose(key))


def _purpose(key: Sequence[Key]) -> str:
    # A cursor belongs to one list in one order, so one list's cursor cannot steer another.
    return f"{request.path}:{','.join(part.column.key + '-' * part.descending for part in key)}"


def _beyond(key: Sequence[Key], values: Sequence[Any]) -> ColumnElement[bool]:
    # (a, b) > (x, y) as a > x or (a = x and b > y), each in its own direction.
    condition: ColumnElement[bool] = false()
    equal: list[ColumnElement[bool]] = []
    for part, value in zip(key, values, strict=True):
        condition = or_(condition, and_(*equal, part.beyond(value)))
        equal.append(part.column == value)
    return condition
