"""Writes of options and their values. Values have no version: each write makes one of their option."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet

from catalog_variant import queries
from catalog_variant.models import Display, Option, OptionValue
from chassis.django.constraints import refusing
from chassis.django.etags import ANY, Expected
from chassis.problems import DomainError, FieldError


class NoSuchOption(DomainError):
    """There is no option, or none of its values, with this id."""

    code = "not-found"
    status = 404


class CodeTaken(DomainError):
    """Another option, or another value of the same option, has this code, be it in other case."""

    code = "code-taken"

    def __init__(self, pointer: str = "#/code") -> None:
        super().__init__(errors=[FieldError(pointer, "taken", "Another one has this code.")])


class OptionInUse(DomainError):
    """What a variant has chosen is not deleted."""

    code = "option-in-use"

    def __init__(self) -> None:
        super().__init__("Delete the variants that have it, or give them another one.")


_VALUE_CODE: Final = "option_value_code_key"
_IN_USE: Final = {"variant_value_value_fkey": OptionInUse}


@transaction.atomic
def create_option(
    *,
    code: str,
    name: str,
    display: str = Display.PILL,
    position: int | None = None,
    values: Sequence[Mapping[str, Any]] = (),
) -> Option:
    """Add an option with values (each the arguments of add_value), in their order unless they state another.

    Without a position it is the last. Gives it back with its values. Raises: CodeTaken.
    """
    option = Option(code=code, name=name, display=display)
    option.position = _place(Option.objects.all(), position)
    with refusing({"option_code_key": CodeTaken}):
        option.save(force_insert=True)
    rows = [OptionValue(option=option, **_placed(value, index)) for index, value in enumerate(values)]
    with refusing({_VALUE_CODE: partial(CodeTaken, "#/values")}):
        OptionValue.objects.bulk_create(rows)
    return _written(option)


@transaction.atomic
def update_option(*, option_id: UUID, expected: Expected, **changes: Any) -> Option:
    """Set code, name, display or position of the version that is expected; the next one has them.

    What is set to the value it had is no change. Gives the option back with its values.
    Raises: NoSuchOption, PreconditionFailed, CodeTaken.
    """
    option = _lock(option_id, expected)
    changed = _set(option, changes)
    if changed:
        with refusing({"option_code_key": CodeTaken}):
            _save_version(option, *changed)
    return _written(option)


@transaction.atomic
def delete_option(*, option_id: UUID, expected: Expected) -> None:
    """Delete an option that no variant chooses from, with its values.

    Raises: NoSuchOption, PreconditionFailed, OptionInUse.
    """
    option = _lock(option_id, expected)
    with refusing(_IN_USE):
        option.delete()


@transaction.atomic
def add_value(
    *, option_id: UUID, code: str, name: str, swatch: str = "", position: int | None = None
) -> OptionValue:
    """Add a value to an option, as the last without a position; swatch is a color as #rrggbb, or empty.

    Raises: NoSuchOption, CodeTaken.
    """
    option = _lock(option_id, ANY)
    value = OptionValue(option=option, code=code, name=name, swatch=swatch)
    value.position = _place(option.values.all(), position)
    with refusing({_VALUE_CODE: CodeTaken}):
        value.save(force_insert=True)
    _save_version(option)
    return value


@transaction.atomic
def update_value(*, option_id: UUID, value_id: UUID, expected: Expected, **changes: Any) -> OptionValue:
    """Set code, name, swatch or position of a value; expected is the version of its option, which counts on.

    Raises: NoSuchOption, PreconditionFailed, CodeTaken.
    """
    option = _lock(option_id, expected)
    value = _value(option, value_id)
    changed = _set(value, changes)
    if changed:
        with refusing({_VALUE_CODE: CodeTaken}):
            value.save(update_fields=changed)
        _save_version(option)
    return value


@transaction.atomic
def delete_value(*, option_id: UUID, value_id: UUID, expected: Expected) -> Option:
    """Delete a value that no variant has; gives back its option in its new version.

    Raises: NoSuchOption, PreconditionFailed, OptionInUse.
    """
    option = _lock(option_id, expected)
    value = _value(option, value_id)
    with refusing(_IN_USE):
        value.delete()
    _save_version(option)
    return option


def _lock(option_id: UUID, expected: Expected) -> Option:
    option = Option.objects.select_for_update().filter(public_id=option_id).first()
    if option is None:
        raise NoSuchOption
    expected.check(option.version)
    return option


def _value(option: Option, value_id: UUID) -> OptionValue:
    value = option.values.filter(public_id=value_id).first()
    if value is None:
        raise NoSuchOption
    # The very object whose version counts on.
    value.option = option
    return value


def _placed(value: Mapping[str, Any], index: int) -> dict[str, Any]:
    given = {name: member for name, member in value.items() if member is not None}
    return {"position": index} | given


def _place(siblings: QuerySet[Any], position: int | None) -> int:
    if position is not None:
        return position
    last = siblings.aggregate(last=Max("position"))["last"]
    return 0 if last is None else int(last) + 1


def _set(row: Any, changes: Mapping[str, Any]) -> list[str]:
    changed = [name for name, value in changes.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, changes[name])
    return changed


def _save_version(option: Option, *fields: str) -> None:
    option.version += 1
    option.save(update_fields=[*fields, "version"])


def _written(option: Option) -> Option:
    # Nobody can delete the row before the transaction ends.
    return queries.options().get(pk=option.pk)
