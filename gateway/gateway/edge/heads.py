"""The heads that the edge sends, to upstreams and to clients. Pure, like the rules that they follow."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from gateway.edge import cookies, headers, policy, replies
from gateway.edge.headers import (
    ADMIN,
    DATA,
    DATA_LEAVING,
    MEDIA,
    MEDIA_PARTS,
    PAGE,
    PUBLIC,
    Fields,
    ReplyKind,
)
from gateway.routes import WEB, Credential, Route

_CHUNKED: Final = b"transfer-encoding: chunked\r\n"
BODILESS: Final = frozenset({204, 304})
SAFE: Final = frozenset({b"GET", b"HEAD"})

_PARTIAL: Final = 206

# By these names, for in 3.11 each mention of a member through its Enum costs 0.1 µs.
_PAGE: Final = Credential.PAGE
_STAFF: Final = Credential.STAFF


class ReplyHead(NamedTuple):
    """The head of a reply, and how its body goes out. common is what of it every client would get."""

    data: bytes
    common: bytes
    is_chunked: bool
    keeps_alive: bool
    is_stream: bool = False
    """Whether it is an event stream, which is not over soon."""


def passing_lines(head: headers.Head, route: Route) -> list[bytes]:
    """The lines of a request's head that go to the upstream of its route as they came."""
    lines = headers.request_lines(head, policy.wanted(route))
    if route.credential is _PAGE:
        return lines if b"".join(lines).isascii() else cookies.in_ascii(lines)
    cookie = cookies.line(head, route) if route.credential is _STAFF else b""
    return [*lines, cookie] if cookie else lines


def request_start(forward: policy.Forward, sent: Sequence[bytes], own_lines: bytes) -> bytes:
    """The part of the head for an upstream that follows from the client's head alone.

    sent: the lines that pass; own_lines: what the edge adds for this upstream.
    Raises: ValueError when a field is not one line.
    """
    _, request, head = forward
    return b"%b %b HTTP/1.1\r\nhost: %b\r\nx-forwarded-host: %b\r\n%b%b" % (
        request.method,
        request.target,
        head.host,
        head.host,
        headers.join_lines(sent),
        own_lines,
    )


def request_head(
    start: bytes,
    forward: policy.Forward,
    *,
    token: bytes,
    body_bytes: int,
    client: str,
    request_id: str,
    arrived_at: float,
) -> bytes:
    """The head that an upstream gets. body_bytes: of a collected body that came without its length.

    arrived_at is when the request was complete, in Unix seconds. The web is told it, for a request may wait
    there for a thread, and a refresh that waited is not one that came late. Token, address and id have been
    checked where they came from.
    """
    route, request, head = forward
    bearer = b"authorization: Bearer %b\r\n" % token if token else b""
    data = b"%bx-request-id: %b\r\nx-forwarded-for: %b\r\n%b" % (
        start,
        request_id.encode(),
        client.encode(),
        bearer,
    )
    if request.method not in SAFE:
        length = body_bytes if head.is_chunked else head.content_length
        data = b"%bcontent-length: %d\r\n" % (data, length)
    if route.upstream == WEB:
        data = b"%bx-request-start: t=%.6f\r\n" % (data, arrived_at)
    return data + b"\r\n"


def reply_head(
    forward: policy.Forward,
    kind: ReplyKind,
    status: int,
    fields: Fields,
    *,
    length: int | None,
    keeps_alive: bool,
    request_id: str,
    origin: bytes,
    own_line: bytes = b"",
) -> ReplyHead:
    """The head that a client gets; length is that of the body as the upstream told it, None if it did not.

    own_line is what the edge adds for this client alone: whole lines.

    Raises: BadReply, or ValueError when a field is not one line.
    """
    if forward.route.credential is _STAFF:
        fields = cookies.without_foreign(fields, forward.route)
    is_bodiless = forward.request.method == b"HEAD" or status in BODILESS
    if status == _PARTIAL and kind is MEDIA:
        kind = MEDIA_PARTS
    passing = headers.reply_lines(fields, kind, has_body=not is_bodiless and length != 0, origin=origin)
    common = replies.status_line(status) + headers.join_lines(passing)
    is_chunked, is_stream, framing = False, False, b""
    if length is not None and status != 204:
        framing = b"content-length: %d\r\n" % length
    elif not is_bodiless:
        # Where HTTP/1.0 cannot be told the length, the end of the connection tells it.
        is_chunked = forward.request.version == "1.1"
        keeps_alive = keeps_alive and is_chunked
        is_stream = headers.is_event_stream(fields)
        framing = _CHUNKED if is_chunked else b""
    if not keeps_alive:
        framing += replies.CLOSE_LINE
    data = b"%bx-request-id: %b\r\n%b%b\r\n" % (common, request_id.encode(), own_line, framing)
    return ReplyHead(data, common, is_chunked, keeps_alive, is_stream)


def reply_kind(route: Route) -> ReplyKind:
    """What the replies of a route may carry out."""
    if route.is_media:
        return MEDIA
    if route.is_sandboxed:
        return DATA_LEAVING if route.may_leave_site else DATA
    if route.credential is _STAFF:
        return ADMIN
    return PAGE if route.credential is _PAGE else PUBLIC
