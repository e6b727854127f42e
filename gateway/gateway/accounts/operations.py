"""Every write to accounts, and the one check of a password."""

import logging
import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from allauth.account.models import EmailAddress
from argon2.low_level import ARGON2_VERSION
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import DateTimeField, Exists, Func, OuterRef
from django.db.models.functions import Now

from chassis.problems import CHALLENGE, DomainError
from gateway.accounts import login_codes, notices
from gateway.accounts.factors import set_totp
from gateway.accounts.hashers import Argon2
from gateway.accounts.models import User
from gateway.accounts.roles import CUSTOMER, GROUP_SCOPES, SUPERUSER
from gateway.limits import devices
from gateway.limits.operations import NOTHING, Claim, Taken, give_back, take_together
from gateway.limits.quotas import LOG_IN, LOG_IN_ADDRESS, LOG_IN_UNKNOWN
from gateway.limits.visitors import NOBODY, Visitor
from gateway.tokens.revocations import revoke_sub

_logger = logging.getLogger(__name__)
_VERIFIED: Final = EmailAddress.objects.filter(verified=True)
_DAY: Final = timedelta(days=1)
_LOGIN_CODE_MAILED: Final = (
    "There were many attempts with this e-mail. If it has an account, a code was mailed to it: send that too."
)
_WRONG_LOGIN_CODE: Final = "This is not the code, or not the latest one."


class WrongCredentials(DomainError):
    """No active user has this e-mail and password. Which of the three it was is for the log alone."""

    code = "wrong-credentials"
    status = 401
    title = "The e-mail or the password is wrong"

    def __init__(self, taken: Taken = NOTHING) -> None:
        super().__init__()
        self.headers = {"WWW-Authenticate": CHALLENGE, **taken.headers}


class LoginCodeRequired(DomainError):
    """Many have tried this e-mail, and the device is new to it: only who reads its mail may go on.

    It says nothing about the password, nor whether there is an account.
    """

    code = "login-code-required"
    status = 401
    title = "A code from a mail is needed to log in from here"

    def __init__(self, taken: Taken, detail: str) -> None:
        super().__init__(detail)
        self.headers = {"WWW-Authenticate": CHALLENGE, **taken.headers}


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
    """A user whose password was right, and the database's time just before it was looked at.

    device is what the user knows the visitor by, empty when that is new; was_here_today says whether it was
    used within a day.
    """

    user: User
    at: datetime
    device: str = ""
    was_here_today: bool = False


def authenticate(
    *,
    email: str,
    password: str,
    code: str = "",
    visitor: Visitor = NOBODY,
    may_be_unverified: bool = False,
) -> Authenticated:
    """The active user with this e-mail, proved to be theirs unless told otherwise, and password.

    Unknown, wrong, inactive and unverified cost the same hashing and give the same answer, so that nobody
    can find out who has an account (ASVS 6.3.8). Each attempt is counted before its hash is computed, and
    not any more when it succeeds. code is one that was mailed because LoginCodeRequired said so.
    Raises: WrongCredentials, LoginCodeRequired, gateway.limits.operations.TooManyRequests.
    """
    user = (
        User.objects.with_email(email)
        .annotate(
            looked_up_at=Now(),
            is_verified=Exists(_VERIFIED.filter(user=OuterRef("pk"))),
            device_used_at=devices.last_use(visitor),
        )
        .first()
    )
    is_known = user is not None and bool(visitor.device) and user.device_used_at is not None
    # All spellings that find an account count as one.
    name = (user.email if user else email).lower()
    taken = take_together(*_claims(name, visitor, is_known=is_known))
    # A user's own check also brings an outdated hash up to date.
    is_right = user.check_password(password) if user else check_password(password, _nobodys_password())
    window = None
    if taken.exceeds(LOG_IN_UNKNOWN):
        window = login_codes.look_at(email=name, user=user, code=code)
        if window is None:
            _logger.info("Asked for a log-in code.", extra={"sub": str(user or "")})
            raise LoginCodeRequired(taken, _WRONG_LOGIN_CODE if code else _LOGIN_CODE_MAILED)
    if user is None or not is_right or not user.is_active or not (user.is_verified or may_be_unverified):
        reason = "unknown" if user is None else "wrong" if not is_right else _why_not(user)
        _logger.info("Refused a log-in.", extra={"reason": reason, "sub": str(user or "")})
        raise WrongCredentials(taken)
    if window and not login_codes.spend(window):
        raise LoginCodeRequired(taken, _WRONG_LOGIN_CODE)
    give_back(taken)
    was_here_today = is_known and user.looked_up_at - user.device_used_at < _DAY
    return Authenticated(user, user.looked_up_at, visitor.device if is_known else "", was_here_today)


def _claims(name: str, visitor: Visitor, *, is_known: bool) -> list[Claim]:
    if is_known and visitor.is_known_browser:
        # Nobody else has its name, so nobody else can use up what it has.
        return [Claim(LOG_IN, (name, visitor.device))]
    here = [Claim(LOG_IN, (name, visitor.network)), Claim(LOG_IN_ADDRESS, (visitor.address,))]
    return here if is_known else [*here, Claim(LOG_IN_UNKNOWN, (name,))]


def _why_not(user: User) -> str:
    return "unverified" if user.is_active else "inactive"


@transaction.atomic
def save_user(*, email: str, password: str, groups: Sequence[str], totp_secret: str = "") -> User:
    """Create the user with this e-mail, or give an existing one this password and exactly these groups.

    An operator vouches for the e-mail. With totp_secret (base32) that is the secret of their authenticator
    app, without it their second factors stay as they are. Sessions that began before a change are void from
    then on; the same again changes nothing.
    Raises: UnknownGroup, gateway.accounts.factors.BadSecret.
    """
    wanted = _groups(groups)
    user = User.objects.with_email(email).select_for_update().first()
    if user is None:
        user = User.objects.create_user(email, password)
        user.groups.set(wanted)
        verify_email(user)
        if totp_secret:
            set_totp(user, totp_secret)
        return user
    verify_email(user)
    changed = []
    if not check_password(password, user.password):
        user.set_password(password)
        changed.append("password")
    if set(user.groups.all()) != set(wanted):
        user.groups.set(wanted)
        changed.append("groups")
    if totp_secret and set_totp(user, totp_secret):
        changed.append("totp_secret")
    if changed:
        _logger.info("Changed an account.", extra={"sub": str(user), "changed": len(changed)})
        user.credentials_changed_at = _ClockTime()
        user.save(update_fields=["password", "credentials_changed_at"])
        revoke_sub(user)
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


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Give a user another password, and tell them so by mail.

    Every session that began earlier is void, and no device is known.
    """
    user.set_password(password)
    user.credentials_changed_at = _ClockTime()
    user.save(update_fields=["password", "credentials_changed_at"])
    user.refresh_from_db(fields=["credentials_changed_at"])
    revoke_sub(user, at=user.credentials_changed_at)
    devices.forget(user)  # Whoever knew the old password may have one.
    notices.tell_of_change(user, notices.PASSWORD_CHANGED)
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
    revoke_sub(user)
    if not superuser.user_set.filter(is_active=True).exists():
        raise LastSuperuser
    _logger.info("Changed an account.", extra={"sub": str(user), "is_active": is_active})


@transaction.atomic
def void_sessions(*, user: User) -> None:
    """Void every session of a user that began before now, wherever it is, and tokens that it was given."""
    User.objects.filter(pk=user.pk).update(credentials_changed_at=_ClockTime())
    revoke_sub(user)


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
    # What no password hashes to, with the work factor of a real one. Made without hashing: each attempt
    # costs one hash, the first of a process too.
    hasher = Argon2()
    salt, digest = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
    work = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"{hasher.algorithm}$argon2id$v={ARGON2_VERSION}${work}${salt}${digest}"
