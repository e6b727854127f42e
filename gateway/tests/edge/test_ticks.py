"""The clock of the edge: one that cannot be looked at keeps nobody else waiting."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.edge.downstream import Client
from gateway.edge.pool import Pool
from gateway.edge.testing import QUICK, RunningEdge, Seen

INDEX = b"GET / HTTP/1.1\r\nHost: localhost:8000\r\n"


def test_a_broken_client_is_cut_and_the_others_are_timed_out(
    edge: RunningEdge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def check(client: Client, now: float) -> None:
        if client is broken:
            raise RuntimeError("broken")
        soundly(client, now)

    victim = edge.client()
    victim.send(INDEX + b"\r\n")
    victim.read_reply()
    (broken,) = edge.edge.shared.clients
    soundly = Client.check
    monkeypatch.setattr(Client, "check", check)
    others = [edge.client() for _ in range(20)]
    for other in others:
        other.send(INDEX)

    assert [other.read_reply().status for other in others] == [408] * 20
    assert victim.is_closed()
    assert broken not in edge.edge.shared.clients
    assert "broken" in caplog.text


def test_a_broken_client_frees_its_service(edge: RunningEdge, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(client: Client, now: float) -> None:
        raise RuntimeError("broken")

    async def hang(seen: Seen) -> None:
        await seen.reader.read()
        hung_up.set()

    hung_up = threading.Event()
    edge.web.behave = hang
    client = edge.client()
    client.send(INDEX + b"\r\n")
    monkeypatch.setattr(Client, "check", check)

    assert client.is_closed()
    assert hung_up.wait(2)


def test_a_broken_pool_does_not_stop_the_clock(edge: RunningEdge, monkeypatch: pytest.MonkeyPatch) -> None:
    def reap(pool: Pool, now: float) -> None:
        reaped.append(pool.name)
        raise RuntimeError("broken")

    reaped: list[str] = []
    monkeypatch.setattr(Pool, "reap", reap)
    edge.client().is_closed()
    monkeypatch.undo()

    assert {"web", "wallet"} <= set(reaped)


def test_a_pause_of_the_edge_is_no_delay_of_the_client(start_edge: Callable[..., RunningEdge]) -> None:
    def stand_still() -> None:
        # Where sockets are read: the clock is looked at before the next of them.
        asyncio.get_running_loop().remove_reader(ours)
        time.sleep(2.0)

    async def watch() -> None:
        asyncio.get_running_loop().add_reader(ours, stand_still)

    edge = start_edge(times=replace(QUICK, head=1.5))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        edge.run(watch())
        client = edge.client()
        client.send(INDEX)
        time.sleep(0.1)
        theirs.send(b"x")
        time.sleep(0.1)
        client.send(b"\r\n")

        assert client.read_reply().status == 200


def test_a_pause_of_the_edge_is_no_delay_of_a_service(
    edge: RunningEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(pool: Pool, *args: object) -> None:
        asyncio.get_running_loop().call_soon(time.sleep, 3 * QUICK.connect)
        await soundly(pool, *args)

    soundly = Pool._connect
    monkeypatch.setattr(Pool, "_connect", connect)

    assert edge.ask(INDEX + b"\r\n").status == 200


def test_pauses_without_end_move_no_deadline_for_ever(edge: RunningEdge) -> None:
    async def stand_still_again_and_again() -> None:
        while not is_over.is_set():
            time.sleep(5 * QUICK.tick)
            await asyncio.sleep(0)

    is_over = threading.Event()
    client = edge.client()
    client.send(INDEX)
    pauses = edge.begin(stand_still_again_and_again())
    try:
        assert client.read_reply().status == 408
    finally:
        is_over.set()
        pauses.result(5)
