"""Answers that last: event streams pass as they come and take no place of others; what drips is cut."""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.edge.config import Limits
from gateway.edge.testing import QUICK, ROOMY, Behavior, RawClient, RunningEdge, Seen, json_reply, until

HOST = b"Host: localhost:8000\r\n"
WALLET = b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST
CATEGORIES = b"GET /api/v1/categories HTTP/1.1\r\n" + HOST + b"\r\n"
INDEX = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
OPEN_END = STREAM + b"\r\n"
CHUNKED = STREAM + b"Transfer-Encoding: chunked\r\n\r\n"


def streaming(
    pieces: int, seconds: float, head: bytes = OPEN_END, piece: bytes = b"data: %d\n\n"
) -> Behavior:
    async def behave(seen: Seen) -> None:
        seen.reply(head)
        for number in range(pieces):
            seen.reply(piece % number if b"%" in piece else piece)
            await asyncio.sleep(seconds)
        seen.writer.close()

    return behave


async def hang(seen: Seen) -> None:
    seen.reply(OPEN_END + b": hello\n\n")
    await asyncio.sleep(30)


def chunk(client: RawClient) -> bytes:
    return client._exactly(int(client._until(b"\r\n"), 16) + 2)[:-2]


def begun(edge: RunningEdge, request: bytes = CATEGORIES) -> RawClient:
    """A client that has read the head of its stream."""
    client = edge.client()
    client.send(request)
    assert client._until(b"\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    return client


@pytest.mark.parametrize("target", [b"/", b"/api/v1/categories"])
def test_passes_a_stream_as_it_comes(edge: RunningEdge, target: bytes) -> None:
    gate = asyncio.Event()

    async def behave(seen: Seen) -> None:
        seen.reply(CHUNKED + b"9\r\ndata: 1\n\n\r\n")
        await gate.wait()
        seen.reply(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    edge.web.behave = edge.categories.behave = behave
    client = begun(edge, b"GET %b HTTP/1.1\r\n" % target + HOST + b"\r\n")

    first = chunk(client)
    edge.edge.shared.loop.call_soon_threadsafe(gate.set)
    assert (first, chunk(client), client._until(b"\r\n\r\n")) == (
        b"data: 1\n\n",
        b"data: 2\n\n",
        b"0\r\n\r\n",
    )


def test_passes_the_place_where_a_client_goes_on(edge: RunningEdge) -> None:
    edge.ask(CATEGORIES[:-2] + b"Last-Event-ID: 7\r\n\r\n")

    assert edge.categories.seen[0].values("last-event-id") == ["7"]


def test_a_stream_may_last_longer_than_an_answer(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(times=replace(QUICK, total=0.5, stream=20.0, stream_idle=5.0))
    edge.categories.behave = streaming(6, 0.2)

    assert edge.ask(CATEGORIES).body == b"".join(b"data: %d\n\n" % number for number in range(6))


def test_a_stream_ends_at_last(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(times=replace(QUICK, stream=0.5, stream_idle=0.4))
    edge.categories.behave = streaming(100, 0.05)

    assert 0 < len(begun(edge).read_all()) < 100 * 14
    assert edge.edge.shared.upstreams["catalog_category"].streams == 0


def test_a_stream_without_news_is_cut(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(times=replace(QUICK, total=20.0, stream=20.0))
    edge.categories.behave = hang

    assert begun(edge).read_all() == b"9\r\n: hello\n\n\r\n"


def test_a_comment_keeps_a_stream(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(times=replace(QUICK, stream=20.0, stream_idle=1.0))
    edge.categories.behave = streaming(6, 0.25, piece=b":\n\n")

    assert edge.ask(CATEGORIES).body == b":\n\n" * 6


def test_streams_leave_room_for_others(start_edge: Callable[..., RunningEdge]) -> None:
    limits = replace(ROOMY, streams=2, upstream_connections=4)
    edge = start_edge(times=replace(QUICK, stream_idle=5.0, stream=20.0, drain=0.2), limits=limits)
    edge.categories.behave = hang
    clients = [begun(edge) for _ in range(2)]

    refused = edge.ask(CATEGORIES)
    edge.categories.behave = answer_plainly
    plain = edge.ask(CATEGORIES)

    assert (refused.status, refused.json()["service"], plain.status) == (503, "catalog_category", 200)
    assert int(refused.field("retry-after") or 0) > 0
    assert [chunk(client) for client in clients] == [b": hello\n\n"] * 2


async def answer_plainly(seen: Seen) -> None:
    seen.reply(json_reply())


def test_a_client_that_leaves_frees_the_place_of_its_stream(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(times=replace(QUICK, stream_idle=5.0), limits=replace(ROOMY, streams=1))
    edge.categories.behave = hang
    for _ in range(3):
        reset(begun(edge))
        until(lambda: edge.edge.shared.figures.connections == 0)

    assert edge.edge.shared.upstreams["catalog_category"].streams == 0


def reset(client: RawClient) -> None:
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_a_stream_with_a_length_is_an_answer_like_any_other(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=replace(ROOMY, streams=0))
    edge.categories.behave = streaming(1, 0.0, head=STREAM + b"Content-Length: 9\r\n\r\n")

    assert edge.ask(CATEGORIES).body == b"data: 0\n\n"


@pytest.mark.parametrize("how", ["retire", "drain"])
def test_an_edge_that_ends_cuts_its_streams(start_edge: Callable[..., RunningEdge], how: str) -> None:
    edge = start_edge(times=replace(QUICK, stream_idle=20.0, stream=60.0, drain=0.3))
    edge.categories.behave = hang
    client = begun(edge)
    edge.edge.shared.loop.call_soon_threadsafe(
        edge.edge.retire if how == "retire" else lambda: asyncio.ensure_future(edge.edge.drain())
    )

    assert client.read_all() == b"9\r\n: hello\n\n\r\n"


# What drips


@pytest.mark.case("L1")
def test_an_answer_that_drips_is_cut_and_starves_nobody(
    start_edge: Callable[..., RunningEdge], bearer: bytes
) -> None:
    edge = start_edge(times=replace(QUICK, total=1.0), limits=replace(ROOMY, upstream_connections=2))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    edge.wallet.behave = streaming(100, 0.1, head=head, piece=b"1")
    dripping = [edge.client() for _ in range(2)]
    for client in dripping:
        client.send(WALLET + bearer + b"\r\n")
    others = [edge.ask(CATEGORIES).status, edge.ask(INDEX).status]
    bodies = [client.read_all().partition(b"\r\n\r\n")[2] for client in dripping]
    edge.wallet.behave = answer_plainly

    assert others == [200, 200]
    assert all(0 < len(body) < 30 for body in bodies)
    assert edge.ask(WALLET + bearer + b"\r\n").status == 200


def test_a_head_that_drips_is_waited_for_no_longer_than_the_whole(
    start_edge: Callable[..., RunningEdge], bearer: bytes
) -> None:
    edge = start_edge(times=replace(QUICK, total=1.0), limits=Limits())
    edge.wallet.behave = streaming(100, 0.1, head=b"HTTP/1.1 200 OK\r\nX: ", piece=b"1")

    assert edge.ask(WALLET + bearer + b"\r\n").status == 504
