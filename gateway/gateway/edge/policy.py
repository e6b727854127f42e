"""What becomes of a request: a pure decision, without input or output, the same for every transport."""

import ipaddress
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

from chassis.env import is_loopback
from chassis.problems import CHALLENGE, REFUSED_CHALLENGE
from chassis.tokens import InvalidToken, Principal
from gateway.edge import cookies, headers
from gateway.edge.headers import TO_ADMIN, TO_API, TO_WEB, BadHead, Fields, Head, Passes
from gateway.edge.limiter import Exhausted
from gateway.edge.paths import MAX_TARGET_BYTES, NotCanonical, canonical_path
from gateway.routes import READ, Credential, Route, RouteTable

LIVEZ: Final = b"/livez"
READYZ: Final = b"/readyz"

_HEALTH: Final = frozenset({LIVEZ, READYZ})

# By these names, for in 3.11 each mention of a member through its Enum costs 0.1 µs; in a tuple, for that
# compares by identity, while a set would hash members in Python.
_PAGE: Final = Credential.PAGE
_PUBLIC: Final = Credential.PUBLIC
_TAKE_BEARERS: Final = (Credential.BEARER, _PUBLIC)
_STAFF: Final = Credential.STAFF
_PAGES: Final = (_PAGE, _STAFF)
_OPTIONS: Final = b"OPTIONS"
_READ: Final = frozenset(method.encode() for method in READ)

LOG_IN: Final = "/account/login/"
CONFIRM: Final = "/account/reauthenticate/"
SECURITY: Final = "/account/security/"

SESSION_REFUSALS: Final = frozenset(
    {"invalid-token", "insufficient-scope", "step-up-required", "second-factor-required"}
)
"""The codes with which the web refuses a session."""

_SESSION_CHALLENGE: Final = 'Cookie realm="mercato"'
_OWN_SITE: Final = (b"", b"same-origin", b"none")
# What comes back from the log-in must fit into a target again.
_MAX_NEXT_BYTES: Final = 2048
# Nobody but programs asks there, whatever they accept.
_DATA: Final = (b"/api/", b"/media/", b"/.well-known/", b"/internal/", LIVEZ, READYZ)

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


class AskSession(NamedTuple):
    """Let the web say whether this session may, and get a token for the route's audience; then forward."""

    forward: Forward
    session: str

    @property
    def head(self) -> Head:
        """The head of the request."""
        return self.forward.head


class Redirect(NamedTuple):
    """Lead the browser to another page of this origin."""

    location: str
    head: Head


class Refuse(NamedTuple):
    """Answer with a problem of the catalogue. closes: nothing more can be read from this connection; reason:
    why the token is refused, for the log alone.
    """

    code: str
    detail: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    closes: bool = False
    head: Head | None = None
    reason: str = ""


class Report(NamedTuple):
    """Answer about the edge's own health: LIVEZ or READYZ."""

    path: bytes
    head: Head


class Options(NamedTuple):
    """Tell which methods there are (RFC 9110 section 9.3.7); none are told of the edge as a whole."""

    methods: tuple[str, ...]
    head: Head


Decision = Forward | Ask | AskSession | Redirect | Refuse | Report | Options


@dataclass(frozen=True, slots=True)
class Rules:
    """What decisions rest on. hosts are in lower case; verify takes a token and the client's address and
    may raise InvalidToken or Exhausted (gateway.edge.limiter.Guesses); scheme is the origin's,
    session_cookie the name under which the web keeps its sessions.
    """

    table: RouteTable
    hosts: frozenset[bytes]
    verify: Callable[[str, str], Principal]
    scheme: str
    session_cookie: bytes
    trusted_proxies: int = 0


def decide(request: Request, rules: Rules, peer: str = "") -> Decision:
    """Decide about one request. What is unsafe about its form is refused before any token is looked at."""
    found = read(request, rules)
    return admit(found, found.head.bearer, rules, peer) if isinstance(found, Forward) else found


def read(request: Request, rules: Rules) -> Forward | Refuse | Report | Options:
    """What a request asks for, if it may be asked at all: the same whenever the same bytes come."""
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
        return _decide_without_path(request, head, rules)
    if path in _HEALTH:
        return _decide_health(request.method, path, head)
    if head.host.lower() not in rules.hosts:
        return _refuse_host(head)
    route = rules.table.find(path)
    if route is None:
        return Refuse("not-found", head=head)
    if request.method.decode() not in route.methods:
        return _refuse_method(request.method, route.methods, head)
    if head.content_length > route.body_limit:
        return Refuse("content-too-large", f"More than {route.body_limit} bytes.", closes=True, head=head)
    try:
        headers.check_ascii(head, wanted(route))
    except BadHead as exc:
        return Refuse(exc.code, exc.detail, head=head)
    return Forward(route, request, head)


def wanted(route: Route) -> tuple[Passes, ...]:
    """Which header fields of a request go to the upstream of a route."""
    if route.credential is _PAGE:
        return TO_WEB
    return TO_ADMIN if route.credential is _STAFF else TO_API


def admit(forward: Forward, bearer: str, rules: Rules, peer: str = "") -> Decision:
    """Whether somebody with these credentials may ask for it now. bearer is the token that came with this
    very request, peer is who is connected.
    """
    credential = forward.route.credential
    if credential in _TAKE_BEARERS:
        return _authenticate(forward, bearer, rules, peer)
    return _let_staff_in(forward, rules) if credential is _STAFF else forward


def without_token(forward: Forward) -> Forward:
    """The same, for whoever else asks for it; that there was an authorization is still known."""
    request, head = forward.request, forward.head
    if not head.authorization:
        return forward
    fields = [field for field in request.fields if field[0].lower() != b"authorization"]
    return forward._replace(
        request=request._replace(fields=fields), head=head._replace(authorization=b"Bearer", bearer="")
    )


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
    return _spelled(claimed) or peer


@lru_cache(4096)
def _spelled(address: str) -> str:
    # The one spelling of an address, empty when it is none. A scope may be any text (RFC 4007 section 11),
    # and is nobody's elsewhere.
    try:
        return "" if "%" in address else str(ipaddress.ip_address(address))
    except ValueError:
        return ""


def _decide_health(method: bytes, path: bytes, head: Head) -> Options | Refuse | Report:
    return Report(path, head) if method in _READ else _refuse_method(method, READ, head)


def _decide_without_path(request: Request, head: Head, rules: Rules) -> Options | Refuse:
    if request.target != b"*" or request.method != _OPTIONS:
        return Refuse("malformed-request", "The path is not in its canonical form.", head=head)
    return Options((), head) if head.host.lower() in rules.hosts else _refuse_host(head)


def _refuse_host(head: Head) -> Refuse:
    return Refuse("malformed-request", "The Host is not this origin's.", head=head)


def _refuse_method(method: bytes, methods: tuple[str, ...], head: Head) -> Options | Refuse:
    allowed = (*methods, _OPTIONS.decode())
    if method == _OPTIONS:
        # No credential is looked at, and nothing is said about other origins: none has access.
        return Options(allowed, head)
    return Refuse("method-not-allowed", fields=(("allow", ", ".join(allowed)),), head=head)


def _authenticate(forward: Forward, bearer: str, rules: Rules, peer: str) -> Decision:
    is_public_read = _is_public_read(forward)
    if not forward.head.authorization:
        if is_public_read:
            return forward
        fields = (("www-authenticate", CHALLENGE),)
        return Refuse("authentication-required", fields=fields, head=forward.head)
    # That there is only one was checked with the head.
    try:
        client = client_address(peer, forward.head.forwarded_for, rules.trusted_proxies)
        principal = rules.verify(bearer, client)
    except InvalidToken as exc:
        fields = (("www-authenticate", REFUSED_CHALLENGE),)
        return Refuse("invalid-token", fields=fields, head=forward.head, reason=exc.reason)
    except Exhausted as exc:
        fields = (("retry-after", str(math.ceil(exc.seconds))),)
        return Refuse("too-many-requests", "Too many bad tokens came from here.", fields, head=forward.head)
    if principal.is_service:
        return refuse_scope(forward)
    scopes = forward.route.read_scopes if is_public_read else forward.route.scopes
    if scopes and scopes.isdisjoint(principal.scopes):
        return decide_without_scope(forward)
    return Ask(forward, bearer, principal)


def decide_without_scope(forward: Forward) -> Forward | Refuse:
    """What becomes of a user's valid token that gives no right here: reads of a public route need none."""
    return forward if _is_public_read(forward) else refuse_scope(forward)


def is_withheld(forward: Forward) -> bool:
    """Whether a request that goes on without a token came with a valid one, which gives no right there."""
    return _is_public_read(forward) and bool(forward.head.authorization)


def refuse_session(forward: Forward, code: str) -> Redirect | Refuse:
    """What becomes of a request for an admin whose session the web refuses with a code of SESSION_REFUSALS.

    People are led to where they can do what it lacks. A write is answered with a page that says so: to lead
    it anywhere would lose what was typed.
    """
    if code == "invalid-token":
        return refuse_visitor(forward)
    if code == "insufficient-scope":
        return refuse_stranger(forward)
    is_old = code == "step-up-required"
    if _is_looked_at(forward):
        where = f"{CONFIRM}?next={_next(forward)}" if is_old else SECURITY
        return Redirect(where, forward.head)
    fields = (("www-authenticate", _SESSION_CHALLENGE),) if is_old else ()
    return Refuse(code, "Nothing was changed.", fields, head=forward.head)


def refuse_visitor(forward: Forward) -> Redirect | Refuse:
    """What becomes of a request for an admin without a session: people are led to the log-in and back."""
    if _is_looked_at(forward):
        return Redirect(f"{LOG_IN}?next={_next(forward)}", forward.head)
    fields = (("www-authenticate", _SESSION_CHALLENGE),)
    return Refuse("authentication-required", fields=fields, head=forward.head)


def refuse_stranger(forward: Forward) -> Refuse:
    """Somebody is logged in, and this admin is not theirs."""
    return Refuse("forbidden", "This is for staff with another role.", head=forward.head)


def is_write(forward: Forward) -> bool:
    """Whether a request is to change something (RFC 9110 section 9.2.1)."""
    return forward.request.method not in _READ


def _is_looked_at(forward: Forward) -> bool:
    return not is_write(forward) and accepts_html(forward.request)


def _next(forward: Forward) -> str:
    target = forward.request.target
    wanted = target.decode() if len(target) <= _MAX_NEXT_BYTES else f"{forward.route.prefix}/"
    return quote(wanted, safe="/")


def accepts_html(request: Request) -> bool:
    """Whether somebody looks at the answer in a browser."""
    return any(b"text/html" in value.lower() for name, value in request.fields if name.lower() == b"accept")


def is_answered_with_page(request: Request, table: RouteTable) -> bool:
    """Whether what the edge itself says to a request is a page, and not a problem document.

    The target may be anything at all: this chooses the form of a refusal and lets nobody in.
    """
    path = request.target.partition(b"?")[0]
    if path.startswith(_DATA) or not accepts_html(request):
        return False
    route = table.find(path)
    return route is None or route.credential in _PAGES


def _let_staff_in(forward: Forward, rules: Rules) -> AskSession | Redirect | Refuse:
    # An Authorization is not looked at: bearers are for the API, sessions for admins.
    if is_write(forward) and not _is_same_origin(forward.head, rules.scheme):
        return Refuse("forbidden", "Another site sent this.", head=forward.head)
    try:
        session = cookies.session(forward.head, rules.session_cookie)
    except cookies.AmbiguousCookie:
        return Refuse("malformed-request", "Two session cookies.", head=forward.head)
    return AskSession(forward, session) if session else refuse_visitor(forward)


def _is_same_origin(head: Head, scheme: str) -> bool:
    # Fetch Metadata and Origin are the browser's word, which no page can alter. Where one is missing the
    # other must say so; what neither vouches for does not come from our own pages.
    site = headers.value_of(head, b"sec-fetch-site").lower()
    origin = headers.value_of(head, b"origin").lower()
    if site not in _OWN_SITE:
        return False
    return origin == _origin_of(head.host, scheme) if origin else site == b"same-origin"


def _origin_of(host: bytes, scheme: str) -> bytes:
    # The Host was found to be one of this origin's; what browsers call it has no port of the scheme's own.
    return f"{scheme}://".encode() + host.lower().removesuffix(b":%d" % _DEFAULT_PORTS[scheme])


def _is_public_read(forward: Forward) -> bool:
    return forward.route.credential is _PUBLIC and forward.request.method in _READ


def refuse_scope(forward: Forward) -> Refuse:
    """The token is good and lacks every scope that would do (RFC 6750 section 3.1)."""
    scopes = forward.route.read_scopes if _is_public_read(forward) else forward.route.scopes
    scope = " ".join(sorted(scopes))
    challenge = f'Bearer realm="mercato", error="insufficient_scope", scope="{scope}"'
    return Refuse("insufficient-scope", fields=(("www-authenticate", challenge),), head=forward.head)
