"""Throw bytes at the edge as a client: what goes on to services is whole, checked and the edge's own words.

The first byte says after how many bytes a read ends; @TOKEN@ stands for a good access token.
"""

import json
import re
import tempfile
import time
from functools import cache, lru_cache
from pathlib import Path

import httptools

from gateway.edge.config import Times
from gateway.edge.headers import HOP_BY_HOP
from gateway.edge.paths import canonical_path
from gateway.edge.rehearsal import Rehearsal, Wire, read_answers, roomy
from gateway.edge.testing import EDGE_KEY, SUBJECT, Issuer
from gateway.routes import RouteTable

TIMES = Times(tick=0.5)
OWN = {
    *(b"host", b"authorization", b"content-length", b"x-request-id", b"x-request-start", b"x-edge-key"),
    *(b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"),
}
PASSING = {
    *(b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"content-type", b"if-match"),
    *(b"if-modified-since", b"if-none-match", b"if-range", b"if-unmodified-since", b"range"),
    *(b"idempotency-key", b"user-agent", b"webhook-id", b"webhook-signature", b"webhook-timestamp"),
    *(
        b"cookie",
        b"origin",
        b"referer",
        b"x-csrftoken",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
    ),
    b"sec-fetch-user",
}
LINE = re.compile(rb"([a-z0-9!#$%&'*+.^`|~-]+): ([\t -~]*)")
HOSTS = {b"localhost:8000", b"127.0.0.1:8000", b"[::1]:8000"}
TABLE = RouteTable()


class Told:
    """What a parser makes of one request."""

    def __init__(self, data: bytes) -> None:
        self.url = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.count = 0
        self.parser = httptools.HttpRequestParser(self)
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.count += 1


@cache
def issuer() -> Issuer:
    return Issuer(Path(tempfile.mkdtemp()))


def token() -> bytes:
    """A good access token."""
    return _token_since(int(time.time()) // 300)


@lru_cache(1)
def _token_since(_time: int) -> bytes:
    return issuer().mint(exp=int(time.time()) + 900).encode()


@cache
def rehearsal() -> Rehearsal:
    return Rehearsal(issuer(), times=TIMES, limits=roomy(collected=64))


def try_request(data: bytes) -> list[bytes]:
    """What went on to services, all of it checked.

    Raises: AssertionError.
    """
    edge, size = rehearsal(), data[0] if data else 0
    client, passed = edge.connect(), []
    data = data[1:].replace(b"@TOKEN@", token())
    for piece in pieces(data, size):
        edge.do(client.feed, piece)
        passed += serve(edge)
    edge.do(client.feed_eof)
    passed += serve(edge)
    read_answers_of(client)
    edge.do(client.lose)
    edge.pass_time(0.5)
    assert edge.left_over() == {}
    assert edge.errors == []
    edge.loop.dialed[:] = [wire for wire in edge.loop.dialed if not wire.is_lost]
    return passed


def pieces(data: bytes, size: int) -> list[bytes]:
    """The data in reads of this size, in one when it is 0."""
    size = size or max(1, len(data))
    return [data[start : start + size] for start in range(0, len(data), size)]


def read_answers_of(client: Wire) -> None:
    # Which of them answer HEAD is not known here, so lengths without bodies are not looked at.
    heads = [part for part in bytes(client.sent).split(b"\r\n\r\n") if part.startswith(b"HTTP/1.1 ")]
    if heads and not any(b"HEAD" in part for part in heads):
        first = bytes(client.sent).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        read_answers(first, methods=[b"HEAD"], is_ended=True)


def serve(edge: Rehearsal) -> list[bytes]:
    """Check what has reached services, and answer what is whole."""
    is_new, served = True, []
    while is_new:
        is_new = False
        for wire in list(edge.loop.dialed):
            request = take_request(wire)
            if request:
                is_new = True
                check(edge.name_of(wire), request)
                edge.do(wire.feed, reply_to(request))
                served.append(request)
    return served


def take_request(wire: Wire) -> bytes:
    head, mark, rest = bytes(wire.sent).partition(b"\r\n\r\n")
    if not mark or wire.is_lost:
        return b""
    lengths = re.findall(rb"\r\ncontent-length: (\d+)(?=\r\n|$)", head)
    assert len(lengths) < 2, head
    length = int(lengths[0]) if lengths else 0
    if len(rest) < length:
        return b""
    request = head + mark + rest[:length]
    del wire.sent[: len(request)]
    assert not wire.sent, "more than one request at once"
    return request


def check(upstream: str, request: bytes) -> None:
    """What an upstream got is what a strict parser reads, and nothing that is not let through."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    method, target, version = first.split(b" ")
    if target == b"/internal/token":
        return
    route = TABLE.find(canonical_path(target))
    assert version == b"HTTP/1.1"
    assert route is not None, target
    assert route.upstream == upstream
    assert method.decode() in route.methods
    matches = [LINE.fullmatch(line) for line in lines]
    assert all(matches), lines
    fields = [(match[1], match[2]) for match in matches if match]
    names = [name for name, _ in fields]
    assert {name for name in names if not name.startswith(b"hx-")} <= OWN | PASSING, names
    assert not HOP_BY_HOP & set(names)
    assert all(names.count(name) == 1 for name in set(names) & OWN), names
    assert dict(fields)[b"host"].lower() in HOSTS
    check_credentials(upstream, dict(fields), route.credential.value)
    told = Told(request)
    assert (told.parser.get_method(), told.url, told.body, told.count) == (method, target, body, 1)
    assert [name for name, _ in told.fields] == names


def check_credentials(upstream: str, fields: dict[bytes, bytes], credential: str) -> None:
    assert (fields.get(b"x-edge-key") == EDGE_KEY.encode()) is (upstream == "web")
    assert token() not in fields.get(b"authorization", b"")
    if credential in {"none", "page"}:
        assert b"authorization" not in fields
    if credential == "bearer":
        assert fields[b"authorization"].startswith(b"Bearer ey")


def reply_to(request: bytes) -> bytes:
    if request.startswith(b"POST /internal/token "):
        question = json.loads(request.partition(b"\r\n\r\n")[2])
        expires_at = int(time.time()) + 120
        minted = issuer().mint(aud=question["audience"], exp=expires_at)
        said = json.dumps({"token": minted, "exp": expires_at, "sub": SUBJECT}).encode()
    else:
        said = b"{}"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(said)
    return head if request.startswith(b"HEAD ") else head + said
