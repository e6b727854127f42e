"""The browsers and networks from which a user has logged in before, whom no stranger can slow down."""

import secrets
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.db import connection
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac

from gateway.accounts.models import User
from gateway.limits.models import KnownDevice
from gateway.limits.visitors import NOBODY, Visitor, browser_at, client_at

LIFETIME: Final = timedelta(days=365)
"""How long a browser is known after its last log-in; a network, behind which others can be, is for less."""

NETWORK_LIFETIME: Final = timedelta(days=30)

# What RETURNING reads in a table is what was there before the statement.
_REMEMBER: Final = """
INSERT INTO limits_knowndevice (user_id, key, last_used_at, expires_at)
VALUES (%(user)s, %(key)s, %(now)s, %(expires_at)s)
ON CONFLICT (user_id, key) DO UPDATE SET
    last_used_at = excluded.last_used_at, expires_at = excluded.expires_at
RETURNING (
    SELECT bool_and(one.key <> %(key)s) FROM limits_knowndevice AS one
    WHERE one.user_id = %(user)s AND one.expires_at > %(now)s)
"""


def client_of(request: HttpRequest) -> Visitor:
    """Who asks the API. Its cookies say nothing there."""
    return client_at(request.META.get("REMOTE_ADDR", ""))


def browser_of(request: HttpRequest | None) -> Visitor:
    """Who asks for a page. Without a request it is somebody at this machine."""
    if request is None:
        return NOBODY
    return browser_at(request.META.get("REMOTE_ADDR", ""), name=_name_of(request))


def last_use(visitor: Visitor) -> Subquery:
    """For a query of users: when each last logged in from where this visitor is; None where that is new."""
    known = KnownDevice.objects.filter(user=OuterRef("pk"), key=_key(visitor), expires_at__gt=timezone.now())
    return Subquery(known.values("last_used_at"))


def is_known(email: str, visitor: Visitor) -> bool:
    """Whether the user with this e-mail, if there is one, has logged in from there before."""
    users = User.objects.with_email(email)
    known = KnownDevice.objects.filter(user__in=users, key=_key(visitor), expires_at__gt=timezone.now())
    return bool(visitor.device) and known.exists()


def known_device(user: User, visitor: Visitor) -> str:
    """What the user knows a visitor by, empty when that is new."""
    return visitor.device if is_known(user.email, visitor) else ""


def remember(user: User, visitor: Visitor) -> bool:
    """Note that a user has proved who they are from there.

    Says whether it is another device: others are known, and it was not.
    """
    if not visitor.device:
        return False
    now = timezone.now()
    life = LIFETIME if visitor.is_known_browser else NETWORK_LIFETIME
    values: dict[str, Any] = {"user": user.pk, "key": _key(visitor), "now": now, "expires_at": now + life}
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, values)
        [is_another] = cursor.fetchone()
    return bool(is_another)


def remember_browser(user: User, request: HttpRequest) -> bool:
    """The same for a browser, which gets a name by which it is known from now on."""
    name = _name_of(request) or secrets.token_urlsafe(18)
    request.device_name = name  # type: ignore[attr-defined]
    return remember(user, browser_at(request.META.get("REMOTE_ADDR", ""), name=name))


def forget(user: User) -> None:
    """Know a user's devices no more."""
    KnownDevice.objects.filter(user=user).delete()


def set_cookie(request: HttpRequest, response: HttpResponseBase) -> None:
    """Give a browser the name that this request got it."""
    name = getattr(request, "device_name", "")
    if name:
        response.set_cookie(
            settings.DEVICE_COOKIE_NAME,
            _signer().sign(name),
            max_age=LIFETIME,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def _name_of(request: HttpRequest) -> str:
    try:
        return _signer().unsign(request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""))
    except signing.BadSignature:
        return ""


def _signer() -> signing.Signer:
    return signing.Signer(sep=".", salt="gateway.limits.devices")


def _key(visitor: Visitor) -> str:
    return salted_hmac("gateway.limits.devices", visitor.device, algorithm="sha256").hexdigest()
