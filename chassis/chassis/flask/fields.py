"""Fields of schemas that take a JSON type for what it is, and say by a code what is wrong."""

import re
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from chassis.flask.problems import Coded

MAX_IDS: Final = 100
SLUG_FORM: Final = r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*"

# Control characters, and halves of a character that no UTF-8 can hold.
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

Messages = dict[str, str | list[Any] | dict[Any, Any]]

_REQUIRED: Final[Messages] = {
    "required": Coded("required", "This field is required."),
    "null": Coded("null", "This field may not be null."),
}


class StrictInput(Schema):
    """Refuses members that it does not know, so that a misspelled one is not lost in silence."""

    error_messages = {
        "unknown": Coded("unknown", "This member is not known here."),
        "type": Coded("invalid", "Invalid input."),
    }

    class Meta:
        unknown = RAISE


class _Coded(fields.Field[Any]):
    """Keeps the code of a message, which marshmallow's own formatting would lose."""

    default_error_messages: Messages = _REQUIRED
    default_code = "invalid"

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        message = self.error_messages[key]
        if isinstance(message, Coded):
            return ValidationError([message])
        return ValidationError([Coded(self.default_code, str(message).format(**kwargs))])


class Text(_Coded, fields.String):
    """A JSON string without control characters, trimmed; blank only where it may be."""

    def __init__(self, max_length: int, *, allow_blank: bool = False, **kwargs: Any):
        minimum = None if allow_blank else 1
        super().__init__(validate=[Length(min=minimum, max=max_length)], **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        if _FORBIDDEN.search(text):
            raise ValidationError([Coded("invalid", "Control characters are not allowed.")])
        return text


class Pattern(_Coded, fields.String):
    """A JSON string of one form, taken as it is."""

    def __init__(self, form: str, message: str, **kwargs: Any) -> None:
        super().__init__(validate=[Matches(form, message)], **kwargs)


class PublicId(_Coded, fields.UUID):
    """A UUID as a JSON string."""

    default_error_messages: Messages = {"invalid_uuid": "Must be a valid UUID."}

    def _validated(self, value: Any) -> UUID:
        if not isinstance(value, str | UUID):
            raise self.make_error("invalid_uuid")
        return super()._validated(value)


class WholeNumber(_Coded, fields.Integer):
    """A JSON integer; a string, a float or a boolean is refused."""

    def __init__(self, minimum: int, maximum: int, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=[Range(minimum, maximum)], **kwargs)

    def _validated(self, value: Any) -> Any:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return value


class Choice(_Coded, fields.String):
    """One of a few JSON strings."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(validate=[OneOf(list(choices))], **kwargs)


class Moment(_Coded, fields.AwareDateTime):
    """A time in RFC 3339 with its offset, in UTC from here on; written with Z."""

    default_error_messages: Messages = dict.fromkeys(
        ("invalid", "invalid_awareness", "format"), Coded("invalid", "Use a time like 2030-01-31T09:00:00Z.")
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str):
            raise self.make_error("invalid", input=value)
        try:
            return super()._deserialize(value, attr, data, **kwargs).astimezone(UTC)
        except OverflowError as exc:
            raise self.make_error("invalid", input=value) from exc


class Several(_Coded, fields.List[Any]):
    """A JSON array of at most so many items."""

    default_error_messages: Messages = {"invalid": Coded("not-a-list", "Expected a list of items.")}

    def __init__(self, item: fields.Field[Any], max_length: int, **kwargs: Any) -> None:
        super().__init__(item, validate=[Length(max=max_length)], **kwargs)


class Part(_Coded, fields.Nested):
    """A JSON object within another."""

    default_error_messages: Messages = {"type": Coded("invalid", "Expected an object.")}


class Ids(_Coded, fields.String):
    """Up to 100 UUIDs of a query, with commas between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        parts = str(value).split(",")
        if len(parts) > MAX_IDS:
            raise ValidationError(f"At most {MAX_IDS} ids.")
        try:
            return [UUID(part) for part in parts]
        except ValueError as exc:
            raise ValidationError("Must be a valid UUID.") from exc


class Length(validate.Length):
    """Says `blank`, `min-length` or `max-length`."""

    def __call__(self, value: Any) -> Any:
        if self.min and len(value) < self.min:
            raise ValidationError([Coded("blank", "This field may not be blank.")])
        if self.max is not None and len(value) > self.max:
            what = "characters" if isinstance(value, str) else "items"
            raise ValidationError([Coded("max-length", f"At most {self.max} {what}.")])
        return value


class Range(validate.Range):
    """Says `min-value` or `max-value`; both ends are included."""

    def __init__(self, minimum: int, maximum: int) -> None:
        super().__init__(min=minimum, max=maximum)

    def __call__(self, value: Any) -> Any:
        if value < self.min:
            text = f"Ensure this value is greater than or equal to {self.min}."
            raise ValidationError([Coded("min-value", text)])
        if value > self.max:
            text = f"Ensure this value is less than or equal to {self.max}."
            raise ValidationError([Coded("max-value", text)])
        return value


class OneOf(validate.OneOf):
    """Says `invalid-choice`."""

    def __call__(self, value: Any) -> Any:
        if value not in self.choices:
            raise ValidationError([Coded("invalid-choice", f'"{value}" is not a valid choice.')])
        return value


class Matches(validate.Validator):
    """Says `invalid` of a text that is not wholly of this form."""

    def __init__(self, form: str, detail: str) -> None:
        # Anchored, for the OpenAPI document shows it.
        self.regex = re.compile(f"^(?:{form})$")
        self.detail = detail

    def __call__(self, value: str) -> str:
        if not self.regex.fullmatch(value):
            raise ValidationError([Coded("invalid", self.detail)])
        return value
