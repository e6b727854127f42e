"""Throw bytes at the edge as a service: a client gets one sound answer, or a connection that is cut.

The first byte says which request is answered, the second after how many bytes a read ends.
"""

import re

import httptools
from fuzz_request import pieces, rehearsal, reply_to, serve, take_request, token

from gateway.edge.headers import HOP_BY_HOP
from gateway.edge.rehearsal import Answer, Wire, read_answers

HOST = b"Host: localhost:8000\r\nX-Request-ID: fuzz-request\r\n"
ASKED = (
    (b"GET", b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (b"HEAD", b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n"),
    (b"GET", b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST + b"Authorization: Bearer @TOKEN@\r\n\r\n"),
    (b"GET", b"GET /media/banners/a HTTP/1.1\r\n" + HOST + b"\r\n"),
    (b"GET", b"GET /.well-known/a HTTP/1.0\r\n" + HOST + b"\r\n"),
    (b"POST", b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}"),
)
NEVER = HOP_BY_HOP - {b"connection"} | {b"server", b"x-powered-by", b"x-edge-key", b"via", b"alt-svc"}
SANDBOXED = {2, 3, 5}


class Told:
    """What a parser makes of a reply."""

    def __init__(self, data: bytes) -> None:
        self.status = 0
        self.body = b""
        self.is_whole = False
        self.parser = httptools.HttpResponseParser(self)
        self.parser.feed_data(data)

    def on_headers_complete(self) -> None:
        self.status = self.parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_whole |= self.status >= 200


def try_reply(data: bytes) -> None:
    """Raises: AssertionError."""
    if len(data) < 2:
        return
    edge, which, size, data = rehearsal(), data[0] % len(ASKED), data[1], data[2:]
    method, request = ASKED[which]
    client = edge.connect()
    edge.do(client.feed, request.replace(b"@TOKEN@", token()))
    wire = asked_wire()
    for piece in pieces(data, size):
        edge.do(wire.feed, piece)
    edge.do(wire.feed_eof)
    edge.do(wire.lose)
    serve(edge)  # A read is tried again when its connection was lost.
    check(client, method, which, data)
    edge.do(client.lose)
    edge.pass_time(0.5)
    assert edge.left_over() == {}
    assert edge.errors == []
    for wire in edge.loop.dialed:
        edge.do(wire.lose)
    edge.loop.dialed.clear()


def asked_wire() -> Wire:
    # Questions to the web come first and are answered here.
    edge = rehearsal()
    for wire in list(edge.loop.dialed):
        if wire.sent.startswith(b"POST /internal/token "):
            edge.do(wire.feed, reply_to(take_request(wire)))
    (wire,) = [wire for wire in edge.loop.dialed if wire.sent]
    assert take_request(wire)
    return wire


def check(client: Wire, method: bytes, which: int, data: bytes) -> None:
    sent = bytes(client.sent)
    found = read_answers(sent, methods=[method], is_ended=not client.is_lost or client.has_sent_eof)
    assert len(found) == 1 or (client.is_lost and not found), found
    for answer in found:
        check_answer(answer, which)
        assert answer.is_whole or client.is_lost
        if answer.is_whole and method != b"HEAD" and answer.status < 300:
            check_body(answer, data)


def check_answer(answer: Answer, which: int) -> None:
    names = [line.partition(b":")[0] for line in answer.fields]
    assert answer.id == b"fuzz-request"
    assert not NEVER & set(names), names
    assert names.count(b"content-length") <= 1
    if which in SANDBOXED:
        assert b"set-cookie" not in names
        assert answer.fields.count(b"x-content-type-options: nosniff") == 1
        policies = [line for line in answer.fields if line.startswith(b"content-security-policy: ")]
        assert policies == [b"content-security-policy: default-src 'none'; sandbox"]


def check_body(answer: Answer, data: bytes) -> None:
    # The body is what a parser by itself makes of the reply, or that of the second try.
    if answer.body == b"{}" or re.search(rb"HTTP/1\.[01] 1", data):
        return
    try:
        told = Told(data)
    except httptools.HttpParserError as exc:
        told = exc.__context__
    if isinstance(told, Told):
        assert told.body == answer.body
