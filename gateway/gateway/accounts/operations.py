"""Every write to accounts, and the one check of a password."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models.functions import Now
from django.utils.crypto import get_random_string

from chassis.problems import CHALLENGE, DomainError
from gateway.accounts.models import User
from gateway.accounts.roles import GROUP_SCOPES

_logger = logging.getLogger(__name__)


class WrongCredentials(DomainError):
    """No active user has this e-mail and password. Which of the three it was is for the log alone."""

    code = "wrong-credentials"
    status = 401
    title = "The e-mail or the password is wrong"
    headers = {"WWW-Authenticate": CHALLENGE}


class UnknownGroup(DomainError):
    """A group that is not in the table of roles."""

    code = "unknown-group"
    status = 422
    title = "There is no such group"


@dataclass(frozen=True, slots=True)
class Authenticated:
    """A user whose password was right, and the database's time just before it was looked at."""

    user: User
    at: datetime


def authenticate(*, email: str, password: str) -> Authenticated:
    """The active user with this e-mail and password.

    Unknown, wrong and inactive cost the same hashing and give the same answer, so that nobody can find
    out who has an account (ASVS 6.3.8).
    Raises: WrongCredentials.
    """
    user = User.objects.with_email(email).annotate(looked_up_at=Now()).first()
    # A user's own check also brings an outdated hash up to date.
    is_right = user.check_password(password) if user else check_password(password, _nobodys_password())
    if user is None or not is_right or not user.is_active:
        reason = "unknown" if user is None else "wrong" if not is_right else "inactive"
        _logger.info("Refused a log-in.", extra={"reason": reason, "sub": str(user or "")})
        raise WrongCredentials
    return Authenticated(user, user.looked_up_at)


@transaction.atomic
def save_user(*, email: str, password: str, groups: Sequence[str]) -> User:
    """Create the user with this e-mail, or give an existing one this password and exactly these groups.

    Sessions that began before a change of either are void from then on; the same again changes nothing.
    Raises: UnknownGroup.
    """
    wanted = _groups(groups)
    user = User.objects.with_email(email).select_for_update().first()
    if user is None:
        user = User.objects.create_user(email, password)
        user.groups.set(wanted)
        return user
    changed = []
    if not check_password(password, user.password):
        user.set_password(password)
        changed.append("password")
    if set(user.groups.all()) != set(wanted):
        user.groups.set(wanted)
        changed.append("groups")
    if changed:
        _logger.info("Changed an account.", extra={"sub": str(user), "changed": len(changed)})
        user.credentials_changed_at = Now()
        user.save(update_fields=["password", "credentials_changed_at"])
    return user


def _groups(names: Sequence[str]) -> list[Group]:
    unknown = sorted(set(names) - GROUP_SCOPES.keys())
    if unknown:
        raise UnknownGroup(f"Unknown group {', '.join(unknown)}.")
    return list(Group.objects.filter(name__in=names).order_by("id"))


@cache
def _nobodys_password() -> str:
    # A hash that no password matches, with the work factor of a real one.
    return make_password(get_random_string(32))
