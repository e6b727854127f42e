"""Log-in, rotation with reuse detection, and logout: every write to the refresh families.

The rules are those of RFC 9700 section 4.14.2 and ASVS 5.0 10.4.5 and 10.4.8: a refresh token is good once,
its second use ends every token that came from the same log-in, and no rotation outlives the absolute limit.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from hashlib import sha256
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client import Counter

from chassis.django.authentication import get_verifier
from chassis.problems import REFUSED_CHALLENGE, DomainError, FieldError
from chassis.tokens import InvalidToken, Principal
from gateway.accounts import factors, notices, sessions
from gateway.accounts.models import User
from gateway.accounts.operations import Authenticated, WrongCredentials, authenticate, void_sessions
from gateway.accounts.roles import AUDIENCE_PREFIXES, granted_scopes, roles_of
from gateway.limits import devices
from gateway.limits.visitors import NOBODY, Visitor
from gateway.tokens import issuing
from gateway.tokens.models import RefreshFamily, RefreshToken
from gateway.tokens.revocations import revoke_sid, revoke_sids
from gateway.tokens.verifying import refresh_verifier

CLIENT_ID: Final = "api"

# A rotation is what clients ask for most, so its three statements are written out: by the ORM they were six,
# and to make them took longer than to run them.
_FOUND: Final = """
SELECT statement_timestamp(), id, family_id, rotated_at FROM tokens_refreshtoken WHERE jti_hash = %s
"""
# The family alone is locked. Whoever else locks the user and then families does not wait in a circle.
_LOCKED: Final = """
SELECT family.sid, family.client_id, family.scope, family.authenticated_at, family.amr,
    family.absolute_expires_at, family.revoked_at,
    owner.id, owner.public_id, owner.is_active, owner.credentials_changed_at,
    ARRAY(
        SELECT auth_group.name FROM auth_group JOIN accounts_user_groups AS of ON of.group_id = auth_group.id
        WHERE of.user_id = owner.id
    )
FROM tokens_refreshfamily AS family JOIN accounts_user AS owner ON owner.id = family.user_id
WHERE family.id = %s
FOR UPDATE OF family
"""
# One statement, so that a token is rotated exactly when it has a child. It adds no row if it was rotated.
_REPLACE: Final = """
WITH rotated AS (
    UPDATE tokens_refreshtoken SET rotated_at = statement_timestamp() WHERE id = %s AND rotated_at IS NULL
    RETURNING id
)
INSERT INTO tokens_refreshtoken (jti_hash, family_id, parent_id, expires_at)
SELECT %s, %s, id, %s FROM rotated
"""

_logger = logging.getLogger(__name__)
_rotations = Counter("mercato_refreshes", "Live refresh tokens shown, by what came of them.", ["result"])
_endings = Counter("mercato_sessions_ended", "Sessions of API clients that ended.", ["reason"])
for _reason in RefreshFamily.Reason:
    _endings.labels(_reason.value)  # There from the start, so that the first one is seen as an increase.


class RefreshRefused(DomainError):
    """The refresh token is not good, for whatever reason; all reasons read the same to the client."""

    code = "invalid-token"
    status = 401
    title = "The refresh token is invalid"
    headers = {"WWW-Authenticate": REFUSED_CHALLENGE}


class ConcurrentRefresh(DomainError):
    """Another request with the same refresh token was under way and won; its answer holds the next one."""

    code = "concurrent-refresh"
    status = 401
    title = "Another request used this refresh token at the same time"
    headers = {"WWW-Authenticate": REFUSED_CHALLENGE}


class NothingGranted(DomainError):
    """The client asked for scopes of which the user has none."""

    code = "invalid-input"
    status = 400
    title = "The input is invalid"


class _Refusal(Enum):
    DEAD = auto()
    CONCURRENT = auto()


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A refresh token as a request found it, and when that request arrived, on the database's clock."""

    at: datetime
    token_id: int
    family_id: int
    rotated_at: datetime | None

    @property
    def is_replay(self) -> bool:
        # The clock alone would not do: a rotation is stamped a moment before it is committed, and a request
        # that comes between finds the token as good as new.
        return self.rotated_at is not None and self.rotated_at <= self.at


@dataclass(frozen=True, slots=True)
class Client:
    """Where a log-in comes from, as far as it is remembered."""

    user_agent: str = ""
    visitor: Visitor = NOBODY


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client is given: expires_in is the life of the access token in seconds."""

    access: str
    refresh: str
    expires_in: int
    scope: str
    token_type: str = "Bearer"  # noqa: S105 (a kind, not a secret)


def log_in(
    *,
    email: str,
    password: str,
    code: str = "",
    otp: str = "",
    scope: str = "",
    client: Client = Client(),
) -> TokenPair:
    """Begin a session: a family, its first refresh token, and an access token.

    code is one that was mailed, where LoginCodeRequired asks for it; otp a code of the second factor of those
    who have one. scope is a space-separated wish; the client gets the part of it that the user has, without
    it everything.
    Raises: WrongCredentials, LoginCodeRequired, OtpRequired, WrongOtp, NothingGranted,
    gateway.limits.operations.TooManyRequests.
    """
    who = authenticate(email=email, password=password, code=code, visitor=client.visitor)
    amr = factors.prove(user=who.user, otp=otp, device=who.device)
    groups = _groups_of(who.user)
    if scope and not _granted(scope, groups, amr):
        raise NothingGranted(errors=[FieldError("#/scope", "not-granted", "You have none of these scopes.")])
    with transaction.atomic():
        _require_unchanged(who)
        family = RefreshFamily.objects.create(
            user=who.user,
            client_id=CLIENT_ID,
            scope=scope,
            user_agent=client.user_agent,
            ip_prefix=client.visitor.network,
            authenticated_at=who.at,
            amr=list(amr),
            absolute_expires_at=who.at + issuing.REFRESH_ABSOLUTE,
        )
        pair, first = _issue(family, groups)
        first.save()
        if not who.was_here_today and devices.remember(who.user, client.visitor):
            notices.tell_of_device(who.user, kind="an API client", network=client.visitor.network)
    _logger.info("Logged in.", extra={"sub": str(who.user), "sid": str(family)})
    return pair


def rotate(*, token: str, began: float | None = None) -> TokenPair:
    """Trade a refresh token for its successor and a new access token; scopes and roles are read afresh.

    A token that was rotated before ends its whole family. Only a request that arrived before that rotation
    is answered ConcurrentRefresh instead, and ends nothing. began is its arrival on time.monotonic(),
    which may lie well before this call when it queued for a thread.
    Raises: RefreshRefused, ConcurrentRefresh.
    """
    claims = _verify(token)
    arrival = _arrival(claims, began or time.monotonic())
    # Refusals come back as values: an exception inside the transaction would undo the revocation.
    outcome = _rotate(arrival, claims)
    _rotations.labels(outcome.name.lower() if isinstance(outcome, _Refusal) else "rotated").inc()
    if outcome is _Refusal.CONCURRENT:
        raise ConcurrentRefresh
    if outcome is _Refusal.DEAD:
        raise RefreshRefused
    return outcome


def log_out(*, token: str) -> None:
    """End the family of a refresh token, rotated or not. Ending it twice changes nothing.

    Raises: RefreshRefused when it is not a live refresh token of ours.
    """
    _log_out(_verify(token))


@transaction.atomic
def log_out_everywhere(*, token: str) -> None:
    """End every session of a user, of API clients and of browsers, and any log-in that is under way.

    It takes the newest refresh token of a session that stands: an old copy of one ends no other session.
    Raises: RefreshRefused.
    """
    claims = _verify(token)
    # The user before the families: of two such requests one waits here.
    user = User.objects.select_for_update(no_key=True).filter(public_id=claims.sub, is_active=True).first()
    if user is None or not _is_newest(claims, user):
        raise RefreshRefused
    void_sessions(user=user)
    ended = RefreshFamily.objects.filter(user=user, revoked_at=None).update(
        revoked_at=Now(), revoked_because=RefreshFamily.Reason.LOGOUT
    )
    sessions.end_all(user)
    _endings.labels(RefreshFamily.Reason.LOGOUT).inc(ended)
    _logger.info("Ended every session of a user.", extra={"sub": claims.sub, "sessions": ended})


def revoke(*, token: str) -> None:
    """End the session of an API client by any refresh or access token of it (RFC 7009 section 2.1).

    A token that is dead, unknown or nonsense changes nothing.
    """
    for verifier in (refresh_verifier(), get_verifier()):
        try:
            _log_out(verifier.verify(token))
        except (InvalidToken, ValueError):
            continue  # Not of this kind, or without a session.


@transaction.atomic
def end_family(*, sid: UUID, reason: RefreshFamily.Reason, sub: str = "") -> bool:
    """End one session of an API client; False when it had ended before, or is not the subject's if one is
    given. Its access tokens are refused everywhere within a second.
    """
    families = RefreshFamily.objects.filter(sid=sid, revoked_at=None)
    if sub:
        families = families.filter(user__public_id=sub)
    ended = families.update(revoked_at=Now(), revoked_because=reason)
    if ended:
        revoke_sid(sid)
        transaction.on_commit(lambda: _log_end(str(sid), sub, reason))
    return bool(ended)


@transaction.atomic
def end_families(*, user: User, except_sid: str = "") -> int:
    """End every session of a user's API clients but that one; says how many there were."""
    live = RefreshFamily.objects.filter(user=user, revoked_at=None)
    sids = [sid for sid in live.values_list("sid", flat=True) if str(sid) != except_sid]
    ended = live.filter(sid__in=sids).update(revoked_at=Now(), revoked_because=RefreshFamily.Reason.LOGOUT)
    revoke_sids(sids)
    _endings.labels(RefreshFamily.Reason.LOGOUT).inc(ended)
    return ended


def _log_out(claims: Principal) -> None:
    end_family(sid=UUID(claims.sid), sub=claims.sub, reason=RefreshFamily.Reason.LOGOUT)


def _is_newest(claims: Principal, user: User) -> bool:
    return RefreshToken.objects.filter(
        jti_hash=_hash(claims.jti),
        rotated_at=None,
        family__sid=claims.sid,
        family__user=user,
        family__revoked_at=None,
        family__authenticated_at__gte=user.credentials_changed_at,
        family__absolute_expires_at__gt=Now(),
    ).exists()


def _arrival(claims: Principal, began: float) -> _Arrival:
    # A statement of its own before any lock, so that it shows what this request found.
    with connection.cursor() as cursor:
        # Taken now and not before: to have a cursor, a connection may have had to be made.
        ago = timedelta(seconds=time.monotonic() - began)
        cursor.execute(_FOUND, [_hash(claims.jti)])
        found = cursor.fetchone()
    if found is None:
        raise RefreshRefused
    now, token_id, family_id, rotated_at = found
    return _Arrival(now - ago, token_id, family_id, rotated_at)


@transaction.atomic
def _rotate(arrival: _Arrival, claims: Principal) -> TokenPair | _Refusal:
    found = _lock_family(arrival.family_id)
    if found is None:
        return _Refusal.DEAD
    family, groups = found
    is_its_own = (str(family), str(family.user)) == (claims.sid, claims.sub)
    if not is_its_own or family.revoked_at or family.absolute_expires_at <= timezone.now():
        return _Refusal.DEAD
    if reason := _why_user_lost_it(family):
        return _end(family, reason)
    if arrival.rotated_at is None:
        pair, child = _issue(family, groups)
        if _replace(arrival.token_id, child):
            return pair
    return _end(family, RefreshFamily.Reason.REUSE) if arrival.is_replay else _Refusal.CONCURRENT


def _lock_family(pk: int) -> tuple[RefreshFamily, list[str]] | None:
    # As much of the family and its user as a rotation reads, and the user's groups.
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED, [pk])
        row = cursor.fetchone()
    if row is None:
        return None
    sid, client_id, scope, authenticated_at, amr, absolute_expires_at, revoked_at, *of_user = row
    user_id, public_id, is_active, credentials_changed_at, groups = of_user
    user = User(
        id=user_id, public_id=public_id, is_active=is_active, credentials_changed_at=credentials_changed_at
    )
    family = RefreshFamily(
        id=pk,
        sid=sid,
        user=user,
        client_id=client_id,
        scope=scope,
        authenticated_at=authenticated_at,
        amr=amr,
        absolute_expires_at=absolute_expires_at,
        revoked_at=revoked_at,
    )
    return family, groups


def _replace(token_id: int, child: RefreshToken) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE, [token_id, child.jti_hash, child.family_id, child.expires_at])
        return bool(cursor.rowcount)


def _why_user_lost_it(family: RefreshFamily) -> RefreshFamily.Reason | None:
    if not family.user.is_active:
        return RefreshFamily.Reason.INACTIVE
    if family.authenticated_at < family.user.credentials_changed_at:
        return RefreshFamily.Reason.CREDENTIALS_CHANGED
    return None


def _end(family: RefreshFamily, reason: RefreshFamily.Reason) -> _Refusal:
    RefreshFamily.objects.filter(pk=family.pk).update(revoked_at=Now(), revoked_because=reason)
    revoke_sid(family.sid)
    # Logged when it stands, so that no line tells of a revocation that was undone.
    sid, sub = str(family), str(family.user)
    transaction.on_commit(lambda: _log_end(sid, sub, reason))
    return _Refusal.DEAD


def _log_end(sid: str, sub: str, reason: RefreshFamily.Reason) -> None:
    _endings.labels(reason.value).inc()
    level = logging.WARNING if reason is RefreshFamily.Reason.REUSE else logging.INFO
    _logger.log(level, "Ended a session.", extra={"sid": sid, "sub": sub, "reason": reason.value})


def _require_unchanged(who: Authenticated) -> None:
    # Whoever changes the credentials has this row first or finds the session that begins here: a log-in with
    # the old password does not outlive the change.
    seen = who.user.credentials_changed_at
    same = User.objects.filter(pk=who.user.pk, is_active=True, credentials_changed_at=seen)
    if same.select_for_update(no_key=True).first() is None:
        raise WrongCredentials


def _issue(family: RefreshFamily, groups: list[str]) -> tuple[TokenPair, RefreshToken]:
    # The row of the refresh token is not saved yet.
    session = issuing.Session(
        sub=str(family.user),
        sid=str(family),
        client_id=family.client_id,
        scopes=_granted(family.scope, groups, family.amr),
        roles=roles_of(groups),
        auth_time=int(family.authenticated_at.timestamp()),
        amr=tuple(family.amr),
    )
    access = issuing.access_token(session, audience=_login_audience())
    refresh = issuing.refresh_token(sub=session.sub, sid=session.sid, not_after=family.absolute_expires_at)
    row = RefreshToken(
        jti_hash=_hash(refresh["jti"]),
        family=family,
        expires_at=datetime.fromtimestamp(refresh["exp"], tz=timezone.get_default_timezone()),
    )
    expires_in = access["exp"] - access["iat"]
    return TokenPair(str(access), str(refresh), expires_in=expires_in, scope=access["scope"]), row


def _granted(scope: str, groups: Iterable[str], amr: Iterable[str]) -> frozenset[str]:
    owned = granted_scopes(groups, amr)
    return owned & frozenset(scope.split()) if scope else owned


def _login_audience() -> str | list[str]:
    return list(AUDIENCE_PREFIXES) if settings.LOGIN_AUDIENCE == "all" else "gateway"


def _groups_of(user: User) -> list[str]:
    return list(Group.objects.filter(user=user).values_list("name", flat=True))


def _verify(token: str) -> Principal:
    try:
        return refresh_verifier().verify(token)
    except InvalidToken as exc:
        raise RefreshRefused from exc


def _hash(jti: str) -> str:
    return sha256(jti.encode()).hexdigest()
