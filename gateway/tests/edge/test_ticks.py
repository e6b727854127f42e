"""The clock of the edge: one that cannot be looked at keeps nobody else waiting."""

import threading

import pytest

from gateway.edge.downstream import Client
from gateway.edge.pool import Pool
from gateway.edge.testing import RunningEdge, Seen

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
