"""Upstreams on the wire: what reaches them, and what becomes of their answers."""

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.edge.asks import MAX_KEPT_SECONDS
from gateway.edge.config import Limits
from gateway.edge.testing import (
    EDGE_KEY,
    QUICK,
    QUOTA,
    SUBJECT,
    Behavior,
    Issuer,
    RawReply,
    RunningEdge,
    Seen,
    json_reply,
    until,
)

HOST = b"Host: localhost:8000\r\n"
INDEX = b"GET / HTTP/1.1\r\n" + HOST
WELL_KNOWN = b"GET /.well-known/x HTTP/1.1\r\n" + HOST
ADJUST = b"POST /api/v1/wallet/adjustments HTTP/1.1\r\n" + HOST
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST
WALLET = b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST


def replying(data: bytes, *, closes: bool = False) -> Behavior:
    async def behave(seen: Seen) -> None:
        await seen.read_body()
        seen.reply(data)
        if closes:
            await seen.writer.drain()
            seen.writer.close()

    return behave


@pytest.mark.case("F1")
def test_a_service_gets_its_own_token_and_nothing_else(edge: RunningEdge, bearer: bytes) -> None:
    fields = b"Cookie: a=b\r\nX-User-Id: 1\r\nX-Edge-Key: evil\r\nX-Forwarded-For: 6.6.6.6\r\nAccept: a\r\n"
    reply = edge.ask(WALLET + bearer + fields + b"Connection: close, Authorization\r\n\r\n")

    (seen,) = edge.wallet.seen
    assert (reply.status, seen.head) == (200, wallet_head(edge, reply, b"accept: a\r\n"))
    assert bearer.split()[-1].decode() not in seen.head.decode()


def wallet_head(edge: RunningEdge, reply: RawReply, lines: bytes = b"") -> bytes:
    """What the wallet gets of WALLET and a bearer."""
    return edge.head_for(reply, "GET /api/v1/wallet", lines, edge.token_line)


@pytest.mark.case("F4")
def test_a_service_is_told_whom_the_trusted_proxy_saw(
    start_edge: Callable[..., RunningEdge], bearer: bytes
) -> None:
    edge = start_edge(trusted_proxies=1)

    reply = edge.ask(
        WALLET + bearer + b"X-Forwarded-For: 6.6.6.6, 192.0.2.1\r\nForwarded: for=6.6.6.6\r\n\r\n"
    )

    (seen,) = edge.wallet.seen
    assert seen.head == wallet_head(edge, reply).replace(b"127.0.0.1", b"192.0.2.1")


@pytest.mark.case("D4")
def test_the_web_gets_the_edge_key_and_cookies_on_pages(edge: RunningEdge) -> None:
    reply = edge.ask(INDEX + b"Cookie: sid=1\r\nAuthorization: Bearer x\r\nX-Edge-Key: evil\r\n\r\n")

    (seen,) = edge.arrived
    assert seen.head == (
        b"GET / HTTP/1.1\r\nhost: localhost:8000\r\nx-forwarded-host: localhost:8000\r\ncookie: sid=1\r\n"
        b"x-forwarded-proto: http\r\nvia: 1.1 mercato\r\nx-edge-key: %b\r\n"
        b"x-request-id: %b\r\nx-forwarded-for: 127.0.0.1\r\n%b\r\n"
        % (EDGE_KEY.encode(), (reply.field("x-request-id") or "").encode(), seen.line("x-request-start"))
    )


def test_the_web_is_told_when_a_request_arrived(edge: RunningEdge) -> None:
    before = time.time()
    edge.ask(INDEX + b"X-Request-Start: t=1\r\n\r\n")

    (value,) = edge.web.seen[0].values("x-request-start")
    assert before - 0.1 <= float(value.removeprefix("t=")) <= time.time()


def test_a_request_arrived_when_its_body_was_whole(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(LOGIN + b"Content-Length: 2\r\n\r\n{")
    time.sleep(0.2)
    completed_at = time.time()
    client.send(b"}")
    client.read_reply()

    assert completed_at - 0.05 <= arrival(edge.web.seen[0])


def test_a_request_that_streams_arrived_when_it_was_forwarded(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=Limits(collected=4))
    client = edge.client()
    client.send(LOGIN + b"Content-Length: 10\r\n\r\naa")
    time.sleep(0.2)
    forwarded_at = time.time()
    client.send(b"aa")
    time.sleep(0.2)
    client.send(b"aaaaaa")
    client.read_reply()

    assert forwarded_at - 0.05 <= arrival(edge.web.seen[0]) <= forwarded_at + 0.15


def test_a_request_that_queues_arrived_before(start_edge: Callable[..., RunningEdge]) -> None:
    async def answer_later(seen: Seen) -> None:
        await asyncio.sleep(0.2)
        seen.reply(json_reply())

    edge = start_edge(limits=Limits(upstream_connections=1))
    edge.web.behave = answer_later
    first, second = edge.client(), edge.client()
    first.send(INDEX + b"\r\n")
    second.send(INDEX + b"\r\n")
    sent_at = time.time()
    second.read_reply()

    assert [arrival(seen) <= sent_at + 0.15 for seen in edge.web.seen] == [True, True]


def arrival(seen: Seen) -> float:
    (value,) = seen.values("x-request-start")
    return float(value.removeprefix("t="))


def test_the_target_is_forwarded_byte_for_byte(edge: RunningEdge, bearer: bytes) -> None:
    target = b"/api/v1/wallet/caf%C3%A9/a%20b?next=/../x&y=%2F%00"

    edge.ask(b"GET %b HTTP/1.1\r\n" % target + HOST + bearer + b"\r\n")

    assert edge.wallet.seen[0].start == "GET " + target.decode()


def test_one_ask_serves_many(edge: RunningEdge, bearer: bytes) -> None:
    clients = [edge.client() for _ in range(20)]
    for client in clients:
        client.send(WALLET + bearer + b"\r\n")

    statuses = [client.read_reply().status for client in clients]

    assert statuses == [200] * 20
    assert len(edge.web.seen) == 1


def test_few_tokens_are_kept(start_edge: Callable[..., RunningEdge], issuer: Issuer) -> None:
    edge = start_edge(limits=Limits(minted=1))
    first, second = (b"Authorization: Bearer %b\r\n" % issuer.mint().encode() for _ in range(2))

    for line in (first, first, second, first):
        assert edge.ask(WALLET + line + b"\r\n").status == 200

    assert len(edge.web.seen) == 3


@pytest.mark.parametrize(("seconds", "asked"), [(MAX_KEPT_SECONDS - 5, 1), (MAX_KEPT_SECONDS + 1, 2)])
def test_a_token_is_kept_no_longer_than_that(
    edge: RunningEdge, bearer: bytes, monkeypatch: pytest.MonkeyPatch, seconds: int, asked: int
) -> None:
    answer = {"token": "a.b.c", "exp": int(time.time()) + 10 * MAX_KEPT_SECONDS, "sub": SUBJECT}
    edge.web.behave = replying(json_reply(json.dumps(answer).encode()))
    edge.ask(WALLET + bearer + b"\r\n")

    monkeypatch.setattr(edge.edge.shared.asks, "_clock", lambda: time.time() + seconds)
    edge.ask(WALLET + bearer + b"\r\n")

    assert len(edge.web.seen) == asked


def test_the_ask_carries_the_bearer_and_the_audience(edge: RunningEdge, bearer: bytes) -> None:
    edge.ask(WALLET + bearer + b"\r\n")

    (seen,) = edge.web.seen
    assert seen.start == "POST /internal/token"
    assert seen.values("x-edge-key") == [EDGE_KEY]
    assert seen.values("host") == ["localhost:8000"]
    assert b'"audience": "wallet"' in seen.body


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (json_reply(status="401 Unauthorized"), 401, "invalid-token"),
        # That is said of sessions alone.
        (json_reply(b'{"code": "step-up-required"}', status="401 Unauthorized"), 401, "invalid-token"),
        (json_reply(status="403 Forbidden"), 403, "insufficient-scope"),
        (json_reply(status="500 Internal Server Error"), 503, "unavailable"),
        (json_reply(b'{"token": "a.b.c\\r\\nX: y", "exp": 1, "sub": "x"}'), 503, "unavailable"),
        (json_reply(b'{"token": "a.b.c", "exp": 9999999999, "sub": "someone else"}'), 503, "unavailable"),
        (json_reply(b"not json"), 503, "unavailable"),
        (json_reply(b"[" * 10_000), 503, "unavailable"),
        (
            json_reply(
                f'{{"token": "a.b.c", "exp": 9999999999, "sub": "{SUBJECT}"}}'.encode() + b" " * 20_000
            ),
            503,
            "unavailable",
        ),
        (b"garbage\r\n\r\n", 503, "unavailable"),
    ],
)
def test_without_a_token_nothing_reaches_the_service(
    edge: RunningEdge, bearer: bytes, answer: bytes, status: int, code: str
) -> None:
    edge.web.behave = replying(answer)

    reply = edge.ask(WALLET + bearer + b"\r\n")

    assert (reply.status, reply.json()["code"]) == (status, code)
    assert edge.wallet.seen == []


def test_a_web_that_fails_is_told_of_at_once(start_edge: Callable[..., RunningEdge], bearer: bytes) -> None:
    edge = start_edge(times=replace(QUICK, ask=4.0, total=8.0))
    edge.web.behave = replying(json_reply(status="500 Internal Server Error"))
    started_at = time.monotonic()

    reply = edge.ask(WALLET + bearer + b"\r\n")

    assert (reply.status, reply.json()["service"]) == (503, "gateway")
    assert time.monotonic() - started_at < 2


def test_a_web_that_hangs_makes_the_call_unavailable(edge: RunningEdge, bearer: bytes) -> None:
    edge.web.behave = lambda seen: asyncio.sleep(5)

    reply = edge.ask(WALLET + bearer + b"\r\n")

    assert (reply.status, reply.json()["service"]) == (503, "gateway")
    assert reply.field("retry-after") == "2"


def test_a_web_that_hung_is_asked_again(edge: RunningEdge, bearer: bytes) -> None:
    edge.web.behave = lambda seen: asyncio.sleep(5)
    hung = edge.ask(WALLET + bearer + b"\r\n")
    edge.web.behave = edge.mint_answer
    until(lambda: not edge.edge.shared.asks._calls)  # A moment in which another would still wait with it.

    assert (hung.status, edge.ask(WALLET + bearer + b"\r\n").status) == (503, 200)


def test_reuses_upstream_connections(edge: RunningEdge) -> None:
    for _ in range(3):
        edge.ask(INDEX + b"\r\n")

    assert edge.web.connections == 1


def test_a_connection_that_a_service_will_close_serves_no_other(edge: RunningEdge) -> None:
    edge.web.behave = replying(json_reply(extra=b"Connection: close\r\n"))

    assert [edge.ask(INDEX + b"\r\n").status for _ in range(2)] == [200, 200]
    assert edge.web.connections == 2


def test_get_after_head_on_the_same_connection(edge: RunningEdge) -> None:
    head_reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n"
    edge.web.behave = replying(head_reply)
    reply = edge.ask(b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n", is_head=True)
    edge.web.behave = replying(json_reply())

    second = edge.ask(INDEX + b"\r\n")

    assert reply.field("content-length") == "11"
    assert second.body == b'{"ok":true}'
    assert edge.web.connections == 1


def test_a_body_on_a_head_reply_is_not_taken_for_the_next_reply(edge: RunningEdge) -> None:
    edge.web.behave = replying(json_reply())
    edge.ask(b"HEAD / HTTP/1.1\r\n" + HOST + b"\r\n", is_head=True)

    assert edge.ask(INDEX + b"\r\n").body == b'{"ok":true}'
    assert edge.web.connections == 2


def test_a_second_reply_is_not_given_to_the_next_client(edge: RunningEdge) -> None:
    edge.web.behave = replying(json_reply() + json_reply(b'"poison"'))
    first = edge.ask(INDEX + b"\r\n")
    edge.web.behave = replying(json_reply(b'"mine"'))

    assert first.body == b'{"ok":true}'
    assert edge.ask(INDEX + b"\r\n").body == b'"mine"'


@pytest.mark.case("F7")
def test_interim_replies_stay_behind(edge: RunningEdge) -> None:
    edge.web.behave = replying(b"HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\n" + json_reply())

    reply = edge.ask(INDEX + b"\r\n")

    assert (reply.status, reply.field("link")) == (200, None)


@pytest.mark.case("E14", "F7", "F8")
@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 204 No Content\r\n" + b"X: a\r\n" * 201 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000 + b"\r\nContent-Length: 0\r\n\r\n",
        json_reply().replace(b"application/json", b"text/html"),
        json_reply(status="302 Found", extra=b"Location: http://169.254.169.254/\r\n"),
    ],
)
def test_a_reply_that_must_not_pass_is_502(
    edge: RunningEdge, assert_problem: Callable[..., None], bearer: bytes, reply: bytes
) -> None:
    edge.wallet.behave = replying(reply)

    answer = edge.ask(WALLET + bearer + b"\r\n")

    (seen, _asked) = edge.arrived
    assert_problem(answer, "bad-gateway", fields=f"retry-after: 2\r\n{QUOTA}", service="wallet")
    assert seen.head == wallet_head(edge, answer)


@pytest.mark.case("E15")
def test_an_api_reply_brings_no_cookie(edge: RunningEdge, bearer: bytes) -> None:
    edge.wallet.behave = replying(json_reply(extra=b"Set-Cookie: __Host-sid=evil\r\nServer: x\r\n"))

    reply = edge.ask(WALLET + bearer + b"\r\n")

    (seen, _asked) = edge.arrived
    assert (reply.field("set-cookie"), reply.field("server")) == (None, None)
    assert reply.field("content-security-policy") == "default-src 'none'; sandbox"
    assert seen.head == wallet_head(edge, reply)


def test_any_origin_may_read_a_well_known_document(edge: RunningEdge) -> None:
    edge.web.behave = replying(json_reply(extra=b"Access-Control-Allow-Origin: *\r\n"))

    document = edge.ask(WELL_KNOWN + b"\r\n")
    page = edge.ask(INDEX + b"\r\n")

    assert document.field("access-control-allow-origin") == "*"
    assert page.field("access-control-allow-origin") is None


def test_an_answer_without_content_has_no_length(edge: RunningEdge) -> None:
    # RFC 9110 section 8.6: it must not.
    edge.web.behave = replying(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")

    reply = edge.ask(INDEX + b"\r\n")

    assert (reply.status, reply.field("content-length"), reply.field("transfer-encoding")) == (
        204,
        None,
        None,
    )


def test_a_reply_until_close_becomes_chunked(edge: RunningEdge) -> None:
    edge.web.behave = replying(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nall of it", closes=True)
    client = edge.client()
    client.send(INDEX + b"\r\n")

    reply = client.read_reply()

    assert (reply.field("transfer-encoding"), reply.body) == ("chunked", b"all of it")
    edge.web.behave = replying(json_reply())
    client.send(INDEX + b"\r\n")
    assert client.read_reply().status == 200


def test_a_chunked_reply_ends_with_the_connection_for_http_1_0(edge: RunningEdge) -> None:
    edge.web.behave = replying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")

    reply = edge.ask(INDEX.replace(b"1.1", b"1.0") + b"\r\n")

    assert (reply.field("transfer-encoding"), reply.body) == (None, b"ab")


@pytest.mark.case("G8")
def test_trailers_of_a_reply_are_dropped(edge: RunningEdge) -> None:
    chunks = b"2\r\nab\r\n0\r\nSet-Cookie: a=b\r\n\r\n"
    edge.web.behave = replying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    client = edge.client()
    client.send(INDEX + b"Connection: close\r\n\r\n")

    assert b"ookie" not in client.read_all()


def test_a_reply_streams(edge: RunningEdge) -> None:
    gate = asyncio.Event()

    async def half_and_half(seen: Seen) -> None:
        seen.reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await gate.wait()
        seen.reply(b"6\r\nsecond\r\n0\r\n\r\n")

    edge.web.behave = half_and_half
    client = edge.client()
    client.send(INDEX + b"\r\n")

    first = client.socket.recv(65536)
    edge.edge.shared.loop.call_soon_threadsafe(gate.set)

    assert b"first" in first
    assert b"second" in client.socket.recv(65536)


def test_a_long_body_streams_to_the_service(edge: RunningEdge, bearer: bytes) -> None:
    async def read_some(seen: Seen) -> None:
        seen.body = await seen.reader.readexactly(64 * 1024)
        reached.set()
        seen.body += await seen.reader.readexactly(200_000 - 64 * 1024)
        seen.reply(json_reply())

    reached = threading.Event()
    edge.wallet.behave = read_some
    client = edge.client()
    client.send(ADJUST + bearer + b"Content-Length: 200000\r\n\r\n" + b"a" * 100_000)

    assert reached.wait(2)
    client.send(b"b" * 100_000)
    assert client.read_reply().status == 200
    assert edge.wallet.seen[0].body == b"a" * 100_000 + b"b" * 100_000


def test_a_chunked_body_reaches_the_service_with_its_length(edge: RunningEdge, bearer: bytes) -> None:
    body = b"10000\r\n%b\r\n" % (b"a" * 65_536) * 3 + b"0\r\n\r\n"

    reply = edge.ask(ADJUST + bearer + b"Transfer-Encoding: chunked\r\n\r\n" + body)

    assert reply.status == 200
    assert edge.wallet.seen[0].values("content-length") == [str(3 * 65_536)]
    assert len(edge.wallet.seen[0].body) == 3 * 65_536


def test_a_service_that_never_reads_is_504(edge: RunningEdge, bearer: bytes) -> None:
    async def never_read(seen: Seen) -> None:
        seen.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(10)

    edge.wallet.behave = never_read
    client = edge.client()
    client.send(ADJUST + bearer + b"Content-Length: 1048576\r\n\r\n")
    client.send(b"a" * 1_048_576)

    assert client.read_reply().status == 504


def test_a_client_that_does_not_read_holds_the_service_back(edge: RunningEdge) -> None:
    progress = {"written": 0}

    async def write_much(seen: Seen) -> None:
        seen.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n")
        while progress["written"] < 67_108_864:
            seen.reply(b"a" * 65_536)
            await seen.writer.drain()
            progress["written"] += 65_536

    edge.web.behave = write_much
    client = edge.client(receive_buffer=16_384)
    client.send(INDEX + b"\r\n")
    time.sleep(0.4)

    held_at = progress["written"]

    assert held_at < 32 * 1024 * 1024
    client.close()


def test_a_client_that_never_reads_is_cut(edge: RunningEdge) -> None:
    async def write_much(seen: Seen) -> None:
        seen.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n" + b"a" * 67_108_864)

    edge.web.behave = write_much
    client = edge.client(receive_buffer=16_384)
    client.send(INDEX + b"\r\n")
    until(lambda: bool(edge.web.seen))

    until(lambda: edge.edge.shared.figures.connections == 0)
    client.close()


def test_a_slow_client_gets_all_of_a_long_reply(edge: RunningEdge) -> None:
    body = bytes(range(256)) * 8192
    edge.web.behave = replying(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    client = edge.client(receive_buffer=16_384)
    client.send(INDEX + b"\r\n")
    time.sleep(0.3)

    assert client.read_reply().body == body


@pytest.mark.parametrize(
    ("last", "drains"), [(b"Connection: close\r\n", False), (b"Connection: close\r\n", True), (b"", True)]
)
def test_a_slow_client_gets_the_end_of_a_last_reply(
    start_edge: Callable[..., RunningEdge], last: bytes, drains: bool
) -> None:
    """What the edge still holds when it closes goes out, though the time to ask has long passed."""

    async def keep_little() -> None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    body = bytes(range(256)) * 128
    edge = start_edge(times=replace(QUICK, idle=0.2 if last else 5.0, head=0.2, write=4.0, drain=8.0))
    edge.web.behave = replying(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    client = edge.client(receive_buffer=4096)
    until(lambda: bool(edge.edge.shared.clients))
    transport = next(iter(edge.edge.shared.clients))._transport
    edge.run(keep_little())
    client.send(INDEX + last + b"\r\n")
    until(lambda: transport.get_write_buffer_size() > 0)
    draining = edge.begin(edge.edge.drain()) if drains else None
    time.sleep(1.3)

    assert client.read_reply().body == body
    if draining is not None:
        draining.result(5)


def test_a_stale_connection_is_tried_again(edge: RunningEdge) -> None:
    edge.ask(INDEX + b"\r\n")
    edge.web.behave = closing_once(edge)

    reply = edge.ask(INDEX + b"\r\n")

    assert reply.status == 200
    assert len(edge.web.seen) == 3


def closing_once(edge: RunningEdge) -> Behavior:
    async def behave(seen: Seen) -> None:
        await seen.read_body()
        seen.writer.close()
        edge.web.behave = edge.wallet.behave = replying(json_reply())

    return behave


@pytest.mark.case("E17")
def test_a_post_is_never_sent_twice(
    edge: RunningEdge, assert_problem: Callable[..., None], bearer: bytes
) -> None:
    edge.ask(WALLET + bearer + b"\r\n")
    edge.wallet.behave = closing_once(edge)

    reply = edge.ask(ADJUST + bearer + b"Content-Length: 2\r\n\r\n{}")

    (_read, written) = edge.wallet.seen
    own = edge.token_line + b"content-length: 2\r\n"
    assert_problem(reply, "bad-gateway", fields=f"retry-after: 2\r\n{QUOTA}", service="wallet")
    assert written.head == edge.head_for(reply, "POST /api/v1/wallet/adjustments", own=own)
    assert written.body == b"{}"


def test_a_get_is_tried_again_once_only(edge: RunningEdge) -> None:
    async def close(seen: Seen) -> None:
        seen.writer.close()

    edge.web.behave = close

    assert edge.ask(INDEX + b"\r\n").status == 502
    assert len(edge.web.seen) == 2


def test_a_get_is_not_tried_again_once_answered(edge: RunningEdge) -> None:
    edge.web.behave = replying(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", closes=True)
    client = edge.client()
    client.send(INDEX + b"\r\n")

    answer = client.read_all()

    assert answer.endswith(b"\r\n\r\nabc")
    assert len(edge.web.seen) == 1


def test_a_service_that_is_away_is_502(edge: RunningEdge, bearer: bytes) -> None:
    edge.run(edge.wallet.stop())

    reply = edge.ask(WALLET + bearer + b"\r\n")

    assert (reply.status, reply.json()["service"]) == (502, "wallet")
    assert reply.field("retry-after") == "2"


def test_a_service_that_hangs_is_504(edge: RunningEdge) -> None:
    edge.web.behave = lambda seen: asyncio.sleep(10)

    reply = edge.ask(INDEX + b"\r\n")

    assert (reply.status, reply.json()["service"]) == (504, "gateway")


def test_waits_for_a_connection_when_all_are_taken(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=Limits(upstream_connections=1))
    clients = [edge.client() for _ in range(5)]
    for client in clients:
        client.send(INDEX + b"\r\n")

    assert [client.read_reply().status for client in clients] == [200] * 5
    assert edge.web.connections == 1


def test_a_full_queue_is_503(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=Limits(upstream_connections=1, queued=0))
    edge.web.behave = lambda seen: asyncio.sleep(10)
    first = edge.client()
    first.send(INDEX + b"\r\n")
    time.sleep(0.1)

    reply = edge.ask(INDEX + b"\r\n")

    assert (reply.status, reply.json()["service"]) == (503, "gateway")


def test_a_client_that_breaks_off_frees_the_service(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=Limits(upstream_connections=1))
    edge.web.behave = lambda seen: asyncio.sleep(10)
    first = edge.client()
    first.send(INDEX + b"\r\n")
    time.sleep(0.1)
    edge.web.behave = replying(json_reply())
    first.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    first.close()

    assert edge.ask(INDEX + b"\r\n").status == 200


def test_an_early_answer_ends_the_connection(edge: RunningEdge, bearer: bytes) -> None:
    async def refuse_early(seen: Seen) -> None:
        seen.reply(json_reply(status="409 Conflict"))

    edge.wallet.behave = refuse_early
    client = edge.client()
    client.send(ADJUST + bearer + b"Content-Length: 1000000\r\n\r\n" + b"a" * 100_000)

    reply = client.read_reply()

    assert (reply.status, reply.field("connection")) == (409, "close")


def test_an_early_answer_is_not_lost_with_the_rest_of_the_body(edge: RunningEdge, bearer: bytes) -> None:
    edge.run(edge.wallet.stop())
    listener = socket.create_server(("127.0.0.1", edge.wallet.port))
    service = threading.Thread(target=answer_without_reading, args=(listener, 10))
    service.start()
    body = b"Content-Length: 1000000\r\n\r\n" + b"a" * 1_000_000

    statuses = [edge.ask(ADJUST + bearer + body).status for _ in range(10)]
    service.join()

    assert statuses == [409] * 10


def answer_without_reading(listener: socket.socket, count: int) -> None:
    """Answer so many requests from their heads alone: what is unread resets the connection as it closes."""
    with listener:
        for _ in range(count):
            connection, _ = listener.accept()
            connection.recv(4096)
            connection.sendall(json_reply(status="409 Conflict"))
            connection.close()


@pytest.mark.parametrize(("size", "connections"), [(16_384, 1), (16_385, 2)])
def test_a_connection_with_a_body_that_may_be_unread_serves_no_other(
    edge: RunningEdge, bearer: bytes, size: int, connections: int
) -> None:
    # Its service closes it after the answer and does not say so; what is no GET would be lost on it.
    edge.ask(ADJUST + bearer + b"Content-Length: %d\r\n\r\n" % size + b"a" * size)
    edge.ask(ADJUST + bearer + b"\r\n")

    assert edge.wallet.connections == connections


@pytest.mark.case("F7")
@pytest.mark.parametrize("second", [json_reply(b'"poison"'), json_reply(b'"poison"', status="500 Poison")])
def test_a_second_reply_in_the_same_read_is_not_added_to_the_first(edge: RunningEdge, second: bytes) -> None:
    edge.web.behave = replying(json_reply() + second)
    client = edge.client()
    client.send(INDEX + b"Connection: close\r\n\r\n")

    answer = client.read_all()

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'\r\n\r\n{"ok":true}')
