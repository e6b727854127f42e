"""Clients that drip, break off or send everything at once: others are served and nothing is left over."""

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.edge.config import Limits
from gateway.edge.rehearsal import read_answers
from gateway.edge.testing import QUICK, RawClient, RunningEdge, Seen, json_reply

HOST = b"Host: localhost:8000\r\n"
INDEX = b"GET / HTTP/1.1\r\n" + HOST
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST + b"Content-Length: 4000\r\n\r\n"
WALLET = b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST

# Where a client breaks off.
STAGES = {
    "nothing": b"",
    "the method": b"GE",
    "the target": b"GET /api",
    "a field": INDEX + b"Acc",
    "the head": INDEX,
    "a body": LOGIN + b"{",
    "a chunk": LOGIN.replace(b"Content-Length: 4000", b"Transfer-Encoding: chunked") + b"fff\r\n{",
    "a request": INDEX + b"\r\n",
    "a second request": INDEX + b"\r\n" + INDEX,
    "many requests": (INDEX + b"\r\n") * 40,
}


def left_over(edge: RunningEdge) -> dict[str, int]:
    shared = edge.edge.shared
    pools = shared.upstreams.values()
    return {
        "clients": len(shared.clients),
        "connections": shared.figures.connections,
        "in flight": shared.figures.in_flight,
        "queued": sum(pool.queued for pool in pools),
        "busy": sum(pool.open_connections - pool.idle_connections for pool in pools),
    }


def comes_to_nothing(edge: RunningEdge) -> bool:
    deadline = time.monotonic() + 5
    while any(left_over(edge).values()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(left_over(edge).values())


def reset(client: RawClient) -> None:
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.case("G10")
@pytest.mark.parametrize("leave", [reset, RawClient.close, lambda client: client.socket.shutdown(1)])
def test_clients_that_break_off_at_any_stage_leave_nothing(
    edge: RunningEdge, leave: Callable[[RawClient], None]
) -> None:
    clients = [edge.client() for _ in STAGES]
    for client, data in zip(clients, STAGES.values(), strict=True):
        client.send(data)
    time.sleep(0.05)

    for client in clients:
        leave(client)

    assert edge.ask(INDEX + b"Connection: close\r\n\r\n").status == 200
    assert comes_to_nothing(edge)


@pytest.mark.case("G10")
def test_clients_that_break_off_while_a_service_works_leave_nothing(edge: RunningEdge, bearer: bytes) -> None:
    async def work(seen: Seen) -> None:
        await seen.reader.read()

    edge.wallet.behave = work
    clients = [edge.client() for _ in range(20)]
    for client in clients:
        client.send(WALLET + bearer + b"\r\n")
    time.sleep(0.2)

    for client in clients:
        reset(client)

    assert comes_to_nothing(edge)


@pytest.mark.case("G10")
def test_drips_at_every_stage_are_timed_out_and_others_served(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(times=replace(QUICK, total=1.0))
    dripping = {name: edge.client() for name in ("the target", "a field", "a body", "a chunk")}
    for name, client in dripping.items():
        client.send(STAGES[name])
    ends_at = time.monotonic() + 5
    waits = []
    while (edge.edge.shared.figures.connections or not waits) and time.monotonic() < ends_at:
        for client in dripping.values():
            drip(client)
        started_at = time.monotonic()
        assert edge.ask(INDEX + b"Connection: close\r\n\r\n").status == 200
        waits.append(time.monotonic() - started_at)
        time.sleep(0.02)

    assert {client.read_all()[:13] for client in dripping.values()} <= {b"HTTP/1.1 408 ", b""}
    assert max(waits) < 1
    assert comes_to_nothing(edge)


def drip(client: RawClient) -> None:
    try:
        client.socket.send(b"a")
    except OSError:
        client.socket.settimeout(0.5)


def test_a_thousand_pipelined_requests_are_answered_in_order(start_edge: Callable[..., RunningEdge]) -> None:
    async def echo(seen: Seen) -> None:
        seen.reply(json_reply(b'"%b"' % seen.start.encode()))

    edge = start_edge(times=replace(QUICK, total=20.0), limits=Limits(pipelined=2000))
    edge.web.behave = echo
    client = edge.client()
    request = b"GET /c/%d HTTP/1.1\r\nHost: localhost:8000\r\n\r\n"
    client.send(b"".join(request % number for number in range(1000)))
    client.socket.shutdown(1)

    answers = read_answers(client.read_all(), methods=[], is_ended=True)

    assert [answer.body for answer in answers] == [b'"GET /c/%d"' % number for number in range(1000)]
    assert comes_to_nothing(edge)


@pytest.mark.case("G10")
def test_a_slow_reader_of_a_large_answer_holds_nobody_up(start_edge: Callable[..., RunningEdge]) -> None:
    async def write_much(seen: Seen) -> None:
        seen.reply(b"HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n" + b"a" * 33_554_432)

    edge = start_edge(times=replace(QUICK, write=4.0, total=6.0))
    edge.web.behave = write_much
    slow = edge.client(receive_buffer=16_384)
    slow.send(INDEX + b"\r\n")
    slow.socket.recv(1000)
    time.sleep(0.2)

    started_at = time.monotonic()
    status = edge.ask(b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n").status
    waited = time.monotonic() - started_at
    reset(slow)

    assert (status, waited < 1) == (200, True)
    assert comes_to_nothing(edge)
