"""Who waits for a connection, and who does not any more."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable

from gateway.edge.body import Body
from gateway.edge.config import Limits, Times
from gateway.edge.rehearsal import Rehearsal, roomy
from gateway.edge.testing import Issuer, RunningEdge, Seen, json_reply, until

INDEX = b"GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n"


def test_who_gave_up_leaves_its_place_in_the_queue(start_edge: Callable[..., RunningEdge]) -> None:
    async def answer_late(seen: Seen) -> None:
        await gate.wait()
        seen.reply(json_reply())

    gate = asyncio.Event()
    edge = start_edge(limits=Limits(upstream_connections=1, queued=1))
    edge.web.behave = answer_late
    busy, gone, patient = edge.client(), edge.client(), edge.client()
    busy.send(INDEX)
    until(lambda: len(edge.web.seen) == 1)
    gone.send(INDEX)
    time.sleep(0.05)
    gone.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    gone.close()
    until(lambda: edge.edge.shared.figures.connections == 2)
    patient.send(INDEX)
    time.sleep(0.05)
    edge.edge.shared.loop.call_soon_threadsafe(gate.set)

    assert [busy.read_reply().status, patient.read_reply().status] == [200, 200]


def test_who_waited_too_long_leaves_its_place_in_the_queue(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=Limits(upstream_connections=1, queued=1))
    edge.web.behave = lambda seen: asyncio.sleep(10)
    busy = edge.client()
    busy.send(INDEX)
    until(lambda: len(edge.web.seen) == 1)

    started_at = time.monotonic()
    statuses = [edge.ask(INDEX).status, edge.ask(INDEX).status]

    assert statuses == [503, 503]
    assert time.monotonic() - started_at > 0.6


def test_a_connection_is_kept_for_a_while(issuer: Issuer) -> None:
    times = Times()
    with Rehearsal(issuer, times=times, limits=roomy()) as rehearsal:
        rehearsal.do(rehearsal.connect().feed, INDEX)
        (wire,) = rehearsal.loop.dialed
        rehearsal.do(wire.feed, json_reply())

        rehearsal.pass_time(times.pooled - 1)
        was_lost = wire.is_lost
        rehearsal.pass_time(2)

        assert (was_lost, wire.is_lost) == (False, True)


def test_the_connection_that_was_used_last_is_used_first(issuer: Issuer) -> None:
    with Rehearsal(issuer, times=Times(), limits=roomy()) as rehearsal:
        clients = [rehearsal.connect() for _ in range(2)]
        for client in clients:
            rehearsal.do(client.feed, INDEX)
        first, last = rehearsal.loop.dialed
        for wire in (first, last):
            rehearsal.do(wire.feed, json_reply())

        rehearsal.do(clients[0].feed, INDEX)

        assert [wire.sent.count(b"GET / ") for wire in (first, last)] == [1, 2]


def test_a_dropped_body_keeps_its_size_only() -> None:
    body = Body()
    body.add(b"abc")

    body.drop()

    assert (body.take(), body.size) == (b"", 3)
