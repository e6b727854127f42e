"""The strict verifier of our tokens: one implementation for Django, Flask and the edge.

The rules and their sources: RFC 7515 (compact form), RFC 8725 and its successor draft (algorithm bound to
the key, explicit typing, hostile key ids), RFC 9068 (access tokens), RFC 6750, RFC 9110 section 11 (header).
"""

import base64
import binascii
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

import jwt
from prometheus_client import Counter

from chassis.ids import uuid7
from chassis.keys import GATEWAY, KeySet, SigningKey, VerifyKey
from chassis.strict_json import parse_object

LEEWAY_SECONDS: Final = 5
SERVICE_SECONDS: Final = 60
MAX_TOKEN_BYTES: Final = 4096
MAX_HEADER_BYTES: Final = 512

_SEGMENT: Final = r"[A-Za-z0-9_-]+"
_COMPACT: Final = re.compile(rf"({_SEGMENT})\.({_SEGMENT})\.({_SEGMENT})", re.ASCII)
# Spelled out, for IGNORECASE costs six times as much.
_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] ([A-Za-z0-9_.-]+)", re.ASCII)
_KID: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9:_.-]{1,128}", re.ASCII)
_SUBJECT: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|svc:[a-z_]{1,64}", re.ASCII
)
_SCOPE: Final = re.compile(r"|[a-z:-]+(?: [a-z:-]+)*", re.ASCII)
_SIGNATURE_CHARS: Final = {"ES256": range(86, 87), "RS256": range(342, 1366)}
_MAX_DEPTH: Final = 8
_MAX_ITEMS: Final = 10
_MAX_SCOPE_CHARS: Final = 1024
_MAX_INTEGER: Final = 2**53

_logger = logging.getLogger(__name__)
_verifications = Counter("mercato_token_verifications", "Tokens by what came of them.", ["result", "reason"])
_known = _verifications.labels("known", "")
_verified = _verifications.labels("verified", "")


class InvalidToken(Exception):
    """The token must not be believed; reason is for the log and a metric, never for the client."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of tokens with rules of its own, so that none is taken for another (RFC 8725 section 3.12).

    Times in seconds.
    """

    typ: str
    token_type: str
    required: frozenset[str]
    max_lifetime: int


_SERVICE_CLAIMS: Final = frozenset({"iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "jti", "scope"})
_OF_SESSIONS: Final = frozenset({"sid", "roles", "auth_time", "amr"})
_USER_CLAIMS: Final = _SERVICE_CLAIMS | _OF_SESSIONS | {"token_type"}

ACCESS: Final = Kind("at+jwt", "access", _SERVICE_CLAIMS, 900)
"""Access tokens. A user's must carry the claims of _USER_CLAIMS on top of a service's."""

REFRESH: Final = Kind(
    "rt+jwt", "refresh", frozenset({"iss", "aud", "sub", "iat", "exp", "jti", "sid"}), 30 * 86_400
)
"""Refresh tokens, signed with a key that is never published."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a verified token speaks for. sub is a UUID, or `svc:<name>` for a service.

    Times are Unix seconds; session claims are empty for a service, client claims for a refresh token.
    """

    sub: str
    jti: str
    kid: str
    audience: tuple[str, ...]
    issued_at: int
    expires_at: int
    client_id: str = ""
    sid: str = ""
    scopes: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ()
    auth_time: int = 0
    amr: tuple[str, ...] = ()
    actor: str = ""

    @property
    def is_service(self) -> bool:
        """Whether this is a service speaking for itself."""
        return self.sub.startswith("svc:")

    @property
    def is_staff(self) -> bool:
        """Whether the token carries the role staff."""
        return "staff" in self.roles

    def has_scope(self, scope: str) -> bool:
        """Whether the token carries this scope."""
        return scope in self.scopes


class Keys(Protocol):
    """Where a verifier finds keys; chassis.keys.KeyStore is one."""

    def current(self) -> KeySet:
        """The keys that count now."""


class Revoked(Protocol):
    """What was revoked; chassis.revocations.Revocations is one."""

    def refuses(self, principal: Principal) -> bool:
        """Whether a token that was good is good no more."""


class RevokedNow(Protocol):
    """Where a verifier finds what was revoked; chassis.revocations.RevocationStore is one."""

    def current(self) -> Revoked:
        """What counts as revoked now."""


class NothingRevoked:
    """For tokens whose end is known elsewhere: a refresh token's stands in the database."""

    def current(self) -> "NothingRevoked":
        """This, whatever happens."""
        return self

    def refuses(self, _principal: Principal) -> bool:
        """It never does."""
        return False


def _go_on() -> None:
    pass


def _log(refusal: InvalidToken) -> None:
    _logger.info("Refused a token.", extra={"reason": refusal.reason})


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    not_after: int
    version: int


class _Parts(NamedTuple):
    header: dict[str, Any]
    payload: bytes
    signed: bytes
    """What the signature is of: header and payload as they were sent (RFC 7515 section 5.2)."""
    signature: bytes


class Verifier:
    """Verifies tokens of one kind for one audience and one issuer, without calling anyone.

    A bounded cache maps the exact token to its Principal; expiry, the key set and what was revoked are
    checked again on every hit. Safe to share between threads.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        audience: str,
        revocations: RevokedNow | None = None,
        kind: Kind = ACCESS,
        cache_size: int = 10_000,
        clock: Callable[[], float] = time.time,
        tell: Callable[[InvalidToken], None] = _log,
    ) -> None:
        """Whoever verifies access tokens of running processes gives it their revocations.

        tell hears of every refusal, and logs it unless told otherwise; each is counted.
        """
        self._keys = keys
        self._revocations = revocations or NothingRevoked()
        self._issuer = issuer
        self._audience = audience
        self._kind = kind
        self._cache_size = cache_size
        self._clock = clock
        self._tell = tell
        self._cache: dict[str, _Verified] = {}

    def authenticate(self, values: Sequence[str]) -> Principal | None:
        """The principal of a request, from all its Authorization header values.

        None when there is no such header or it is empty; what is there must be right.
        Raises: InvalidToken.
        """
        if not values or (len(values) == 1 and not values[0]):
            return None
        try:
            if len(values) > 1:
                raise InvalidToken("authorization-twice")
            match = _BEARER.fullmatch(values[0])
            if match is None:
                raise InvalidToken("authorization-malformed")
        except InvalidToken as exc:
            self._count(exc)
            raise
        return self.verify(match[1])

    def verify(self, token: str, before_signature: Callable[[], None] = _go_on) -> Principal:
        """The principal of a token in compact form.

        before_signature is called just before a signature is computed, which is what costs; it may raise.
        Raises: InvalidToken, and nothing else of its own whatever the text.
        """
        principal = self.known(token)
        if principal is not None:
            return principal
        try:
            verified = self._verify(token, self._clock(), before_signature)
        except InvalidToken as exc:
            self._cache.pop(token, None)
            self._count(exc)
            raise
        self._remember(token, verified)
        _verified.inc()
        return verified.principal

    def known(self, token: str) -> Principal | None:
        """The principal of a token that was verified before and is still good, else None.

        Raises: InvalidToken when it was revoked since.
        """
        known = self._cache.get(token)
        if known is None or known.not_after <= self._clock() or known.version != self._keys.current().version:
            return None
        if self._revocations.current().refuses(known.principal):
            # It stays known, so that showing it again costs no signature.
            refusal = InvalidToken("revoked")
            self._count(refusal)
            raise refusal
        _known.inc()
        return known.principal

    def _verify(self, token: str, now: float, before_signature: Callable[[], None]) -> _Verified:
        parts = _split(token, MAX_TOKEN_BYTES)
        keys = self._keys.current()
        key = _select_key(parts.header, keys, self._kind.typ)
        _check_signature_form(token, key.alg)
        claims = _parse_object(parts.payload, "claims")
        before_signature()
        _check_signature(parts, key)
        _check_types(claims, self._kind)
        self._check_names(claims)
        _check_times(claims, self._kind, now)
        principal = _principal(claims, key.kid)
        _check_binding(principal, key)
        if self._revocations.current().refuses(principal):
            raise InvalidToken("revoked")
        return _Verified(principal, principal.expires_at + LEEWAY_SECONDS, keys.version)

    def _check_names(self, claims: dict[str, Any]) -> None:
        audience = claims["aud"]
        if self._audience not in ([audience] if isinstance(audience, str) else audience):
            raise InvalidToken("audience")
        if claims["iss"] != self._issuer:
            raise InvalidToken("issuer")

    def _count(self, refusal: InvalidToken) -> None:
        _verifications.labels("refused", refusal.reason).inc()
        self._tell(refusal)

    def _remember(self, token: str, verified: _Verified) -> None:
        if self._cache_size == 0:
            return
        while len(self._cache) >= self._cache_size:
            # The oldest goes first. Another thread may have taken it, or may be changing the dict just now.
            try:
                self._cache.pop(next(iter(self._cache)), None)
            except (StopIteration, RuntimeError):
                break
        self._cache[token] = verified


def sign(claims: dict[str, Any], key: SigningKey, typ: str) -> str:
    """A signed token in compact form whose header is exactly alg, kid and typ."""
    return jwt.encode(claims, key.private_key, algorithm=key.alg, headers={"kid": key.kid, "typ": typ})


def read_signed(text: str, keys: KeySet, *, typ: str, max_bytes: int) -> tuple[dict[str, Any], VerifyKey]:
    """The claims of a signed document that is no token, and the key that it was signed with.

    It has the form of a token, and its own type, so that neither is taken for the other. What the claims say
    is for the caller to judge. Raises: InvalidToken.
    """
    parts = _split(text, max_bytes)
    key = _select_key(parts.header, keys, typ)
    _check_signature_form(text, key.alg)
    _check_signature(parts, key)
    return _parse_object(parts.payload, "claims"), key


def sign_for_service(key: SigningKey, *, issuer: str, service: str, audience: str, scope: str) -> str:
    """What a service shows another one: subject `svc:<service>`, one audience, one scope, 60 seconds."""
    now = int(time.time())
    subject = {"iss": issuer, "sub": f"svc:{service}", "client_id": service}
    times = {"iat": now, "nbf": now, "exp": now + SERVICE_SECONDS}
    return sign(subject | times | {"aud": audience, "scope": scope, "jti": uuid7().hex}, key, ACCESS.typ)


def _split(token: str, max_bytes: int) -> _Parts:
    # Sizes and form first, so that nothing large or odd reaches a parser.
    if len(token) > max_bytes:
        raise InvalidToken("too-long")
    match = _COMPACT.fullmatch(token)
    if match is None:
        raise InvalidToken("not-compact")
    header, payload, signature = (_decode_segment(segment) for segment in match.groups())
    if len(header) > MAX_HEADER_BYTES or not signature:
        raise InvalidToken("header-too-long")
    signed = token[: match.start(3) - 1].encode()
    return _Parts(_parse_object(header, "header"), payload, signed, signature)


def _decode_segment(segment: str) -> bytes:
    # Unused bits must be zero: one token has one spelling (RFC 4648 section 3.5).
    try:
        data = base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InvalidToken("base64") from exc
    if base64.urlsafe_b64encode(data).rstrip(b"=") != segment.encode():
        raise InvalidToken("base64-not-canonical")
    return data


def _parse_object(data: bytes, part: str) -> dict[str, Any]:
    try:
        parsed = parse_object(data, integers_only=True)
    except ValueError as exc:
        raise InvalidToken(f"{part}-not-json") from exc
    if _depth(parsed) > _MAX_DEPTH:
        raise InvalidToken(f"{part}-not-flat")
    return parsed


def _select_key(header: dict[str, Any], keys: KeySet, expected_typ: str) -> VerifyKey:
    if header.keys() != {"alg", "kid", "typ"}:
        raise InvalidToken("header-members")
    alg, kid, typ = header["alg"], header["kid"], header["typ"]
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") != expected_typ:
        raise InvalidToken("typ")
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise InvalidToken("kid-malformed")
    key = keys.keys.get(kid)
    if key is None:
        raise InvalidToken("kid-unknown")
    if alg != key.alg:
        raise InvalidToken("alg")
    return key


def _check_signature_form(token: str, alg: str) -> None:
    if len(token) - token.rindex(".") - 1 not in _SIGNATURE_CHARS[alg]:
        raise InvalidToken("signature-form")


def _check_signature(parts: _Parts, key: VerifyKey) -> None:
    # PyJWT's algorithm alone: jwt.decode would parse everything again, and judge what another parser read.
    if not key.jwk.Algorithm.verify(parts.signed, key.jwk.key, parts.signature):
        raise InvalidToken("signature")


def _check_times(claims: dict[str, Any], kind: Kind, now: float) -> None:
    issued_at, expires_at, not_before = claims["iat"], claims["exp"], claims.get("nbf", claims["iat"])
    if expires_at + LEEWAY_SECONDS <= now:
        raise InvalidToken("expired")
    if max(issued_at, not_before, claims.get("auth_time", 0)) > now + LEEWAY_SECONDS:
        raise InvalidToken("not-yet-valid")
    if not 0 < expires_at - issued_at <= kind.max_lifetime:
        raise InvalidToken("lifetime")


def _check_types(claims: dict[str, Any], kind: Kind) -> None:
    required = kind.required
    is_service = str(claims.get("sub")).startswith("svc:")
    if kind is ACCESS and not is_service:
        required = _USER_CLAIMS
    if not required <= claims.keys():
        raise InvalidToken("claim-missing")
    if is_service and _OF_SESSIONS & claims.keys():
        raise InvalidToken("claim-type")  # It has not logged in and is nobody's staff.
    checks = [_TYPES[name](value) for name, value in claims.items() if name in _TYPES]
    if not all(checks) or claims.get("token_type", kind.token_type) != kind.token_type:
        raise InvalidToken("claim-type")


def _check_binding(principal: Principal, key: VerifyKey) -> None:
    # A service's key signs for that service alone, within its scopes, so that no service can mint a user.
    if key.holder == GATEWAY:
        if principal.is_service and principal.sub != f"svc:{GATEWAY}":
            raise InvalidToken("key-binding")
        return
    if principal.sub != f"svc:{key.holder}" or not principal.scopes <= key.scopes:
        raise InvalidToken("key-binding")


def _principal(claims: dict[str, Any], kid: str) -> Principal:
    audience = claims["aud"]
    return Principal(
        sub=claims["sub"],
        jti=claims["jti"],
        kid=kid,
        audience=(audience,) if isinstance(audience, str) else tuple(audience),
        issued_at=claims["iat"],
        expires_at=claims["exp"],
        client_id=claims.get("client_id", ""),
        sid=claims.get("sid", ""),
        scopes=frozenset(claims.get("scope", "").split()),
        roles=tuple(claims.get("roles", ())),
        auth_time=claims.get("auth_time", 0),
        amr=tuple(claims.get("amr", ())),
        actor=claims.get("act", {}).get("sub", ""),
    )


def _is_integer(value: Any) -> bool:
    # bool is an int to isinstance.
    return type(value) is int and 0 < value < _MAX_INTEGER


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= _MAX_ITEMS and all(map(_is_name, value))


def _is_audience(value: Any) -> bool:
    return _is_name(value) or (_is_names(value) and bool(value))


def _is_subject(value: Any) -> bool:
    return isinstance(value, str) and _SUBJECT.fullmatch(value) is not None


def _is_scope(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_SCOPE_CHARS and _SCOPE.fullmatch(value) is not None


def _is_actor(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"sub"} and _is_subject(value["sub"])


_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "exp": _is_integer,
    "nbf": _is_integer,
    "iat": _is_integer,
    "auth_time": _is_integer,
    "sub": _is_subject,
    "jti": _is_name,
    "sid": _is_name,
    "client_id": _is_name,
    "token_type": _is_name,
    "aud": _is_audience,
    "scope": _is_scope,
    "roles": _is_names,
    "amr": _is_names,
    "act": _is_actor,
}


def _depth(value: Any, level: int = 1) -> int:
    if level > _MAX_DEPTH or not isinstance(value, dict | list):
        return level
    items = value.values() if isinstance(value, dict) else value
    return max((_depth(item, level + 1) for item in items if isinstance(item, dict | list)), default=level)
