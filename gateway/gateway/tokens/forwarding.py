"""Re-addresses a login token to the one service that a request is forwarded to."""

import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from chassis.django.authentication import get_verifier
from chassis.problems import REFUSED_CHALLENGE, DomainError
from chassis.tokens import InvalidToken, Principal
from gateway.accounts.roles import scopes_for
from gateway.tokens import issuing
from gateway.tokens.models import RefreshFamily

LIFETIME: Final = 120


class BearerRefused(DomainError):
    """The bearer token is not good, or whom it names is gone, or the session has ended."""

    code = "invalid-token"
    status = 401
    headers = {"WWW-Authenticate": REFUSED_CHALLENGE}


class NothingForAudience(DomainError):
    """Nothing the bearer may do concerns that service."""

    code = "insufficient-scope"
    status = 403


@dataclass(frozen=True, slots=True)
class ForwardedToken:
    """A token for one service; exp in Unix seconds."""

    token: str
    exp: int
    sub: str


def token_for_service(*, bearer: str, audience: str) -> ForwardedToken:
    """A token that says what the bearer says, to one service alone.

    It carries the scopes that mean something there, and lives 120 seconds or as long as the bearer.
    Raises: BearerRefused, NothingForAudience.
    """
    principal = _verify(bearer)
    now = int(time.time())
    # The leeway of the verifier lets a token in that is a moment too old; a child of it would be born dead.
    if principal.is_service or principal.expires_at <= now or not _is_live(principal):
        raise BearerRefused
    scopes = scopes_for(audience, principal.scopes)
    if not scopes:
        raise NothingForAudience
    token = issuing.access_token(
        _narrowed(principal, scopes), audience=audience, expires_at=min(now + LIFETIME, principal.expires_at)
    )
    return ForwardedToken(str(token), token["exp"], principal.sub)


def _verify(bearer: str) -> Principal:
    try:
        return get_verifier().verify(bearer)
    except InvalidToken as exc:
        raise BearerRefused from exc


def _is_live(principal: Principal) -> bool:
    # The session must be one of ours that still stands: logged out, void or unknown, it gets nothing more,
    # whatever life its access token has left.
    try:
        sid = UUID(principal.sid)
    except ValueError:
        return False
    return RefreshFamily.objects.filter(
        sid=sid,
        user__public_id=principal.sub,
        user__is_active=True,
        authenticated_at__gte=F("user__credentials_changed_at"),
        absolute_expires_at__gt=Now(),
        revoked_at=None,
    ).exists()


def _narrowed(principal: Principal, scopes: frozenset[str]) -> issuing.Session:
    return issuing.Session(
        sub=principal.sub,
        sid=principal.sid,
        client_id=principal.client_id,
        scopes=scopes,
        roles=principal.roles,
        auth_time=principal.auth_time,
        amr=principal.amr,
    )
