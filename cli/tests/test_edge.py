"""The real edge under the supervisor: several workers, TLS, and one edge after another."""

import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from chassis.testing.certificates import Authority
from gateway.edge.testing import EDGE_KEY, Issuer
from mercato.health import Trust, is_ready
from mercato.processes import wait_until
from mercato.stack import NotReplaced, PortInUse, Stack, refuse_taken_ports
from mercato.topology import Program

MakeEdge = Callable[..., Program]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack([], tmp_path)
    yield stack
    stack.stop()


@pytest.fixture
def make_edge(tmp_path: Path, free_port: Callable[[], int]) -> MakeEdge:
    """The program of an edge without services, behind a certificate for shop.example."""
    keys = Issuer(tmp_path).directory
    certificate, key = Authority(tmp_path).issue(tmp_path, "shop.example")

    def make(workers: int, port: int = 0) -> Program:
        port = port or free_port()
        metrics = free_port()
        env = {
            "KEYS_PUBLIC": str(keys),
            "EDGE_KEY": EDGE_KEY,
            "EDGE_BIND": f"127.0.0.1:{port}",
            "EDGE_METRICS_BIND": f"127.0.0.1:{metrics}",
            "EDGE_WORKERS": str(workers),
            "EDGE_TLS_CERT": str(certificate),
            "EDGE_TLS_KEY": str(key),
            "MERCATO_ORIGIN": "https://shop.example",
        }
        return Program(
            "edge",
            (sys.executable, "-m", "gateway.edge.main"),
            env,
            tmp_path,
            (port, metrics),
            f"https://127.0.0.1:{port}/readyz",
            listens=("127.0.0.1", port),
            sockets=workers,
            trust=Trust(str(certificate), "shop.example"),
        )

    return make


def test_replaces_one_edge_by_two_workers_and_these_by_one(stack: Stack, make_edge: MakeEdge) -> None:
    edge = make_edge(1)
    stack.programs = [edge]
    stack.start()
    more = replace(edge, env=edge.env | {"EDGE_WORKERS": "2"}, sockets=2)
    alone = stack.running()[0]

    stack.replace(more)
    together = stack.running()[0]
    workers = psutil.Process(together.pid).children()
    stack.replace(edge)
    last = stack.running()[0]

    assert len(workers) == 2
    assert psutil.Process(last.pid).children() == []
    assert wait_until(lambda: not psutil.pid_exists(workers[0].pid) or workers[0].status() == "zombie", 15)
    # Both sockets are served, whichever the kernel chooses.
    assert all(is_ready(last.ready_url, trust=last.trust) for _ in range(20))
    assert alone.trust == together.trust == Trust(edge.env["EDGE_TLS_CERT"], "shop.example")


def test_a_new_edge_that_cannot_start_takes_no_connection_away(stack: Stack, make_edge: MakeEdge) -> None:
    edge = make_edge(1)
    stack.programs = [edge]
    stack.start()
    worse = replace(edge, env=edge.env | {"EDGE_WORKERS": "4", "EDGE_KEY": "short"}, sockets=4)

    with pytest.raises(NotReplaced, match="EDGE_KEY must have"):
        stack.replace(worse)

    assert all(is_ready(edge.ready_url, trust=edge.trust) for _ in range(20))


def test_nobody_joins_the_port_of_several_workers(stack: Stack, make_edge: MakeEdge, tmp_path: Path) -> None:
    edge = make_edge(2)
    stack.programs = [edge]
    stack.start()
    second = Stack([edge], tmp_path)

    with pytest.raises(PortInUse, match="is in use"):
        refuse_taken_ports([edge])
    with pytest.raises(PortInUse, match="cannot listen"):
        second.start()


def test_an_edge_with_another_certificate_is_not_ready(
    stack: Stack, make_edge: MakeEdge, tmp_path: Path
) -> None:
    edge = make_edge(1)
    stack.programs = [edge]
    stack.start()
    folder = tmp_path / "other"
    folder.mkdir()
    other = Authority(folder).issue(folder, "shop.example")

    right = Trust(edge.env["EDGE_TLS_CERT"], "shop.example")

    assert is_ready(edge.ready_url, trust=right)
    assert not is_ready(edge.ready_url, trust=replace(right, certificate=str(other.certificate)))
    assert not is_ready(edge.ready_url, trust=replace(right, name="elsewhere.example"))
    assert not is_ready(edge.ready_url, trust=replace(right, certificate="/nowhere"))


def test_who_does_not_shake_hands_is_not_waited_for(make_edge: MakeEdge) -> None:
    edge = make_edge(1)
    with socket.create_server(("127.0.0.1", edge.ports[0])):
        assert not is_ready(edge.ready_url, timeout=0.3, trust=edge.trust)
