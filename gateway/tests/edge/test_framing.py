"""Bytes of a message that are neither its head nor its body: chunk sizes, their extensions, trailers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from gateway.edge.config import Address, Limits, Times
from gateway.edge.headers import Fields
from gateway.edge.pool import Pool
from gateway.edge.testing import QUICK, RawClient, RunningEdge, Seen
from gateway.edge.upstream import MAX_REPLY_HEAD_BYTES, Connection, Failure

HOST = b"Host: localhost:8000\r\n"
INDEX = b"GET / HTTP/1.1\r\n" + HOST
CHUNKED = b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n"
OK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"

FLOODS = {
    "a trailer": b"2\r\n{}\r\n0\r\nX: " + b"a" * 65_536,
    "trailers": b"2\r\n{}\r\n0\r\n" + b"X: a\r\n" * 10_000,
    "an extension": b"2;" + b"a" * 65_536,
    "extensions": b"1;%b\r\na\r\n" % (b"a" * 1000) * 64,
}


@pytest.mark.case("G7")
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_around_a_body_is_refused_at_once(
    start_edge: Callable[..., RunningEdge], flood: bytes
) -> None:
    edge = start_edge(times=replace(QUICK, body=4.0, total=5.0))
    client = edge.client()
    client.send(CHUNKED + b"Expect: 100-continue\r\n\r\n")
    client.read_reply()
    started_at = time.monotonic()
    client.send(flood)

    reply = client.read_reply()

    assert (reply.status, reply.json()["code"]) == (400, "malformed-request")
    assert time.monotonic() - started_at < 2
    assert client.is_closed()
    assert edge.web.seen == []


def test_a_body_of_tiny_chunks_is_no_flood(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(CHUNKED + b"Expect: 100-continue\r\n\r\n")
    client.read_reply()
    client.send(b"1\r\na\r\n" * 16_000 + b"0\r\n\r\n")

    assert client.read_reply().status == 200
    assert edge.web.seen[0].body == b"a" * 16_000


@pytest.mark.case("G10")
@pytest.mark.parametrize("start", [b"2\r\n{}\r\n0\r\nX: ", b"2;"], ids=["a trailer", "an extension"])
def test_a_drip_around_a_body_is_timed_out(start_edge: Callable[..., RunningEdge], start: bytes) -> None:
    edge = start_edge(times=replace(QUICK, total=5.0))
    client = edge.client()
    started_at = time.monotonic()
    client.send(CHUNKED + b"\r\n" + start)
    client.socket.settimeout(0.05)

    status = drip(client, b"a")

    assert status == 408
    assert time.monotonic() - started_at < 2


def drip(client: RawClient, piece: bytes) -> int:
    while True:
        try:
            return client.read_reply().status
        except TimeoutError:
            client.send(piece)


def test_a_flood_around_a_reply_cuts_it(start_edge: Callable[..., RunningEdge]) -> None:
    async def flood(seen: Seen) -> None:
        seen.reply(OK)
        await seen.writer.drain()
        edge.edge.shared.loop.call_later(0.1, seen.reply, b"0\r\nX: " + b"a" * 1_000_000)

    edge = start_edge(times=replace(QUICK, total=10.0))
    edge.web.behave = flood
    client = edge.client()
    started_at = time.monotonic()
    client.send(INDEX + b"\r\n")

    answer = client.read_all()

    assert answer.endswith(b"2\r\nab\r\n")
    assert time.monotonic() - started_at < 2


@dataclass
class Listener:
    """A borrower that writes down what it hears."""

    wants_connection: bool = True
    heard: list[object] = field(default_factory=list)

    def on_connection(self, connection: Connection) -> None:
        """It is lent by hand here."""

    def on_reply(
        self, status: int, fields: Fields, length: int | None, data: bytes, *, is_whole: bool
    ) -> None:
        self.heard.append(data)

    def on_data(self, data: bytes, *, is_whole: bool) -> None:
        self.heard.append(b"the end" if is_whole else data)

    def on_failure(self, failure: Failure) -> None:
        self.heard.append(failure)

    def hold_body(self) -> None:
        """Nothing is sent."""

    def resume_body(self) -> None:
        """Nothing is sent."""


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def connection(listener: Listener) -> Connection:
    lent = Connection(Pool("web", Address("127.0.0.1", 1), Times(), Limits()))
    lent.send(listener, b"", is_head_request=False, may_be_kept=True)
    lent.data_received(OK)
    return lent


def test_framing_of_a_reply_is_no_news(connection: Connection, listener: Listener) -> None:
    for piece in (b"2;", b"a", b"a\r\n", b"cd\r\n", b"0\r\nX: ", b"a", b"\r\n\r\n"):
        connection.data_received(piece)

    assert listener.heard == [b"ab", b"cd", b"the end"]


@pytest.mark.parametrize("start", [b"2;", b"0\r\nX: "], ids=["an extension", "a trailer"])
def test_framing_of_a_reply_has_a_limit(connection: Connection, listener: Listener, start: bytes) -> None:
    connection.data_received(start)
    for _ in range(17):
        connection.data_received(b"a" * 1024)

    assert listener.heard == [b"ab", Failure.INVALID]


def test_the_head_of_a_reply_has_a_limit(listener: Listener) -> None:
    lent = Connection(Pool("web", Address("127.0.0.1", 1), Times(), Limits()))
    lent.send(listener, b"", is_head_request=False, may_be_kept=True)
    lent.data_received(b"HTTP/1.1 200 OK\r\nX: ")
    heard_before = list(listener.heard)

    lent.data_received(b"a" * MAX_REPLY_HEAD_BYTES)

    assert (heard_before, listener.heard) == ([], [Failure.INVALID])


def test_a_reply_of_tiny_chunks_is_no_flood(connection: Connection, listener: Listener) -> None:
    for _ in range(10_000):
        connection.data_received(b"1\r\na\r\n")

    assert Failure.INVALID not in listener.heard
