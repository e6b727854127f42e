"""Every write to accounts, and the one check of a password."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import DateTimeField, Exists, Func, OuterRef
from django.db.models.functions import Now
from django.utils.crypto import get_random_string

from chassis.problems import CHALLENGE, DomainError
from gateway.accounts.models import User
from gateway.accounts.roles import CUSTOMER, GROUP_SCOPES, SUPERUSER

_logger = logging.getLogger(__name__)
_VERIFIED: Final = EmailAddress.objects.filter(verified=True)


class WrongCredentials(DomainError):
    """No active user has this e-mail and password. Which of the three it was is for the log alone."""

    code = "wrong-credentials"
    status = 401
    title = "The e-mail or the password is wrong"
    headers = {"WWW-Authenticate": CHALLENGE}


class LastSuperuser(DomainError):
    """Without this user nobody could let anybody in any more."""

    code = "last-superuser"
    status = 409
    title = "Somebody must remain who may do everything"


class UnknownGroup(DomainError):
    """A group that is not in the table of roles."""

    code = "unknown-group"
    status = 422
    title = "There is no such group"


class _ClockTime(Func):
    # Not when the transaction began: hashing takes long, and a log-in with the old password may come between.
    function = "clock_timestamp"
    output_field = DateTimeField()


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A user whose password was right, and the database's time just before it was looked at."""

    user: User
    at: datetime


def authenticate(*, email: str, password: str, may_be_unverified: bool = False) -> Authenticated:
    """The active user with this e-mail, proved to be theirs unless told otherwise, and password.

    Unknown, wrong, inactive and unverified cost the same hashing and give the same answer, so that nobody
    can find out who has an account (ASVS 6.3.8).
    Raises: WrongCredentials.
    """
    user = (
        User.objects.with_email(email)
        .annotate(looked_up_at=Now(), is_verified=Exists(_VERIFIED.filter(user=OuterRef("pk"))))
        .first()
    )
    # A user's own check also brings an outdated hash up to date.
    is_right = user.check_password(password) if user else check_password(password, _nobodys_password())
    if user is None or not is_right or not user.is_active or not (user.is_verified or may_be_unverified):
        reason = "unknown" if user is None else "wrong" if not is_right else _why_not(user)
        _logger.info("Refused a log-in.", extra={"reason": reason, "sub": str(user or "")})
        raise WrongCredentials
    return Authenticated(user, user.looked_up_at)


def _why_not(user: User) -> str:
    return "unverified" if user.is_active else "inactive"


@transaction.atomic
def save_user(*, email: str, password: str, groups: Sequence[str]) -> User:
    """Create the user with this e-mail, or give an existing one this password and exactly these groups.

    An operator vouches for the e-mail. Sessions that began before a change of password or groups are void
    from then on; the same again changes nothing.
    Raises: UnknownGroup.
    """
    wanted = _groups(groups)
    user = User.objects.with_email(email).select_for_update().first()
    if user is None:
        user = User.objects.create_user(email, password)
        user.groups.set(wanted)
        verify_email(user)
        return user
    verify_email(user)
    changed = []
    if not check_password(password, user.password):
        user.set_password(password)
        changed.append("password")
    if set(user.groups.all()) != set(wanted):
        user.groups.set(wanted)
        changed.append("groups")
    if changed:
        _logger.info("Changed an account.", extra={"sub": str(user), "changed": len(changed)})
        user.credentials_changed_at = _ClockTime()
        user.save(update_fields=["password", "credentials_changed_at"])
    return user


@transaction.atomic
def create_customer(*, email: str, password: str) -> User:
    """A new user of the shop, whose e-mail nobody has proved yet.

    Raises: django.db.IntegrityError when the e-mail is taken.
    """
    user = User.objects.create_user(email, password)
    user.groups.set(_groups([CUSTOMER]))
    _logger.info("Somebody signed up.", extra={"sub": str(user)})
    return user


def change_password(*, user: User, password: str) -> None:
    """Give a user another password. Every session that began earlier is void, wherever it is."""
    user.set_password(password)
    user.credentials_changed_at = _ClockTime()
    user.save(update_fields=["password", "credentials_changed_at"])
    user.refresh_from_db(fields=["credentials_changed_at"])
    _logger.info("Changed a password.", extra={"sub": str(user)})


@transaction.atomic
def change_access(*, user_id: int, groups: Sequence[str], is_active: bool) -> None:
    """Let a user be in exactly these groups, and log in or not. The same again changes nothing.

    Every session that began before a change is void.
    Raises: UnknownGroup, LastSuperuser.
    """
    wanted = _groups(groups)
    # The one row that everybody waits for here, so that two superusers cannot remove each other.
    superuser = Group.objects.select_for_update().get(name=SUPERUSER)
    user = User.objects.select_for_update().get(pk=user_id)
    if set(user.groups.all()) == set(wanted) and user.is_active == is_active:
        return
    user.groups.set(wanted)
    user.is_active = is_active
    user.credentials_changed_at = _ClockTime()
    user.save(update_fields=["is_active", "credentials_changed_at"])
    if not superuser.user_set.filter(is_active=True).exists():
        raise LastSuperuser
    _logger.info("Changed an account.", extra={"sub": str(user), "is_active": is_active})


def hash_in_vain(password: str) -> None:
    """The work of making an account, for an e-mail that has one already."""
    make_password(password)


def verify_email(user: User) -> None:
    """Note that the user's e-mail is theirs."""
    address, _ = EmailAddress.objects.get_or_create(
        user=user, email=user.email.lower(), defaults={"verified": True, "primary": True}
    )
    if not (address.verified and address.primary):
        EmailAddress.objects.filter(pk=address.pk).update(verified=True, primary=True)


def _groups(names: Sequence[str]) -> list[Group]:
    unknown = sorted(set(names) - GROUP_SCOPES.keys())
    if unknown:
        raise UnknownGroup(f"Unknown group {', '.join(unknown)}.")
    return list(Group.objects.filter(name__in=names).order_by("id"))


@cache
def _nobodys_password() -> str:
    # A hash that no password matches, with the work factor of a real one.
    return make_password(get_random_string(32))
