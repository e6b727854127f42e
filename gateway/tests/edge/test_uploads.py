"""Long bodies that are still coming: they take few places, in their turn, and give each of them back."""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import replace

from gateway.edge.pool import Pool
from gateway.edge.testing import QUICK, ROOMY, RawClient, RunningEdge, Seen, answer_json, json_reply, until

HOST = b"Host: localhost:8000\r\n"
WALLET = b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST
PART = b"a" * 100_000


def upload(edge: RunningEdge, bearer: bytes, way: bytes = b"usual") -> RawClient:
    """A client that has sent one half of its body, which is too long to be collected."""
    client = edge.client()
    length = b"Content-Length: %d\r\n\r\n" % (2 * len(PART))
    client.send(b"POST /api/v1/wallet/adjustments?%b HTTP/1.1\r\n" % way + HOST + bearer + length + PART)
    return client


def pool(edge: RunningEdge) -> Pool:
    return edge.edge.shared.upstreams["wallet"]


def reset(client: RawClient) -> None:
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_uploads_leave_room_for_others(start_edge: Callable[..., RunningEdge], bearer: bytes) -> None:
    limits = replace(ROOMY, uploads=1, upstream_connections=2)
    edge = start_edge(times=replace(QUICK, body=5.0), limits=limits)
    slow = upload(edge, bearer)
    until(lambda: len(edge.wallet.seen) == 1)
    late = upload(edge, bearer)
    edge.wallet.behave = answer_plainly

    plain = edge.ask(WALLET + bearer + b"\r\n")
    refused = late.read_reply()
    slow.send(PART)

    assert (plain.status, refused.status, slow.read_reply().status) == (200, 503, 200)
    assert (refused.json()["service"], refused.json()["code"]) == ("wallet", "unavailable")
    assert int(refused.field("retry-after") or 0) > 0
    assert [len(seen.body) for seen in edge.wallet.seen] == [2 * len(PART), 0]


async def answer_plainly(seen: Seen) -> None:
    seen.reply(json_reply())


def test_who_uploads_waits_for_its_turn(start_edge: Callable[..., RunningEdge], bearer: bytes) -> None:
    edge = start_edge(times=replace(QUICK, queue=5.0, body=5.0), limits=replace(ROOMY, uploads=1))
    clients = []
    for number in range(4):
        clients.append(upload(edge, bearer, b"%d" % number))
        until(lambda: pool(edge).queued + len(edge.wallet.seen) == len(clients))
    statuses = []
    for client in clients:
        client.send(PART)
        statuses.append(client.read_reply().status)

    assert statuses == [200] * 4
    assert [seen.start[-1] for seen in edge.wallet.seen] == ["0", "1", "2", "3"]
    assert {len(seen.body) for seen in edge.wallet.seen} == {2 * len(PART)}


def test_no_more_uploads_wait_than_may(start_edge: Callable[..., RunningEdge], bearer: bytes) -> None:
    edge = start_edge(times=replace(QUICK, queue=5.0, body=5.0), limits=replace(ROOMY, uploads=1, queued=1))
    first = upload(edge, bearer)
    until(lambda: len(edge.wallet.seen) == 1)
    second = upload(edge, bearer)
    until(lambda: pool(edge).queued == 1)

    turned_away = upload(edge, bearer).read_reply()
    first.send(PART)
    second.send(PART)

    assert (turned_away.status, first.read_reply().status, second.read_reply().status) == (503, 200, 200)


def test_a_body_that_was_sent_takes_no_place(start_edge: Callable[..., RunningEdge], bearer: bytes) -> None:
    async def answer_late(seen: Seen) -> None:
        await seen.read_body()
        await gate.wait()
        seen.reply(json_reply())

    gate = asyncio.Event()
    edge = start_edge(limits=replace(ROOMY, uploads=1))
    edge.wallet.behave = answer_late
    waiting = upload(edge, bearer)
    waiting.send(PART)
    until(lambda: bool(edge.wallet.seen and edge.wallet.seen[0].body))
    edge.wallet.behave = answer_json
    other = upload(edge, bearer)
    other.send(PART)
    status = other.read_reply().status
    edge.edge.shared.loop.call_soon_threadsafe(gate.set)

    assert (status, waiting.read_reply().status) == (200, 200)


def test_a_short_body_takes_no_place(start_edge: Callable[..., RunningEdge], bearer: bytes) -> None:
    edge = start_edge(times=replace(QUICK, body=5.0), limits=replace(ROOMY, uploads=1))
    upload(edge, bearer)
    until(lambda: len(edge.wallet.seen) == 1)

    start = b"POST /api/v1/wallet/adjustments HTTP/1.1\r\n" + HOST + bearer
    whole = edge.ask(start + b"Content-Length: 60000\r\n\r\n" + PART[:60000])
    chunked = edge.ask(start + b"Transfer-Encoding: chunked\r\n\r\n186a0\r\n" + PART + b"\r\n0\r\n\r\n")

    assert (whole.status, chunked.status) == (200, 200)


def test_no_place_is_lost_however_an_upload_ends(
    start_edge: Callable[..., RunningEdge], bearer: bytes
) -> None:
    async def behave(seen: Seen) -> None:
        if seen.start.endswith("dies"):
            seen.writer.transport.abort()
        elif seen.start.endswith("early"):
            seen.reply(json_reply(status="413 X"))
            await seen.reader.read()
        else:
            await answer_json(seen)

    edge = start_edge(times=replace(QUICK, body=0.05, queue=5.0, tick=0.01), limits=replace(ROOMY, uploads=3))
    edge.wallet.behave = behave
    ways = [b"whole", b"stalls", b"dies", b"early", b"leaves"]
    clients = [(way, upload(edge, bearer, way)) for _ in range(10) for way in ways]
    for way, client in clients:
        if way == b"whole":
            client.send(PART)
        elif way == b"leaves":
            reset(client)
    statuses = {way: set[int]() for way in ways}
    for way, client in clients:
        if way != b"leaves":
            statuses[way].add(client.read_reply().status)
    until(lambda: edge.edge.shared.figures.in_flight == 0)

    assert statuses == {b"whole": {200}, b"stalls": {408}, b"dies": {502}, b"early": {413}, b"leaves": set()}
    assert (pool(edge).uploads, pool(edge).queued) == (0, 0)


def test_all_who_wait_are_told_that_the_service_is_left_alone(
    start_edge: Callable[..., RunningEdge], bearer: bytes
) -> None:
    limits = replace(ROOMY, uploads=1, failures=1)
    edge = start_edge(times=replace(QUICK, queue=5.0, body=5.0, open=5.0), limits=limits)
    ended = asyncio.Event()

    async def die(seen: Seen) -> None:
        await ended.wait()
        seen.reply(b"no HTTP\r\n\r\n")

    edge.wallet.behave = die
    first = upload(edge, bearer)
    until(lambda: len(edge.wallet.seen) == 1)
    others = [upload(edge, bearer) for _ in range(300)]
    until(lambda: pool(edge).queued == 300)
    edge.edge.shared.loop.call_soon_threadsafe(ended.set)

    assert first.read_reply().status == 502
    assert {client.read_reply().status for client in others} == {503}
    assert (pool(edge).uploads, len(edge.wallet.seen)) == (0, 1)
