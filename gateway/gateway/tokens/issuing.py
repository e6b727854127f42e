"""Makes signed tokens: simplejwt's token classes over the keys of the gateway's own folder."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, NoReturn

from django.conf import settings
from rest_framework_simplejwt import tokens as simplejwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

from chassis.keys import GATEWAY, SigningKey, SigningKeys
from chassis.tokens import ACCESS, REFRESH, sign

REFRESH_IDLE: Final = timedelta(days=7)
REFRESH_ABSOLUTE: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Session:
    """What stays the same in every access token of one log-in. auth_time is in Unix seconds."""

    sub: str
    sid: str
    client_id: str
    scopes: frozenset[str]
    roles: tuple[str, ...]
    auth_time: int
    amr: tuple[str, ...]


class KeyBackend(TokenBackend):
    """Signs with a key that has a name; simplejwt's own backend writes neither kid nor typ.

    It never reads a token: chassis.tokens.Verifier does, which is strict where simplejwt is not.
    """

    def __init__(self, key: SigningKey, typ: str) -> None:
        super().__init__(key.alg, issuer=settings.ORIGIN)
        self._key = key
        self._typ = typ

    def encode(self, payload: dict[str, Any]) -> str:
        return sign(payload | {"iss": self.issuer}, self._key, self._typ)

    def decode(self, token: Any, verify: bool = True) -> NoReturn:
        raise TokenBackendError("Tokens are read by chassis.tokens alone.")


class AccessToken(simplejwt.AccessToken):
    """An access token as RFC 9068 has it."""

    def get_token_backend(self) -> KeyBackend:
        return KeyBackend(access_key(), ACCESS.typ)


class RefreshToken(simplejwt.Token):
    """A refresh token: which family it belongs to and nothing more."""

    token_type = "refresh"  # noqa: S105 (a kind, not a secret)
    lifetime = REFRESH_IDLE

    def get_token_backend(self) -> KeyBackend:
        return KeyBackend(refresh_key(), REFRESH.typ)


def access_token(
    session: Session, *, audience: str | list[str], expires_at: int | None = None
) -> AccessToken:
    """An access token for one service, or for a list of them; lives 300 seconds, or until expires_at."""
    token = AccessToken()
    token.payload |= {
        "aud": audience,
        "sub": session.sub,
        "sid": session.sid,
        "client_id": session.client_id,
        "nbf": token["iat"],
        "scope": " ".join(sorted(session.scopes)),
        "roles": list(session.roles),
        "auth_time": session.auth_time,
        "amr": list(session.amr),
    }
    if expires_at is not None:
        token["exp"] = expires_at
    return token


def refresh_token(*, sub: str, sid: str, not_after: datetime) -> RefreshToken:
    """A refresh token of a family; lives 7 days, or until not_after when that comes first."""
    token = RefreshToken()
    token.payload |= {"aud": GATEWAY, "sub": sub, "sid": sid}
    token["exp"] = min(token["exp"], int(not_after.timestamp()))
    return token


def access_key() -> SigningKey:
    """The key that signs access tokens now. Raises: chassis.env.ConfigurationError."""
    return _keys("access").active


def refresh_key() -> SigningKey:
    """The key that signs refresh tokens now. Raises: chassis.env.ConfigurationError."""
    return refresh_keys().active


def refresh_keys() -> SigningKeys:
    """All keys of refresh tokens, whose public halves are in the web's memory alone.

    Raises: chassis.env.ConfigurationError.
    """
    return _keys("refresh")


@cache
def _keys(kind: str) -> SigningKeys:
    return SigningKeys(settings.KEYS_PRIVATE, kind)
