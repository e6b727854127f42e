"""Requests wait while a service is replaced, in order, in number and in time; and an edge hands over."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from gateway.edge.config import Limits
from gateway.edge.control import MAX_HOLD_SECONDS, Control
from gateway.edge.testing import EDGE_KEY, QUICK, Issuer, RawClient, RunningEdge, Seen, json_reply, until
from gateway.edge.upstream import Connection

INDEX = b"GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n"
PAGE = "GET /?n=%d HTTP/1.1\r\nHost: localhost:8000\r\n\r\n"
WALLET = b"GET /api/v1/wallet HTTP/1.1\r\nHost: localhost:8000\r\n"
ADJUST = b"POST /api/v1/wallet/adjustments HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: 2\r\n"

StartEdge = Callable[..., RunningEdge]


class Supervisor:
    """The other end of an edge's line."""

    def __init__(self) -> None:
        self.socket, self.other = socket.socketpair()
        self.socket.settimeout(5)
        self._answers = self.socket.makefile("rb")

    def ask(self, **question: Any) -> dict[str, Any]:
        self.socket.sendall(json.dumps(question).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer

    def hold(self, *upstreams: str, seconds: float = 10, quiet_seconds: float = 0.5) -> bool:
        answer = self.ask(do="hold", upstreams=upstreams, seconds=seconds, quiet_seconds=quiet_seconds)
        assert answer["ok"]
        return bool(answer["is_quiet"])

    def resume(self, *upstreams: str) -> None:
        assert self.ask(do="resume", upstreams=upstreams) == {"ok": True}

    def close(self) -> None:
        self._answers.close()
        self.socket.close()


@pytest.fixture
def supervise() -> Iterator[Callable[[RunningEdge], Supervisor]]:
    made: list[Supervisor] = []
    answering: list[Future[None]] = []  # Nothing else would keep the tasks alive.

    def supervise(edge: RunningEdge) -> Supervisor:
        made.append(Supervisor())
        control = Control(edge.edge.shared.upstreams, edge.edge.retire)
        answering.append(edge.begin(control.serve(made[-1].other.detach())))
        return made[-1]

    yield supervise
    for supervisor in made:
        supervisor.close()


def test_held_requests_go_on_in_order(start_edge: StartEdge, supervise: Callable[..., Supervisor]) -> None:
    edge = start_edge(limits=Limits(upstream_connections=1))
    supervisor = supervise(edge)
    supervisor.hold("web")
    clients = [edge.client() for _ in range(5)]
    _send_in_turn(edge, clients)

    seen_while_held = len(edge.web.seen)
    supervisor.resume("web")

    assert [client.read_reply().status for client in clients] == [200] * 5
    assert seen_while_held == 0
    assert [seen.start for seen in edge.web.seen] == [f"GET /?n={number}" for number in range(5)]


def test_a_hold_may_last_longer_than_other_waits(
    edge: RunningEdge, supervise: Callable[..., Supervisor], bearer: bytes
) -> None:
    supervisor = supervise(edge)
    supervisor.hold("web", "wallet")
    page, booking = edge.client(), edge.client()
    page.send(INDEX)
    booking.send(ADJUST + bearer + b"\r\n{}")
    time.sleep(QUICK.queue + QUICK.ask)

    supervisor.resume("web", "wallet")

    assert [page.read_reply().status, booking.read_reply().status] == [200, 200]
    assert len(edge.wallet.seen) == 1


def test_other_upstreams_go_on(edge: RunningEdge, supervise: Callable[..., Supervisor]) -> None:
    supervise(edge).hold("wallet")

    assert edge.ask(INDEX).status == 200


def test_a_hold_ends_by_itself(edge: RunningEdge, supervise: Callable[..., Supervisor]) -> None:
    supervise(edge).hold("web", seconds=0.3)

    began = time.monotonic()
    status = edge.ask(INDEX).status

    assert status == 200
    assert 0.2 < time.monotonic() - began < 2


def test_a_hold_lasts_no_longer_than_that(edge: RunningEdge, supervise: Callable[..., Supervisor]) -> None:
    supervise(edge).hold("web", seconds=1e6)

    held_until = edge.edge.shared.upstreams["web"]._held_until
    assert held_until is not None
    assert held_until <= edge.edge.shared.loop.time() + MAX_HOLD_SECONDS


def test_a_hold_ends_with_the_supervisor(edge: RunningEdge, supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(edge)
    supervisor.hold("web")
    client = edge.client()
    client.send(INDEX)

    supervisor.close()

    assert client.read_reply().status == 200


def test_a_held_request_keeps_its_own_deadline(
    start_edge: StartEdge, supervise: Callable[..., Supervisor]
) -> None:
    edge = start_edge(times=replace(QUICK, total=0.5))
    supervise(edge).hold("web")

    reply = edge.ask(INDEX)

    assert (reply.status, reply.field("retry-after")) == (503, "2")
    assert edge.web.seen == []


def test_no_more_wait_than_may(start_edge: StartEdge, supervise: Callable[..., Supervisor]) -> None:
    edge = start_edge(limits=Limits(queued=1))
    supervisor = supervise(edge)
    supervisor.hold("web")
    patient = edge.client()
    patient.send(INDEX)
    until(lambda: edge.edge.shared.upstreams["web"].queued == 1)

    turned_away = edge.ask(INDEX)
    supervisor.resume("web")

    assert (turned_away.status, turned_away.field("retry-after")) == (503, "2")
    assert patient.read_reply().status == 200


def test_no_connection_from_before_a_hold_is_used_after_it(
    edge: RunningEdge, supervise: Callable[..., Supervisor]
) -> None:
    supervisor = supervise(edge)
    edge.ask(INDEX)

    is_quiet = supervisor.hold("web")
    supervisor.resume("web")
    edge.ask(INDEX)

    assert is_quiet
    assert [seen.connection for seen in edge.web.seen] == [1, 2]


def test_what_is_under_way_ends_and_its_connection_with_it(
    edge: RunningEdge, supervise: Callable[..., Supervisor]
) -> None:
    async def answer_late(seen: Seen) -> None:
        edge.web.behave = edge.mint_answer
        await gate.wait()
        seen.reply(json_reply())

    gate = asyncio.Event()
    edge.web.behave = answer_late
    supervisor = supervise(edge)
    slow = edge.client()
    slow.send(INDEX)
    until(lambda: len(edge.web.seen) == 1)

    is_quiet = supervisor.hold("web", quiet_seconds=0.1)
    supervisor.resume("web")
    edge.ask(INDEX)
    edge.edge.shared.loop.call_soon_threadsafe(gate.set)
    status = slow.read_reply().status
    edge.ask(INDEX)

    assert (is_quiet, status) == (False, 200)
    assert [seen.connection for seen in edge.web.seen] == [1, 2, 2]


def test_a_connection_on_its_way_when_a_hold_begins_is_not_used(edge: RunningEdge) -> None:
    class Borrower:
        wants_connection = True

        def __init__(self) -> None:
            self.got: list[Connection] = []

        def on_connection(self, connection: Connection) -> None:
            self.got.append(connection)

    async def lend_and_hold() -> None:
        pool.lend(borrower)  # type: ignore[arg-type]  # It hears of nothing else.
        pool.hold(edge.edge.shared.loop.time() + 10)

    async def resume() -> None:
        pool.resume()

    pool, borrower = edge.edge.shared.upstreams["web"], Borrower()
    edge.run(lend_and_hold())
    until(lambda: edge.web.connections == 1 and pool.is_quiet)
    got_while_held = list(borrower.got)
    edge.run(resume())
    until(lambda: bool(borrower.got))

    assert got_while_held == []
    assert edge.web.connections == 2


def test_an_unknown_upstream_does_not_end_the_line(
    edge: RunningEdge, supervise: Callable[..., Supervisor]
) -> None:
    supervisor = supervise(edge)

    refused = supervisor.ask(do="hold", upstreams=["web", "gone"], seconds=10, quiet_seconds=0.5)

    assert refused == {"ok": False}
    assert supervisor.ask(do="look") == {"ok": True}


def test_an_unknown_question_gets_no_for_an_answer(
    edge: RunningEdge, supervise: Callable[..., Supervisor]
) -> None:
    assert supervise(edge).ask(do="dance") == {"ok": False}


def test_hands_its_listener_over_and_ends_with_its_last_client(issuer: Issuer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        old_line, new_line = Supervisor(), Supervisor()
        old = _start(issuer, listener, old_line)
        kept = _livez(port)

        new = _start(issuer, listener, new_line)
        assert old_line.ask(do="retire") == {"ok": True}
        last = _livez(port, kept)
        fresh = _livez(port)

        assert (last.reply.status, last.reply.field("connection")) == (200, "close")
        assert old.wait(10) == 0
        assert (fresh.reply.status, fresh.reply.field("connection")) == (200, None)
        new.send_signal(signal.SIGTERM)
        assert new.wait(10) == 0
    for client in (last, fresh):
        client.close()
    for line in (old_line, new_line):
        line.close()


class _Asked(RawClient):
    reply: Any = None


def _livez(port: int, client: "_Asked | None" = None) -> _Asked:
    client = client or _Asked(port)
    client.send(b"GET /livez HTTP/1.1\r\nHost: localhost:8000\r\n\r\n")
    client.reply = client.read_reply()
    return client


def _start(issuer: Issuer, listener: socket.socket, line: Supervisor) -> "subprocess.Popen[bytes]":
    inherited = (listener.fileno(), line.other.fileno())
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.edge.main"],
        env={
            "KEYS_PUBLIC": str(issuer.directory),
            "EDGE_KEY": EDGE_KEY,
            "EDGE_METRICS_BIND": "127.0.0.1:0",
            "EDGE_LISTEN_FD": str(inherited[0]),
            "EDGE_CONTROL_FD": str(inherited[1]),
            "PATH": os.environ["PATH"],
        },
        stdout=subprocess.DEVNULL,
        pass_fds=inherited,
    )
    line.other.close()
    assert line.ask(do="look") == {"ok": True}
    return process


def _send_in_turn(edge: RunningEdge, clients: list[RawClient]) -> None:
    for number, client in enumerate(clients):
        client.send((PAGE % number).encode())
        until(partial(_queue_has, edge, number + 1))


def _queue_has(edge: RunningEdge, count: int) -> bool:
    return edge.edge.shared.upstreams["web"].queued == count
