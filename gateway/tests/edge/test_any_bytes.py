"""Whatever bytes a client sends, only whole, allowed and canonical requests reach an upstream."""

import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.edge.paths import canonical_path
from gateway.edge.testing import Issuer, RunningEdge
from gateway.routes import RouteTable

PIECES = [
    *(b"GET / HTTP/1.1\r\n", b"POST /api/v1/auth/login HTTP/1.1\r\n", b"GET /api/v1/wallet HTTP/1.1\r\n"),
    *(b"HEAD / HTTP/1.0\r\n", b"GET /api/v1/wallet/../auth HTTP/1.1\r\n", b"GET http://evil/ HTTP/1.1\r\n"),
    *(b"Host: localhost:8000\r\n", b"Host: evil\r\n", b"Content-Length: 2\r\n", b"Content-Length: 0\r\n"),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: Upgrade\r\nUpgrade: h2c\r\n",
    ),
    *(b"Expect: 100-continue\r\n", b"X-Evil: evil\r\n", b"X_Edge_Key: evil\r\n", b"X-Edge-Key: evil\r\n"),
    *(b"\r\n", b"\n", b"\r", b"{}", b"2\r\n{}\r\n", b"0\r\n\r\n", b"0\r\nX-Evil: evil\r\n\r\n", b"\0", b" "),
]
requests = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=3)), max_size=20).map(b"".join)
whole = st.builds(
    b"".join,
    st.tuples(
        st.sampled_from(PIECES[:6]),
        st.just(PIECES[6]),
        st.sampled_from(PIECES[8:]),
        st.just(b"\r\n"),
        requests,
    ),
)


@pytest.fixture(scope="module")
def shared_edge(issuer: Issuer) -> Iterator[RunningEdge]:
    running = RunningEdge(issuer)
    yield running
    running.close()


@pytest.mark.case("G1", "G3", "G4", "G7")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(requests, whole))
def test_nothing_else_reaches_an_upstream(shared_edge: RunningEdge, data: bytes) -> None:
    client = shared_edge.client()
    with contextlib.suppress(OSError):
        client.send(data)
        client.socket.shutdown(1)
        client.read_all()
    client.close()

    seen = shared_edge.web.seen + shared_edge.wallet.seen
    assert all(is_allowed(request.start) for request in seen)
    assert all(b"evil" not in request.head + request.body for request in seen)
    assert shared_edge.ask(b"GET /livez HTTP/1.1\r\n\r\n").status == 200


def is_allowed(start: str) -> bool:
    method, _, target = start.partition(" ")
    route = RouteTable().find(canonical_path(target.encode()))
    return route is not None and method in route.methods
