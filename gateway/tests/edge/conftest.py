"""A running edge between raw sockets and upstreams that record. Needs no Django and no database."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.edge.testing import Issuer, RunningEdge


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
