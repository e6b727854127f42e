"""Fields of serializers that take a JSON type for what it is, and refuse what would only convert."""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.utils.text import slugify
from rest_framework import serializers

MAX_ERRORS: Final = 50
"""How many things wrong with one input are told."""

MAX_IDS: Final = 100
MAX_SLUG: Final = 80
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
SLUG_FORM: Final = r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$"


class Text(serializers.CharField):
    """A JSON string; a number is refused, however it would convert."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Slug(serializers.RegexField):
    """A JSON string that may stand in a path."""

    default_error_messages = {"invalid": "Letters a to z, digits, and single hyphens between them."}

    def __init__(self, **kwargs: Any) -> None:
        form = SLUG_FORM.replace("$", r"\Z")
        super().__init__(form, **{"max_length": MAX_SLUG, "trim_whitespace": False} | kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PublicId(serializers.UUIDField):
    """A UUID as a JSON string, in the one form with hyphens (RFC 9562 section 4)."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class WholeNumber(serializers.IntegerField):
    """A JSON integer; a string, a float or a boolean is refused."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class Ids(serializers.CharField):
    """Up to 100 UUIDs of a query, with commas between them."""

    def to_internal_value(self, data: Any) -> Any:
        parts = super().to_internal_value(data).split(",")
        if len(parts) > MAX_IDS:
            raise serializers.ValidationError(f"At most {MAX_IDS} ids.")
        return [uuid_of(part) for part in parts]


class ShortList(serializers.ListField):
    """A list of few elements; of one that is longer, none is looked at."""

    default_error_messages = {"max_length": "At most {max_length} elements."}

    def to_internal_value(self, data: Any) -> list[Any]:
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class ShortMap(serializers.DictField):
    """An object of few members; of one that has more, none is looked at."""

    default_error_messages = {"max_length": "At most {max_length} members."}

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        self.max_length = max_length
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if isinstance(data, dict) and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class StrictInput(serializers.Serializer[Any]):
    """Refuses members that it does not know, so that a misspelled one is not lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        known = {name for name, field in self.fields.items() if not field.read_only}
        unknown = (name for name in (data if isinstance(data, Mapping) else ()) if name not in known)
        errors: dict[str, Any] = {
            name: [serializers.ErrorDetail("This member is not known here.", "unknown")]
            for name in islice(unknown, MAX_ERRORS)
        }
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as exc:
            raise serializers.ValidationError({**_mapping(exc.detail), **errors}) from exc
        if errors:
            raise serializers.ValidationError(errors)
        return value


def slug_of(text: str) -> str:
    """The slug made from a text; empty when nothing of it may stand in a path."""
    return "-".join(filter(None, slugify(text).replace("_", "-")[:MAX_SLUG].split("-")))


def uuid_of(text: str) -> UUID:
    """The UUID that a query names.

    Raises: ValidationError.
    """
    try:
        return UUID(text)
    except ValueError as exc:
        raise serializers.ValidationError("Must be a valid UUID.") from exc


def _mapping(detail: Any) -> Mapping[str, Any]:
    return detail if isinstance(detail, dict) else {"non_field_errors": detail}
