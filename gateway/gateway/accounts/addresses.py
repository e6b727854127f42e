"""What an address is, and every write to one. Whoever asks, named by `sub`, reaches nothing but their own."""

import re
from typing import Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from chassis.problems import DomainError
from gateway.accounts.models import Address, User

MOST: Final = 20
MOST_LINES: Final = 3
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()/.-]{3,30}", re.ASCII)


class TooManyAddresses(DomainError):
    """This user has as many addresses as anybody may have."""

    code = "too-many-addresses"
    status = 409
    title = "There are as many addresses as there may be"


class UnknownAddress(DomainError):
    """The user has no such address; somebody else may."""

    code = "not-found"
    status = 404


def require_one_line(text: str) -> None:
    """Raises: ValidationError where a text could not be printed on one line of a letter."""
    if not text.isprintable():
        raise ValidationError("This must be one line of plain text.", code="invalid")


def require_phone(text: str) -> None:
    """Raises: ValidationError where a text is no telephone number as people write them."""
    if not _PHONE.fullmatch(text):
        raise ValidationError("This must be a telephone number.", code="invalid")


def addresses_of(sub: UUID | str) -> QuerySet[Address]:
    """A user's addresses: the default first, then in the order in which they were added."""
    return Address.objects.filter(user__public_id=sub, user__is_active=True).order_by("-is_default", "id")


def get_address(*, sub: UUID | str, public_id: UUID) -> Address:
    """One of a user's addresses.

    Raises: UnknownAddress.
    """
    address = addresses_of(sub).filter(public_id=public_id).first()
    if address is None:
        raise UnknownAddress
    return address


@transaction.atomic
def add_address(*, sub: UUID | str, **fields: Any) -> Address:
    """Keep another address. The first is the default, and so is a later one that says so.

    Raises: TooManyAddresses.
    """
    user = _take_turns(sub)
    count = Address.objects.filter(user=user).count()
    if count >= MOST:
        raise TooManyAddresses(f"Nobody may have more than {MOST}.")
    fields["is_default"] = fields.get("is_default", False) or count == 0
    if fields["is_default"]:
        _forget_default(user)
    return Address.objects.create(user=user, **fields)


@transaction.atomic
def change_address(*, sub: UUID | str, public_id: UUID, **fields: Any) -> Address:
    """Give fields of an address other values. With is_default it is the default, and no other is.

    Raises: UnknownAddress.
    """
    user = _take_turns(sub)
    address = get_address(sub=sub, public_id=public_id)
    if fields.get("is_default") and not address.is_default:
        _forget_default(user)
    for name, value in fields.items():
        setattr(address, name, value)
    if fields:
        address.save(update_fields=list(fields))
    return address


def remove_address(*, sub: UUID | str, public_id: UUID) -> None:
    """Forget an address. When it was the default there is none until another is chosen.

    Raises: UnknownAddress.
    """
    removed, _ = Address.objects.filter(user__public_id=sub, public_id=public_id).delete()
    if not removed:
        raise UnknownAddress


def _take_turns(sub: UUID | str) -> User:
    # Two that are fine alone could be one too many together, or two defaults.
    user = User.objects.select_for_update(no_key=True).filter(public_id=sub, is_active=True).first()
    if user is None:
        raise UnknownAddress
    return user


def _forget_default(user: User) -> None:
    Address.objects.filter(user=user, is_default=True).update(is_default=False)
