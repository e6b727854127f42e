"""OPTIONS and HEAD: what a resource can do, and what it would say."""

from collections.abc import Callable

import pytest

from gateway.edge.testing import RunningEdge, Seen, json_reply

HOST = b"Host: localhost:8000\r\n"
NOT_CANONICAL = ("malformed-request", "The path is not in its canonical form.")
NOT_OURS = ("malformed-request", "The Host is not this origin's.")


def options(edge: RunningEdge, target: bytes, fields: bytes = b"") -> tuple[int, str | None]:
    reply = edge.ask(b"OPTIONS %b HTTP/1.1\r\n" % target + HOST + fields + b"\r\n")
    assert reply.field("content-length") is None
    return reply.status, reply.field("allow")


@pytest.mark.parametrize(
    ("target", "allow"),
    [
        (b"/", "GET, HEAD, OPTIONS"),
        (b"/api/v1/wallet", "GET, HEAD, POST, OPTIONS"),
        (b"/api/v1/wallet/transactions?limit=5", "GET, HEAD, POST, OPTIONS"),
        (b"/api/v1/categories", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"),
        (b"/api/v1/auth/login", "POST, OPTIONS"),
        (b"/admin/wallet/", "GET, HEAD, POST, OPTIONS"),
        (b"/media/products/a/160.webp", "GET, HEAD, OPTIONS"),
        (b"/livez", "GET, HEAD, OPTIONS"),
    ],
)
def test_names_the_methods_of(edge: RunningEdge, target: bytes, allow: str) -> None:
    assert options(edge, target) == (204, allow)
    assert edge.dialed == 0


def test_looks_at_no_credential(edge: RunningEdge) -> None:
    fields = b"Authorization: Bearer x\r\nCookie: sid=a; sid=b\r\n"

    assert options(edge, b"/api/v1/wallet", fields)[0] == 204
    assert options(edge, b"/admin/wallet/", fields)[0] == 204


@pytest.mark.case("H3")
def test_lets_no_other_origin_in(edge: RunningEdge) -> None:
    fields = b"Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n"

    reply = edge.ask(b"OPTIONS /api/v1/wallet HTTP/1.1\r\n" + HOST + fields + b"\r\n")

    assert reply.status == 204
    assert b"access-control" not in reply.head.lower()


@pytest.mark.case("E8")
def test_answers_for_itself(edge: RunningEdge) -> None:
    assert options(edge, b"*") == (204, None)
    assert edge.dialed == 0


@pytest.mark.case("E8", "E9")
@pytest.mark.parametrize(
    ("request_line", "host", "problem"),
    [
        (b"GET *", HOST, NOT_CANONICAL),
        (b"OPTIONS *", b"Host: evil.example\r\n", NOT_OURS),
        (b"OPTIONS /", b"Host: evil.example\r\n", NOT_OURS),
        (b"OPTIONS /nowhere", HOST, ("not-found",)),
        (b"OPTIONS /internal/token", HOST, ("not-found",)),
        (b"OPTIONS /api/v1/../x", HOST, NOT_CANONICAL),
        (b"OPTIONS **", HOST, NOT_CANONICAL),
    ],
)
def test_refuses(
    edge: RunningEdge,
    assert_refused: Callable[..., None],
    request_line: bytes,
    host: bytes,
    problem: tuple[str, ...],
) -> None:
    assert_refused(edge, request_line + b" HTTP/1.1\r\n" + host + b"\r\n", *problem)


def test_keeps_the_connection(edge: RunningEdge) -> None:
    client = edge.client()
    client.send((b"OPTIONS / HTTP/1.1\r\n" + HOST + b"\r\n") * 2 + b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")

    assert [client.read_reply().status for _ in range(3)] == [204, 204, 200]


def test_reads_no_body(edge: RunningEdge) -> None:
    reply = edge.ask(b"OPTIONS / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\n")

    assert (reply.status, reply.field("connection")) == (204, "close")


def test_another_method_is_told_which_there_are(edge: RunningEdge) -> None:
    reply = edge.ask(b"DELETE / HTTP/1.1\r\n" + HOST + b"\r\n")

    assert (reply.status, reply.field("allow")) == (405, "GET, HEAD, OPTIONS")


# HEAD


async def answer_head(seen: Seen) -> None:
    seen.reply(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")


async def answer_error(seen: Seen) -> None:
    seen.reply(json_reply(b"{}", "500 Internal Server Error")[:-2])


async def close_at_once(seen: Seen) -> None:
    seen.writer.close()


@pytest.mark.parametrize("behave", [answer_head, answer_error, close_at_once])
def test_no_body_follows_the_answer_of_a_service(edge: RunningEdge, behave: object) -> None:
    edge.categories.behave = behave  # type: ignore[assignment]

    assert heads(edge, b"HEAD /api/v1/categories HTTP/1.1\r\n" + HOST)


@pytest.mark.parametrize(
    "head",
    [
        b"HEAD /nowhere HTTP/1.1\r\n" + HOST,
        b"HEAD /api/v1/auth/login HTTP/1.1\r\n" + HOST,
        b"HEAD /api/v1/wallet HTTP/1.1\r\n" + HOST,
        b"HEAD /api/v1/wallet HTTP/1.1\r\n" + HOST + b"Authorization: Bearer x\r\n",
        b"HEAD /admin/wallet/ HTTP/1.1\r\n" + HOST,
        b"HEAD /admin/wallet/ HTTP/1.1\r\n" + HOST + b"Accept: text/html\r\n",
        b"HEAD /a//b HTTP/1.1\r\n" + HOST,
        b"HEAD /livez HTTP/1.1\r\n",
    ],
)
def test_no_body_follows_what_the_edge_says(edge: RunningEdge, head: bytes) -> None:
    assert heads(edge, head)


@pytest.mark.parametrize(
    "head", [b"HEAD /%b HTTP/1.1\r\n" % (b"a" * 9000) + HOST, b"HEAD / HTTP/1.1\r\n" + HOST * 2]
)
def test_no_body_follows_the_last_answer(edge: RunningEdge, head: bytes) -> None:
    client = edge.client()
    client.send(head + b"\r\n")
    client.read_reply(is_head=True)

    assert client.is_closed()


def heads(edge: RunningEdge, head: bytes) -> bool:
    """Whether what follows the answer to a request is the answer to the next one."""
    client = edge.client()
    client.send(head + b"\r\n" + b"GET /readyz HTTP/1.1\r\n" + HOST + b"\r\n")
    client.read_reply(is_head=True)
    return client.read_reply().json() == {"status": "ok"}
