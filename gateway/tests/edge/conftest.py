"""A running edge between raw sockets and upstreams that record. Needs no Django and no database."""

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from chassis.problems import CATALOGUE
from gateway.edge.testing import Issuer, RawClient, RawReply, RunningEdge

REFUSAL = (
    r"HTTP/1\.1 {status} {phrase}\r\n"
    r"date: [^\r]{{29}}\r\n"
    r"content-type: application/problem\+json\r\n"
    r"content-length: {length}\r\n"
    r"x-content-type-options: nosniff\r\n"
    r"content-security-policy: default-src 'none'; sandbox\r\n"
    r"x-request-id: {request_id}\r\n"
    r"cache-control: no-store\r\n"
    r"{fields}{close}\r\n"
)


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    directory: Path = tmp_path_factory.mktemp("keys")
    return Issuer(directory)


@pytest.fixture
def start_edge(issuer: Issuer) -> Iterator[Callable[..., RunningEdge]]:
    running: list[RunningEdge] = []

    def start(**options: Any) -> RunningEdge:
        running.append(RunningEdge(issuer, **options))
        return running[-1]

    yield start
    for edge in running:
        edge.close()


@pytest.fixture
def edge(start_edge: Callable[..., RunningEdge]) -> RunningEdge:
    return start_edge()


@pytest.fixture
def bearer(issuer: Issuer) -> bytes:
    """The header line of a valid access token."""
    return b"Authorization: Bearer %b\r\n" % issuer.mint().encode()


@pytest.fixture
def assert_problem() -> Callable[..., None]:
    """All of an answer is this problem, in the edge's own words."""

    def check(
        reply: RawReply, code: str, detail: str = "", *, fields: str = "", closes: bool = False, **extra: str
    ) -> None:
        status, title = CATALOGUE[code]
        request_id = reply.field("x-request-id")
        document = {"type": f"/problems/{code}", "title": title, "status": status, "code": code}
        told = {"detail": detail} if detail else {}
        head = REFUSAL.format(
            status=status,
            phrase=HTTPStatus(status).phrase,
            length=len(reply.body),
            request_id=request_id,
            fields=re.escape(fields),
            close="connection: close\r\n" if closes else "",
        )
        assert reply.json() == document | told | {"request_id": request_id} | extra
        assert re.fullmatch(head, reply.head.decode())

    return check


@pytest.fixture
def assert_refused(assert_problem: Callable[..., None]) -> Callable[..., None]:
    """Sends what must be refused: all of the answer is that, and nobody hears of it."""

    def check(edge: RunningEdge, data: bytes, *problem: str, closes: bool = False, **options: str) -> None:
        arrived, dialed, client = len(edge.arrived), edge.dialed, edge.client()
        client.send(data)

        assert_problem(client.read_reply(), *problem, closes=closes, **options)

        assert client.is_closed() if closes else is_served(client)
        assert (len(edge.arrived), edge.dialed) == (arrived, dialed)

    return check


def is_served(client: RawClient) -> bool:
    """Whether the connection goes on: its next request gets the next answer."""
    client.send(b"GET /livez HTTP/1.1\r\n\r\n")
    return client.read_reply().json() == {"status": "ok"}
