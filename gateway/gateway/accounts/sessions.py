"""Sessions of browsers: how they begin, what they say, and what ends them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, middleware
from django.contrib.auth.models import AnonymousUser, Group
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from chassis.ids import uuid7
from gateway.accounts.models import StoredSession, User
from gateway.accounts.roles import ONE_TIME_CODE, PASSKEY, PASSWORD, STAFF, granted_scopes, roles_of
from gateway.accounts.session_store import (
    AUTHENTICATED_AT,
    BEGAN_AT,
    IP_PREFIX,
    SEEN_AT,
    SID,
    USER_AGENT,
    SessionStore,
    hash_of,
)
from gateway.tokens.revocations import revoke_sids


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

PROOF: Final = timedelta(minutes=5)
"""How long a proof of who somebody is lets them change how they log in."""

_AUTH_TIME: Final = "auth_time"
_FIRST_STEP: Final = "first_step"
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
        """Everything the user may do, having logged in like this."""
        return granted_scopes(self.groups, self.amr)

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


def begin(
    store: SessionBase,
    user: User,
    *,
    amr: Iterable[str] = (PASSWORD,),
    user_agent: str = "",
    ip_prefix: str = "",
) -> None:
    """Note in a session who has just logged in with it: a new public id, the time, the means, and where."""
    at = getattr(user, "looked_up_at", None) or _database_time(user)
    store[SID] = str(uuid7())
    store[BEGAN_AT] = _written(at)
    store[USER_AGENT], store[IP_PREFIX] = user_agent, ip_prefix
    store[_AMR] = _in_order(amr)
    prove_again(store, at)
    # Void by what changed since the password was right, however long the second step took.
    pk, first = store.pop(_FIRST_STEP, ("", ""))
    if pk == str(user.pk):
        store[AUTHENTICATED_AT] = first


def note_step(store: SessionBase, user: User, *, is_whole: bool) -> None:
    """Note when a user's password was right, who may have more to show before `begin`.

    is_whole: this step needs none before it, so what was noted of an earlier log-in counts no more.
    """
    at = getattr(user, "looked_up_at", None)
    if at is not None:
        store[_FIRST_STEP] = (str(user.pk), _written(at))
    elif is_whole:
        store.pop(_FIRST_STEP, None)


def prove_again(store: SessionBase, at: datetime) -> None:
    """Let a session count from now on as one whose user has just proved who they are."""
    store[AUTHENTICATED_AT] = store[SEEN_AT] = _written(at)
    store[_AUTH_TIME] = int(at.timestamp())


@transaction.atomic
def prove(request: HttpRequest, means: str) -> None:
    """Note that who is logged in has just proved it by a means of amr. The session gets another key.

    Raises: PermissionDenied when it was ended meanwhile.
    """
    session, now = _hold(request)
    request.session[_AMR] = _in_order({*session.amr, means})
    prove_again(request.session, now)
    _renew(request)


@transaction.atomic
def forget_means(request: HttpRequest, means: str) -> None:
    """Let a means count no more, which is gone from the account. The session gets another key.

    Raises: PermissionDenied when it was ended meanwhile.
    """
    session, _ = _hold(request)
    request.session[_AMR] = _in_order({*session.amr} - {means})
    _renew(request)


def is_recent(session: BrowserSession, *, now: datetime) -> bool:
    """Whether the user proved who they are so lately that they may change how they log in (ASVS 7.5.1)."""
    return now.timestamp() - session.auth_time < PROOF.total_seconds()


def sessions_of(user: User, *, now: datetime) -> list[StoredSession]:
    """The sessions of browsers in which a user is logged in, the one last used first."""
    groups = user.groups.values_list("name", flat=True)
    limits = STAFF_MEMBER if STAFF in roles_of(groups) else SHOPPER
    rows = StoredSession.objects.filter(
        user=user,
        authenticated_at__gte=user.credentials_changed_at,
        authenticated_at__gt=now - limits.absolute,
        seen_at__gt=now - limits.idle,
    )
    return list(rows.defer("data").order_by("-seen_at", "pk"))


@transaction.atomic
def end_one(user: User, sid: UUID) -> bool:
    """End a session of a user's browser; False when there is none with this public id."""
    return bool(_end(user, StoredSession.objects.filter(sid=sid)))


@transaction.atomic
def end_all(user: User, except_key: str | None = None) -> int:
    """End every session of a user's browsers, but that with this key; says how many there were."""
    return _end(user, StoredSession.objects.exclude(pk=hash_of(except_key or "")))


def _end(user: User, rows: QuerySet[StoredSession]) -> int:
    _lock(user)
    rows = rows.filter(user=user)
    sids = {sid for sid in rows.values_list("sid", flat=True) if sid}
    rows.delete()
    revoke_sids(sids)
    return len(sids)


def _hold(request: HttpRequest) -> tuple[BrowserSession, datetime]:
    # The session, which nobody ends before this transaction does, and the database's time.
    session = browser_session(request)
    if session is None:
        raise PermissionDenied
    user = _lock(session.user)
    is_void = user.credentials_changed_at != session.user.credentials_changed_at
    if is_void or not request.session.exists(str(request.session.session_key)):
        raise PermissionDenied  # Another key would bring back what was ended in this moment.
    return session, user.now


def _lock(user: User) -> Any:
    # Those who end sessions and those who give one another key take turns: the new key is not there yet for
    # somebody who waits for the old one.
    return User.objects.select_for_update(no_key=True).annotate(now=Now()).get(pk=user.pk)


def _renew(request: HttpRequest) -> None:
    request.session.cycle_key()
    del request._browser_session  # type: ignore[attr-defined]


def _in_order(amr: Iterable[str]) -> list[str]:
    found = set(amr)
    return [means for means in (PASSWORD, ONE_TIME_CODE, PASSKEY) if means in found]


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


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
            user, tuple(user.group_names), store[SID], store[_AUTH_TIME], tuple(store[_AMR])
        )
    except KeyError:
        return None


def _has_password_of(store: SessionBase, user: User) -> bool:
    return constant_time_compare(store.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def _is_in_time(store: SessionBase, session: BrowserSession, now: datetime) -> bool:
    # To the microsecond: a log-in in the very second of a change is not one before it.
    began = datetime.fromisoformat(store[AUTHENTICATED_AT])
    seen = datetime.fromisoformat(store[SEEN_AT])
    limits = limits_of(session)
    return (
        session.user.credentials_changed_at <= began
        and now - began < limits.absolute
        and now - seen < limits.idle
    )


def _has_been_seen(store: SessionBase, limits: Limits, now: datetime) -> bool:
    if now - datetime.fromisoformat(store[SEEN_AT]) < limits.written:
        return True
    store[SEEN_AT] = _written(now)
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
