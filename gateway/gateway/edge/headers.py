"""Which header fields pass: requests by allow-list, responses by deny-list; and what makes a head unsafe."""

import re
from collections.abc import Sequence
from enum import Enum
from typing import Final, NamedTuple

Fields = Sequence[tuple[bytes, bytes]]
"""Header fields as they came: names in any case, white space possibly left after a value."""

MAX_HEAD_BYTES: Final = 16 * 1024
MAX_FIELDS: Final = 100

# Every field costs its name, a colon, a space and a line end.
_FIELD_OVERHEAD: Final = 4

COOKIE: Final = b"cookie: "
"""How a line of cookies begins."""

_NO_TOKENS: Final[frozenset[bytes]] = frozenset()

_PARAMETERS: Final = rb"(?:(?!charset)[^*])*+"
_IN_UTF_8: Final = re.compile(
    _PARAMETERS + rb"(?<=[; \t])charset=(?:utf-?8|\"utf-?8\")(?:[; \t]" + _PARAMETERS + rb")?"
)
"""A content type, in lower case, that names this one charset."""


class BadHead(Exception):
    """A request head that must not be acted on; code is one of the problem catalogue."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class BadReply(Exception):
    """A reply of an upstream that must not be passed on; the text is for the log."""


class Passes(Enum):
    """The kinds of routes on which a request field passes."""

    NEVER = 0
    API = 1
    PAGE = 2
    BROWSER = 3
    """On pages and on staff routes."""
    ALWAYS = 4


# Tuples, for they compare by identity; the hash of a member is computed in Python.
TO_API: Final = (Passes.API, Passes.ALWAYS)
TO_WEB: Final = (Passes.PAGE, Passes.BROWSER, Passes.ALWAYS)
TO_ADMIN: Final = (Passes.BROWSER, Passes.ALWAYS)


class _Rule(NamedTuple):
    name: bytes
    passes: Passes
    is_single: bool
    is_read: bool
    prefix: bytes


class Head(NamedTuple):
    """What a checked request head says.

    bearer is the token of such an authorization; lines are ready to be sent, by the routes they pass on.
    """

    host: bytes
    authorization: bytes
    bearer: str
    content_length: int
    is_chunked: bool
    keep_alive: bool
    expects_continue: bool
    request_id: bytes
    forwarded_for: bytes
    lines: Sequence[tuple[Passes, bytes]]


_PASSING: Final = {
    Passes.ALWAYS: (
        *("accept", "accept-charset", "accept-encoding", "accept-language", "content-type"),
        *("if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"),
        *("range", "idempotency-key", "last-event-id", "user-agent"),
    ),
    # Standard Webhooks: what a payment provider signs its calls with.
    Passes.API: ("webhook-id", "webhook-signature", "webhook-timestamp"),
    Passes.PAGE: ("cookie",),  # And HX-*, which htmx keeps adding to.
    Passes.BROWSER: (
        *("origin", "referer", "x-csrftoken"),
        *("sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site", "sec-fetch-user"),
    ),
}
# Read by the edge itself and written anew, never copied.
_READ: Final = (
    *("authorization", "connection", "content-encoding", "content-length", "expect", "host"),
    *("proxy-connection", "transfer-encoding", "x-forwarded-for", "x-request-id"),
)
_LISTS: Final = frozenset(
    {
        *("accept", "accept-charset", "accept-encoding", "accept-language", "connection", "cookie"),
        *("if-match", "if-none-match", "proxy-connection", "x-forwarded-for"),
    }
)


def _rules() -> dict[bytes, _Rule]:
    passing = [(name, passes) for passes, names in _PASSING.items() for name in names]
    rules = {}
    for name, passes in [*passing, *((name, Passes.NEVER) for name in _READ)]:
        is_read = passes is Passes.NEVER
        rule = _Rule(name.encode(), passes, name not in _LISTS, is_read, f"{name}: ".encode())
        # Both usual spellings are found at once; any other costs a lower() first.
        rules[name.encode()] = rules[name.title().encode()] = rule
    return rules


_RULES: Final = _rules()


def read_head(method: bytes, version: str, fields: Fields, *, is_upgrade: bool) -> Head:
    """Check a request head and sort its fields.

    Raises: BadHead for everything that llhttp lets through and two servers could understand differently.
    """
    if version not in {"1.1", "1.0"}:
        raise BadHead("http-version-not-supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    if method == b"CONNECT":
        raise BadHead("malformed-request", "This is no tunnel.")
    read, passing = _sort(fields)
    length, chunked = _framing(method, version, read, is_upgrade=is_upgrade)
    _check_encoding(read.get(b"content-encoding"))
    _check_media_type(passing)
    nominated = _tokens(read.get(b"connection", b""))
    authorization = read.get(b"authorization", b"")
    return Head(
        read.get(b"host", b""),
        authorization,
        _bearer(authorization),
        length,
        chunked,
        # After either llhttp reads nothing more of this client, so it has to be told.
        version == "1.1"
        and b"close" not in nominated
        and b"close" not in _tokens(read.get(b"proxy-connection", b"")),
        _expects_continue(read.get(b"expect")) and version == "1.1",
        read.get(b"x-request-id", b""),
        read.get(b"x-forwarded-for", b""),
        [
            (rule.passes, b"%b%b\r\n" % (rule.prefix, value))
            for rule, value in passing
            if rule.name not in nominated
        ],
    )


def value_of(head: Head, name: bytes) -> bytes:
    """The value of a field that passes somewhere, given in lower case; empty when there is none."""
    prefix = name + b": "
    for _, line in head.lines:
        if line.startswith(prefix):
            return line[len(prefix) : -2]
    return b""


def request_lines(head: Head, wanted: tuple[Passes, ...]) -> list[bytes]:
    """The lines of a head that pass: TO_API, TO_WEB or TO_ADMIN."""
    return [line for passes, line in head.lines if passes in wanted]


def check_ascii(head: Head, wanted: tuple[Passes, ...]) -> None:
    """Check what goes on: servers read bytes beyond ASCII in two ways (RFC 9110 section 5.5), and granian
    hands such a value over as an empty one. Cookies are left out one by one instead (`gateway.edge.cookies`).

    Raises: BadHead.
    """
    for passes, line in head.lines:
        if not line.isascii() and passes in wanted and not line.startswith(COOKIE):
            name = line.partition(b":")[0].decode()
            raise BadHead("malformed-request", f"The {name} header field has bytes beyond ASCII.")


def _sort(fields: Fields) -> tuple[dict[bytes, bytes], list[tuple[_Rule, bytes]]]:
    if len(fields) > MAX_FIELDS:
        raise BadHead("headers-too-large", f"More than {MAX_FIELDS} header fields.")
    read: dict[bytes, bytes] = {}
    passing: list[tuple[_Rule, bytes]] = []
    singles: set[bytes] = set()
    size = _FIELD_OVERHEAD * len(fields)
    for name, raw in fields:
        size += len(name) + len(raw)
        rule = _RULES.get(name) or _find_rule(name.lower())
        if rule is None:
            continue
        value = raw.strip(b" \t")
        if rule.is_single:
            if rule.name in singles:
                raise BadHead("malformed-request", f"Two {rule.name.decode()} header fields.")
            singles.add(rule.name)
        if rule.is_read:
            read[rule.name] = read[rule.name] + b", " + value if rule.name in read else value
        else:
            passing.append((rule, value))
    if size > MAX_HEAD_BYTES:
        raise BadHead("headers-too-large", f"More than {MAX_HEAD_BYTES} bytes of header fields.")
    return read, passing


def _find_rule(name: bytes) -> _Rule | None:
    if b"_" in name:
        # WSGI cannot tell X_A from X-A, so one could overwrite the other behind us.
        raise BadHead("malformed-request", "A header name has an underscore.")
    if name.startswith(b"hx-"):
        return _Rule(name, Passes.PAGE, is_single=True, is_read=False, prefix=name + b": ")
    return _RULES.get(name)


def _framing(method: bytes, version: str, read: dict[bytes, bytes], *, is_upgrade: bool) -> tuple[int, bool]:
    encoding = read.get(b"transfer-encoding")
    digits = read.get(b"content-length")
    if encoding is None and digits is None:
        return 0, False
    if encoding is not None and (version == "1.0" or digits is not None):
        raise BadHead("malformed-request", "The length of the body is ambiguous.")
    if encoding is not None and encoding.lower() != b"chunked":
        raise BadHead("not-implemented", "The only transfer coding is chunked.")
    if digits is not None and not digits.isdigit():
        raise BadHead("malformed-request", "The Content-Length is not a number.")
    length = int(digits or b"0")
    if (encoding or length) and (method in {b"GET", b"HEAD"} or is_upgrade):
        raise BadHead("malformed-request", "This request cannot have a body.")
    return length, encoding is not None


def _check_encoding(encoding: bytes | None) -> None:
    # Without this field the body would mean something else, and no service of ours reads encoded ones.
    if encoding is not None and encoding.lower() != b"identity":
        raise BadHead("unsupported-media-type", "An encoded body is not accepted.")


def _check_media_type(passing: list[tuple[_Rule, bytes]]) -> None:
    # Django decodes even queries by the charset that is named here, and among Python's there are some that
    # give no text (hex), half characters (unicode_escape), or an error before anything of ours is asked.
    for rule, value in passing:
        if rule.name != b"content-type" or (b"*" not in value and b"charset" not in value.lower()):
            continue
        if _IN_UTF_8.fullmatch(value.lower()) is None:
            raise BadHead("unsupported-media-type", "Text is UTF-8 here.")


def _bearer(authorization: bytes) -> str:
    # What is no token the verifier refuses.
    scheme, _, token = authorization.partition(b" ")
    return token.decode("latin-1") if scheme.lower() == b"bearer" else ""


def _expects_continue(expectation: bytes | None) -> bool:
    if expectation is not None and expectation.lower() != b"100-continue":
        raise BadHead("expectation-failed", "The only expectation is 100-continue.")
    return expectation is not None


def _tokens(value: bytes) -> frozenset[bytes]:
    return frozenset([token.strip(b" \t") for token in value.lower().split(b",")]) if value else _NO_TOKENS


HOP_BY_HOP: Final = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
_CONNECTION_LENGTH: Final = len(b"connection")
# What the edge writes itself, and what says too much or for too many: transport security and alternative
# services are promises of the whole origin, cross-origin access is denied to all but public documents.
_DENIED: Final = HOP_BY_HOP | {
    *(b"age", b"content-length", b"via", b"x-request-id", b"x-edge-key"),
    *(b"server", b"x-powered-by", b"alt-svc", b"strict-transport-security", b"public-key-pins"),
    *(b"access-control-allow-origin", b"access-control-allow-credentials"),
}
_SANDBOX_DENIED: Final = _DENIED | {
    *(b"set-cookie", b"x-content-type-options", b"content-security-policy", b"clear-site-data", b"refresh"),
}
_SANDBOX_LINES: Final = (
    b"x-content-type-options: nosniff\r\n",
    b"content-security-policy: default-src 'none'; sandbox\r\n",
)
_DATA_TYPES: Final = frozenset(
    {
        *(b"application/json", b"application/problem+json", b"application/pdf"),
        *(b"text/csv", b"text/event-stream", b"text/plain"),
    }
)
_MEDIA_TYPES: Final = frozenset({b"image/webp", b"image/jpeg", b"application/problem+json"})


# Tabs and line ends vanish where a browser reads a URL (URL Standard 4.1), so /<tab>/evil is //evil.
_LEFT_OUT: Final = re.compile(rb"[\x00-\x20\x7f]")


class ReplyKind(NamedTuple):
    """What the replies of a kind of route may carry out."""

    denied: frozenset[bytes]
    is_sandboxed: bool
    may_redirect_anywhere: bool
    types: frozenset[bytes] = frozenset()
    """Of a sandboxed kind: no other content type passes."""


DATA: Final = ReplyKind(_SANDBOX_DENIED, is_sandboxed=True, may_redirect_anywhere=False, types=_DATA_TYPES)
"""The API: data, never documents."""

DATA_LEAVING: Final = DATA._replace(may_redirect_anywhere=True)
"""The same of a route that may lead to other sites."""

MEDIA: Final = DATA._replace(types=_MEDIA_TYPES)
"""Pictures, or the reason why there is none."""

MEDIA_PARTS: Final = MEDIA._replace(types=_MEDIA_TYPES | {b"multipart/byteranges"})
"""Several ranges of a picture (RFC 9110 section 14.6)."""

PUBLIC: Final = ReplyKind(
    (_DENIED | {b"set-cookie"}) - {b"access-control-allow-origin"},
    is_sandboxed=False,
    may_redirect_anywhere=False,
)
"""Public documents of the web, such as /.well-known: it may let any origin read them."""

PAGE: Final = ReplyKind(_DENIED, is_sandboxed=False, may_redirect_anywhere=True)
"""Pages of the web, which is the gateway itself: it sets cookies and sends people to log in elsewhere."""

ADMIN: Final = ReplyKind(
    _DENIED
    | {
        *(b"clear-site-data", b"refresh", b"service-worker-allowed", b"www-authenticate"),
        *(b"accept-ch", b"critical-ch", b"nel", b"report-to", b"reporting-endpoints"),
    },
    is_sandboxed=False,
    may_redirect_anywhere=False,
)
"""Admins of services, which share the origin: none may speak for all of it, ask for a password, or lead
away. `gateway.edge.cookies` has taken out what they may not set."""


def reply_lines(fields: Fields, kind: ReplyKind, *, has_body: bool, origin: bytes) -> list[bytes]:
    """The header lines of a reply that pass on, ready to be sent.

    Raises: BadReply when the route must not answer with this type or this redirect.
    """
    denied, types, says_who_may_keep_it, lines = kind.denied, [], False, []
    for name, value in fields:
        if len(name) == _CONNECTION_LENGTH and name.lower() == b"connection":
            denied |= _tokens(value)
    for raw, value in fields:
        name = raw.lower()
        if name in denied:
            continue
        lines.append(b"%b: %b\r\n" % (name, value))
        if name == b"content-type":
            types.append(value)
        elif name == b"cache-control":
            says_who_may_keep_it = True
        elif name == b"location" and not kind.may_redirect_anywhere:
            _check_redirect(value, origin)
    if kind.is_sandboxed:
        _check_type(types, kind.types, has_body=has_body)
        lines += _SANDBOX_LINES
        if not says_who_may_keep_it:
            lines.append(b"cache-control: no-store\r\n")
    return lines


def is_event_stream(fields: Fields) -> bool:
    """Whether a reply goes on for as long as there is news."""
    return any(
        name.lower() == b"content-type" and value.lower().startswith(b"text/event-stream")
        for name, value in fields
    )


def join_lines(lines: Sequence[bytes]) -> bytes:
    """The lines as one block, each of which is exactly one line.

    llhttp refuses values that bring a line of their own; this is the second pair of eyes before bytes of
    others become a head.
    Raises: ValueError.
    """
    block = b"".join(lines)
    breaks = len(block) - len(block.translate(None, b"\r\n\0"))
    if breaks != 2 * len(lines):
        raise ValueError("a header field is not one line")
    return block


def _check_type(types: list[bytes], allowed: frozenset[bytes], *, has_body: bool) -> None:
    if len(types) == 1 and types[0] in allowed:
        return
    kind = types[0].partition(b";")[0].strip(b" \t").lower() if types else b""
    if len(types) > 1 or (kind not in allowed and (kind or has_body)):
        raise BadReply(f"content type {kind[:64]!r}")


def _check_redirect(value: bytes, origin: bytes) -> None:
    location = value.strip(b" \t")
    if _LEFT_OUT.search(location):
        raise BadReply("a redirect that browsers read in another way")
    is_path = location.startswith(b"/") and location[1:2] not in {b"/", b"\\"}
    if not is_path and not location.startswith(origin + b"/"):
        raise BadReply("a redirect to another origin")
