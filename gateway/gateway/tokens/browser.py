"""Tokens for whoever is logged in with a cookie; they stay in this process's memory (RFC 10017)."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum
from typing import Final

from django.http import HttpRequest
from django.utils import timezone

from chassis.django.authentication import get_revocations
from chassis.step_up import StepUpRequired, is_fresh
from gateway.accounts.factors import SecondFactorRequired
from gateway.accounts.roles import ADMIN_SCOPES, scopes_for, scopes_of
from gateway.accounts.sessions import BrowserSession, browser_session, session_of_cookie
from gateway.tokens import issuing
from gateway.tokens.forwarding import BearerRefused, ForwardedToken, NothingForAudience

__all__ = ["BrowserSession", "browser_session", "token_for", "token_for_admin", "token_for_request"]

CLIENT_ID: Final = "web"
SHORTEST_REST: Final = 10
"""Seconds that a token must still be good for to be used again."""

_AHEAD: Final = 30
"""Seconds by which a token must be younger than what is void for everybody: services may know of more."""


class Kind(Enum):
    """What a token is for; the value is its life in seconds."""

    PAGE = 120
    ADMIN = 60


_Key = tuple[str, str, int, tuple[str, ...], str, Kind, frozenset[str]]


class MintedTokens:
    """The tokens that were minted lately, the least recently used forgotten first.

    Nothing is looked up here but for a session that was found live in this very request, so a log-out
    needs no word to this memory.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._tokens: OrderedDict[_Key, ForwardedToken] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: _Key, mint: Callable[[], ForwardedToken], *, good_until: float) -> ForwardedToken:
        """The token under a key, minted when there is none that is good until then, in Unix seconds.

        Minting takes some 60 µs, so all wait for each other: at an expiry one request mints for all.
        """
        with self._lock:
            token = self._tokens.get(key)
            if token is None or token.exp < good_until:
                token = self._tokens[key] = mint()
            self._tokens.move_to_end(key)
            while len(self._tokens) > self._capacity:
                self._tokens.popitem(last=False)
            return token

    def __len__(self) -> int:
        return len(self._tokens)


_minted: Final = MintedTokens()


def token_for(user_session: BrowserSession, audience: str, *, kind: Kind = Kind.PAGE) -> ForwardedToken:
    """A token of this user for one service alone, with the scopes that mean something there.

    audience is one of AUDIENCE_PREFIXES. It lives 120 seconds at most, an admin's 60.
    Raises: NothingForAudience.
    """
    scopes = scopes_for(audience, user_session.scopes)
    if not scopes:
        raise NothingForAudience
    # The key is named, so that nothing of a withdrawn one is used again; and the session's last proof of who
    # it is, for a token from before says too little, or is void.
    proof = (user_session.auth_time, user_session.amr)
    key = (issuing.access_key().kid, user_session.sid, *proof, audience, kind, scopes)
    issued_after = get_revocations().current().not_before + _AHEAD
    good_until = max(time.time() + SHORTEST_REST, issued_after + kind.value)
    return _minted.get(key, lambda: _mint(user_session, audience, kind, scopes), good_until=good_until)


def token_for_request(request: HttpRequest, audience: str) -> str:
    """The same for whoever sent a request to the web.

    Raises: BearerRefused when nobody is logged in, NothingForAudience.
    """
    session = browser_session(request)
    if session is None:
        raise BearerRefused
    return token_for(session, audience).token


def token_for_admin(*, session: str, audience: str, write: bool = False) -> ForwardedToken:
    """A token for the admin of a service; session is the value of the cookie, write whether it is to change
    anything.

    Raises: BearerRefused when nobody is logged in with it, NothingForAudience when it is not a member of
    staff with the admin scope of that service, SecondFactorRequired when a second factor is what that lacks,
    StepUpRequired when the log-in is too long ago for a write.
    """
    found = session_of_cookie(session, now=timezone.now())
    if found is None:
        raise BearerRefused
    scope = ADMIN_SCOPES.get(audience)
    if not found.is_staff or scope not in scopes_of(found.groups):
        raise NothingForAudience
    if scope not in found.scopes:
        raise SecondFactorRequired
    if write and not is_fresh(found.auth_time, now=time.time()):
        raise StepUpRequired
    return token_for(found, audience, kind=Kind.ADMIN)


def _mint(session: BrowserSession, audience: str, kind: Kind, scopes: frozenset[str]) -> ForwardedToken:
    said = issuing.Session(
        sub=session.sub,
        sid=session.sid,
        client_id=CLIENT_ID,
        scopes=scopes,
        roles=session.roles,
        auth_time=session.auth_time,
        amr=session.amr,
    )
    token = issuing.access_token(said, audience=audience, expires_at=int(time.time()) + kind.value)
    return ForwardedToken(str(token), token["exp"], session.sub)
