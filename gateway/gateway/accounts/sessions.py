"""Sessions of browsers: how they begin, what they say, and what ends them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, middleware
from django.contrib.auth.models import AnonymousUser, Group
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import OuterRef
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from chassis.ids import uuid7
from gateway.accounts.models import User
from gateway.accounts.roles import STAFF, roles_of, scopes_of


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lives without a request, and at all; what was seen is written no oftener than once
    in `written`.
    """

    idle: timedelta
    absolute: timedelta
    written: timedelta


SHOPPER: Final = Limits(timedelta(days=14), timedelta(days=30), timedelta(hours=1))
STAFF_MEMBER: Final = Limits(timedelta(minutes=30), timedelta(hours=12), timedelta(minutes=1))

_SID: Final = "sid"
_AUTHENTICATED_AT: Final = "authenticated_at"
_SEEN_AT: Final = "seen_at"
_AUTH_TIME: Final = "auth_time"
_AMR: Final = "amr"
_KEY: Final = re.compile(r"[0-9a-z]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """Who is logged in with a cookie, since when (auth_time, Unix seconds) and how (amr, RFC 8176).

    sid is the session's public id; the key, which is the cookie's value, stands in no token and no log.
    """

    user: User
    groups: tuple[str, ...]
    sid: str
    auth_time: int
    amr: tuple[str, ...]

    @property
    def sub(self) -> str:
        """The public id of the user."""
        return str(self.user.public_id)

    @property
    def scopes(self) -> frozenset[str]:
        """Everything the user may do."""
        return scopes_of(self.groups)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles claim of the user's tokens."""
        return roles_of(self.groups)

    @property
    def is_staff(self) -> bool:
        """Whether the user works here."""
        return STAFF in self.roles


class AuthenticationMiddleware(middleware.AuthenticationMiddleware):
    """Django's, with our rules of what ends a session: `request.user` is anonymous at once when one does.

    The session is looked at when `request.user` is; a page that asks for neither costs no query.
    """

    def process_request(self, request: HttpRequest) -> None:
        request.user = SimpleLazyObject(lambda: _user(request))  # type: ignore[assignment]


def browser_session(request: HttpRequest) -> BrowserSession | None:
    """The session of the logged-in user, None for everyone else. Looked up once a request."""
    if not hasattr(request, "session"):
        return None  # Refused before anybody asked who it is; the page that says so has a header too.
    if not hasattr(request, "_browser_session"):
        found = live_session(request.session, now=timezone.now())
        request._browser_session = found  # type: ignore[attr-defined]
    session: BrowserSession | None = request._browser_session  # type: ignore[attr-defined]
    return session


def session_of_cookie(key: str, *, now: datetime) -> BrowserSession | None:
    """The session that a cookie's value stands for, None when it stands for none."""
    return live_session(SessionStore(key), now=now) if _KEY.fullmatch(key) else None


def live_session(store: SessionBase, *, now: datetime) -> BrowserSession | None:
    """What a stored session says, None when nobody is logged in with it.

    One that is void is ended here: the user is inactive or gone, the password or the groups have changed
    since, nobody used it for too long, or it is too old (ASVS 7.3.1, 7.3.2, 7.4.2, 7.4.3).
    """
    if SESSION_KEY not in store:
        return None
    found = _read(store)
    if found is None or not _is_in_time(store, found, now):
        store.flush()
        return None
    return found if _has_been_seen(store, limits_of(found), now) else None


def limits_of(session: BrowserSession) -> Limits:
    """How long such a session may live."""
    return STAFF_MEMBER if session.is_staff else SHOPPER


def begin(store: SessionBase, user: User, *, amr: tuple[str, ...] = ("pwd",)) -> None:
    """Note in a session who has just logged in with it: a new public id, the time, and the means."""
    at = getattr(user, "looked_up_at", None) or _database_time(user)
    store[_SID] = str(uuid7())
    store[_AMR] = list(amr)
    prove_again(store, at)


def prove_again(store: SessionBase, at: datetime) -> None:
    """Let a session count from now on as one whose user has just proved who they are."""
    store[_AUTHENTICATED_AT] = store[_SEEN_AT] = at.astimezone(UTC).isoformat()
    store[_AUTH_TIME] = int(at.timestamp())


def _user(request: HttpRequest) -> User | AnonymousUser:
    session = browser_session(request)
    return session.user if session else AnonymousUser()


def _read(store: SessionBase) -> BrowserSession | None:
    groups = Group.objects.filter(user=OuterRef("pk")).order_by("name").values("name")
    user = (
        User.objects.filter(pk=store[SESSION_KEY], is_active=True)
        .annotate(group_names=ArraySubquery(groups))
        .first()
    )
    if user is None or not _has_password_of(store, user):
        return None
    try:
        return BrowserSession(
            user, tuple(user.group_names), store[_SID], store[_AUTH_TIME], tuple(store[_AMR])
        )
    except KeyError:
        return None


def _has_password_of(store: SessionBase, user: User) -> bool:
    return constant_time_compare(store.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def _is_in_time(store: SessionBase, session: BrowserSession, now: datetime) -> bool:
    # To the microsecond: a log-in in the very second of a change is not one before it.
    began = datetime.fromisoformat(store[_AUTHENTICATED_AT])
    seen = datetime.fromisoformat(store[_SEEN_AT])
    limits = limits_of(session)
    return (
        session.user.credentials_changed_at <= began
        and now - began < limits.absolute
        and now - seen < limits.idle
    )


def _has_been_seen(store: SessionBase, limits: Limits, now: datetime) -> bool:
    if now - datetime.fromisoformat(store[_SEEN_AT]) < limits.written:
        return True
    store[_SEEN_AT] = now.astimezone(UTC).isoformat()
    # Saved here and not after the view: what is written is what was read a moment ago, so a request that
    # takes long does not put back what another has changed meanwhile.
    try:
        store.save()
    except UpdateError:  # Somebody has logged out in that moment.
        store.flush()
        return False
    store.modified = False
    return True


def _database_time(user: User) -> datetime:
    # The clock that credentials_changed_at is written by.
    now: datetime = User.objects.annotate(now=Now()).get(pk=user.pk).now
    return now
