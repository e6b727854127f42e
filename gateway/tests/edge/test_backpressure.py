"""Who does not read: what a client does not take waits with the service, and the other way round."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.edge.config import Limits, Times
from gateway.edge.rehearsal import Rehearsal, Wire, roomy
from gateway.edge.testing import QUICK, Issuer, RunningEdge, Seen, json_reply

HOST = b"Host: localhost:8000\r\n"
INDEX = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
ADJUST = b"POST /api/v1/wallet/adjustments HTTP/1.1\r\n" + HOST

PATIENT = replace(QUICK, write=4.0, total=10.0)
PIECE = b'"' + b"a" * 32_768 + b'"'


def test_no_request_begins_while_the_client_does_not_read(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(times=PATIENT, limits=Limits(pipelined=400))
    edge.web.behave = answer_piece
    client = edge.client(receive_buffer=16_384)
    client.send(INDEX * 300)
    _settle(lambda: len(edge.web.seen))

    begun = len(edge.web.seen)
    bodies = [client.read_reply().body for _ in range(300)]

    assert begun < 250
    assert bodies == [PIECE] * 300


async def answer_piece(seen: Seen) -> None:
    seen.reply(json_reply(PIECE))


def _settle(count: Callable[[], int]) -> None:
    # Until it has not moved for a while.
    seen, since = count(), time.monotonic()
    while time.monotonic() - since < 0.5:
        time.sleep(0.02)
        if count() != seen:
            seen, since = count(), time.monotonic()


def _comes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_a_client_that_never_reads_its_pipelined_answers_is_cut(
    start_edge: Callable[..., RunningEdge],
) -> None:
    edge = start_edge(limits=Limits(pipelined=400))
    edge.web.behave = answer_piece
    client = edge.client(receive_buffer=16_384)
    client.send(INDEX * 300)

    assert _comes_true(lambda: edge.edge.shared.figures.connections == 1)
    assert _comes_true(lambda: edge.edge.shared.figures.connections == 0)


def test_a_half_closed_client_gets_all_its_pipelined_answers(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(times=PATIENT, limits=Limits(pipelined=400))
    edge.web.behave = answer_piece
    client = edge.client(receive_buffer=16_384)
    client.send(INDEX * 300)
    client.socket.shutdown(1)
    _settle(lambda: len(edge.web.seen))

    assert client.read_all().count(PIECE) == 300


def test_a_client_beyond_the_queue_gets_what_was_queued(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(times=PATIENT, limits=Limits(pipelined=280))
    edge.web.behave = answer_piece
    client = edge.client(receive_buffer=16_384)
    client.send(INDEX * 300)
    _settle(lambda: len(edge.web.seen))

    assert client.read_all().count(PIECE) >= 280


@pytest.mark.case("G10")
def test_a_client_that_does_not_read_is_not_read(
    start_edge: Callable[..., RunningEdge], bearer: bytes
) -> None:
    read = {"bytes": 0}

    async def answer_much_and_read(seen: Seen) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 33554432\r\n\r\n"
        seen.reply(head + b"a" * 33_554_432)
        while piece := await seen.reader.read(65_536):
            read["bytes"] += len(piece)

    edge = start_edge(times=replace(PATIENT, body=4.0))
    edge.wallet.behave = answer_much_and_read
    client = edge.client(receive_buffer=16_384)
    client.send(ADJUST + bearer + b"Content-Length: 1000000\r\n\r\n" + b"a" * 100_000)
    arrived = _comes_true(lambda: read["bytes"] == 100_000)
    client.send(b"a" * 100_000)
    _settle(lambda: read["bytes"])

    assert arrived
    assert read["bytes"] == 100_000


def test_a_service_that_does_not_read_holds_the_client_back(issuer: Issuer) -> None:
    form = b"POST /account/login/ HTTP/1.1\r\n" + HOST + b"Content-Length: 60000\r\n\r\n"
    with Rehearsal(issuer, times=Times(), limits=roomy(collected=1024)) as rehearsal:
        client = rehearsal.connect()
        rehearsal.do(client.feed, form + b"-" * 20_000)
        (service,) = rehearsal.loop.dialed

        rehearsal.do(service.choke)
        rehearsal.do(client.feed, b"-" * 20_000)
        while_held = _body_bytes(service)
        rehearsal.do(service.relieve)
        after = _body_bytes(service)
        rehearsal.do(client.feed, b"-" * 20_000)

        assert (while_held, after, _body_bytes(service)) == (20_000, 40_000, 60_000)


def _body_bytes(service: Wire) -> int:
    return len(service.sent.partition(b"\r\n\r\n")[2])
