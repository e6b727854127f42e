"""What becomes of a request: a pure decision, without input or output, the same for every transport."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from chassis.env import is_loopback
from chassis.problems import CHALLENGE, REFUSED_CHALLENGE
from chassis.tokens import InvalidToken, Principal
from gateway.edge import headers
from gateway.edge.headers import BadHead, Fields, Head
from gateway.edge.paths import MAX_TARGET_BYTES, NotCanonical, canonical_path
from gateway.routes import READ, Credential, Route, RouteTable

LIVEZ: Final = b"/livez"
READYZ: Final = b"/readyz"

_HEALTH: Final = frozenset({LIVEZ, READYZ})

# By these names, for in 3.11 each mention of a member through its Enum costs 0.1 µs; in a tuple, for that
# compares by identity, while a set would hash members in Python.
_PUBLIC: Final = Credential.PUBLIC
_TAKE_BEARERS: Final = (Credential.BEARER, _PUBLIC)
_READ: Final = frozenset(method.encode() for method in READ)

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Request(NamedTuple):
    """A request as the transport parsed it, nothing checked."""

    method: bytes
    target: bytes
    version: str
    fields: Fields
    is_upgrade: bool


class Forward(NamedTuple):
    """Send it to the route's upstream."""

    route: Route
    request: Request
    head: Head


class Ask(NamedTuple):
    """Get a token for the route's audience, then forward."""

    forward: Forward
    bearer: str
    principal: Principal

    @property
    def head(self) -> Head:
        """The head of the request."""
        return self.forward.head


class Refuse(NamedTuple):
    """Answer with a problem of the catalogue. closes: nothing more can be read from this connection."""

    code: str
    detail: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    closes: bool = False
    head: Head | None = None


class Report(NamedTuple):
    """Answer about the edge's own health: LIVEZ or READYZ."""

    path: bytes
    head: Head


Decision = Forward | Ask | Refuse | Report


@dataclass(frozen=True, slots=True)
class Rules:
    """What decisions rest on. hosts are in lower case; verify is chassis.tokens.Verifier's."""

    table: RouteTable
    hosts: frozenset[bytes]
    verify: Callable[[str], Principal]


def decide(request: Request, rules: Rules) -> Decision:
    """Decide about one request. What is unsafe about its form is refused before any token is looked at."""
    if len(request.target) > MAX_TARGET_BYTES:
        return Refuse("uri-too-long", closes=True)
    try:
        head = headers.read_head(
            request.method, request.version, request.fields, is_upgrade=request.is_upgrade
        )
    except BadHead as exc:
        # Where a body begins and ends may be in doubt, so nothing more is read from this client.
        return Refuse(exc.code, exc.detail, closes=True)
    try:
        path = canonical_path(request.target)
    except NotCanonical:
        return Refuse("malformed-request", "The path is not in its canonical form.", head=head)
    if path in _HEALTH:
        return _decide_health(request.method, path, head)
    if head.host.lower() not in rules.hosts:
        return Refuse("malformed-request", "The Host is not this origin's.", head=head)
    route = rules.table.find(path)
    if route is None:
        return Refuse("not-found", head=head)
    if request.method.decode() not in route.methods:
        return _refuse_method(route.methods, head)
    if head.content_length > route.body_limit:
        return Refuse("content-too-large", f"More than {route.body_limit} bytes.", closes=True, head=head)
    forward = Forward(route, request, head)
    return _authenticate(forward, rules) if route.credential in _TAKE_BEARERS else forward


def allowed_hosts(origin: str) -> frozenset[bytes]:
    """The Host values of an origin, with and without its port when that is the scheme's own.

    A loopback origin goes by every name of this machine.
    """
    parts = urlsplit(origin)
    name = parts.hostname or ""
    names = (
        {"localhost", "127.0.0.1", "[::1]"} if is_loopback(origin) else {f"[{name}]" if ":" in name else name}
    )
    default = _DEFAULT_PORTS[parts.scheme]
    port = parts.port or default
    hosts = {f"{name}:{port}" for name in names} | (names if port == default else set())
    return frozenset(host.encode() for host in hosts)


def client_address(peer: str, forwarded_for: bytes, trusted_proxies: int) -> str:
    """Who the client is: the socket's peer, or what the outermost trusted proxy saw.

    Each trusted proxy adds one entry at the right; whatever stands further left is the client's own claim.
    """
    if not trusted_proxies:
        return peer
    chain = [entry.strip() for entry in forwarded_for.decode("latin-1").split(",") if entry.strip()]
    claimed = [*chain, peer][-(trusted_proxies + 1) :][0]
    try:
        return str(ipaddress.ip_address(claimed))
    except ValueError:
        return peer


def _decide_health(method: bytes, path: bytes, head: Head) -> Decision:
    return Report(path, head) if method in {b"GET", b"HEAD"} else _refuse_method(("GET", "HEAD"), head)


def _refuse_method(methods: tuple[str, ...], head: Head) -> Refuse:
    return Refuse("method-not-allowed", fields=(("allow", ", ".join(methods)),), head=head)


def _authenticate(forward: Forward, rules: Rules) -> Decision:
    is_public_read = _is_public_read(forward)
    authorization = forward.head.authorization.decode("latin-1")
    if not authorization:
        if is_public_read:
            return forward
        fields = (("www-authenticate", CHALLENGE),)
        return Refuse("authentication-required", fields=fields, head=forward.head)
    # That there is only one was checked with the head; what is no token the verifier refuses.
    scheme, _, token = authorization.partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise InvalidToken("authorization-malformed")
        principal = rules.verify(token)
    except InvalidToken:
        fields = (("www-authenticate", REFUSED_CHALLENGE),)
        return Refuse("invalid-token", fields=fields, head=forward.head)
    if principal.is_service:
        return refuse_scope(forward)
    scopes = forward.route.read_scopes if is_public_read else forward.route.scopes
    if scopes and scopes.isdisjoint(principal.scopes):
        return decide_without_scope(forward)
    return Ask(forward, token, principal)


def decide_without_scope(forward: Forward) -> Forward | Refuse:
    """What becomes of a user's valid token that gives no right here: reads of a public route need none."""
    return forward if _is_public_read(forward) else refuse_scope(forward)


def is_withheld(forward: Forward) -> bool:
    """Whether a request that goes on without a token came with a valid one, which gives no right there."""
    return _is_public_read(forward) and bool(forward.head.authorization)


def _is_public_read(forward: Forward) -> bool:
    return forward.route.credential is _PUBLIC and forward.request.method in _READ


def refuse_scope(forward: Forward) -> Refuse:
    """The token is good and lacks every scope that would do (RFC 6750 section 3.1)."""
    scopes = forward.route.read_scopes if _is_public_read(forward) else forward.route.scopes
    scope = " ".join(sorted(scopes))
    challenge = f'Bearer realm="mercato", error="insufficient_scope", scope="{scope}"'
    return Refuse("insufficient-scope", fields=(("www-authenticate", challenge),), head=forward.head)
