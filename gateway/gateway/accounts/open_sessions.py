"""Where somebody is logged in: browsers and programs in one list, and the end of each."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Max
from django.db.models.functions import Coalesce

from gateway.accounts import sessions
from gateway.accounts.models import StoredSession, User
from gateway.tokens.models import RefreshFamily
from gateway.tokens.operations import end_families, end_family

# The first that is found counts: all of them name those that they are like, too.
_BROWSERS: Final = (
    *(("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox")),
    *(("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl")),
)
_SYSTEMS: Final = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows")),
    *(("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux")),
)
_PRODUCT: Final = re.compile(r"[A-Za-z][\w.-]{0,30}", re.ASCII)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A place where somebody is logged in. network is empty when it is not known."""

    sid: UUID
    is_browser: bool
    is_this: bool
    device: str
    network: str
    began_at: datetime
    seen_at: datetime


def open_sessions(user: User, *, now: datetime, this: str = "") -> list[OpenSession]:
    """Where a user is logged in, the session with the public id `this` first, then the last used."""
    browsers = [_browser(row, this) for row in sessions.sessions_of(user, now=now)]
    programs = [_program(family, this) for family in _families_of(user, now)]
    return sorted(browsers + programs, key=lambda one: (one.is_this, one.seen_at), reverse=True)


def end_session(user: User, sid: UUID) -> bool:
    """End one of a user's sessions; False when the user has none with this public id."""
    if sessions.end_one(user, sid):
        return True
    is_theirs = RefreshFamily.objects.filter(user=user, sid=sid).exists()
    return is_theirs and end_family(sid=sid, reason=RefreshFamily.Reason.LOGOUT)


def end_others(user: User, *, except_key: str | None = None, except_sid: str = "") -> int:
    """End every session of a user but that of the browser with this key or that of the program with this
    sid; says how many there were.
    """
    return sessions.end_all(user, except_key) + end_families(user=user, except_sid=except_sid)


def device_of(user_agent: str) -> str:
    """What a User-Agent says of a device, in a few words; it is whatever its sender wants it to be."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return f"{browser} on {system}"
    product = _PRODUCT.match(user_agent)
    return browser or system or (product[0] if product else "Unknown device")


def _families_of(user: User, now: datetime) -> list[RefreshFamily]:
    live = RefreshFamily.objects.filter(
        user=user,
        revoked_at=None,
        absolute_expires_at__gt=now,
        authenticated_at__gte=user.credentials_changed_at,
        tokens__expires_at__gt=now,
    )
    return list(live.annotate(seen_at=Coalesce(Max("tokens__issued_at"), "created_at")).order_by("id"))


def _browser(row: StoredSession, this: str) -> OpenSession:
    # One with a user has all three: a constraint sees to it.
    return OpenSession(
        sid=row.sid,  # type: ignore[arg-type]
        is_browser=True,
        is_this=str(row.sid) == this,
        device=device_of(row.user_agent),
        network=row.ip_prefix,
        began_at=row.began_at,  # type: ignore[arg-type]
        seen_at=row.seen_at,  # type: ignore[arg-type]
    )


def _program(family: RefreshFamily, this: str) -> OpenSession:
    return OpenSession(
        sid=family.sid,
        is_browser=False,
        is_this=str(family.sid) == this,
        device=device_of(family.user_agent),
        network=family.ip_prefix,
        began_at=family.created_at,
        seen_at=family.seen_at,  # type: ignore[attr-defined]
    )
