"""Bytes beyond ASCII: nothing with one goes on, for a service might read another value, or none."""

from collections.abc import Callable

import pytest

from gateway.edge.testing import RunningEdge

HOST = b"Host: localhost:8000\r\n"
API = b"GET /api/v1/categories HTTP/1.1\r\n" + HOST
PAGE = b"GET /account HTTP/1.1\r\n" + HOST
ADMIN = b"GET /admin/wallet/ HTTP/1.1\r\n" + HOST + b"Cookie: sid=abcdefghijklmnop\r\n"


@pytest.mark.parametrize("value", [b"caf\xe9", b"caf\xc3\xa9", b"\x80", b"\xff", b"a\xa0"])
@pytest.mark.parametrize(
    ("start", "name"),
    [
        (API, b"User-Agent"),
        (API, b"accept"),
        (API, b"IF-NONE-MATCH"),
        (API, b"Webhook-Id"),
        (PAGE, b"User-Agent"),
        (PAGE, b"Referer"),
        (PAGE, b"HX-Prompt"),
        (ADMIN, b"Referer"),
        (ADMIN, b"X-CSRFToken"),
    ],
)
def test_a_field_that_would_go_on_is_refused(
    edge: RunningEdge, assert_refused: Callable[..., None], start: bytes, name: bytes, value: bytes
) -> None:
    detail = f"The {name.decode().lower()} header field has bytes beyond ASCII."

    assert_refused(edge, start + b"%b: %b\r\n\r\n" % (name, value), "malformed-request", detail)


@pytest.mark.parametrize(
    "lines",
    [
        b"Referer: \xff\r\n",
        b"Cookie: sid=\xff\r\n",
        b"HX-Prompt: \xff\r\n",
        b"X-User-Id: \xff\r\n",
        b"X-Request-ID: \xff\xff\xff\xff\xff\xff\xff\xff\r\n",
        b"X-Forwarded-For: \xff\r\n",
        b"Forwarded: for=\xff\r\n",
        b"User-Agent: \xff\r\nConnection: user-agent\r\n",
    ],
)
def test_a_field_that_is_dropped_is_dropped(edge: RunningEdge, lines: bytes) -> None:
    reply = edge.ask(API + lines + b"\r\n")

    (seen,) = edge.arrived
    assert reply.status == 200
    assert seen.head == edge.head_for(reply, "GET /api/v1/categories")


@pytest.mark.parametrize(
    ("lines", "passes"),
    [
        (b"Cookie: a=\xff; sid=1; b=2\r\n", b"cookie: sid=1; b=2\r\n"),
        (b"Cookie: sid=1;\xff=a;b=2\r\nCookie: c=\xe9\r\n", b"cookie: sid=1; b=2\r\n"),
        (b"Cookie: sid=\xff\r\n", b""),
        (b"Cookie: sid=1;b=2\r\nCookie: c=\xe9; d=4\r\n", b"cookie: sid=1;b=2\r\ncookie: d=4\r\n"),
    ],
)
def test_a_cookie_of_somebody_else_locks_nobody_out(edge: RunningEdge, lines: bytes, passes: bytes) -> None:
    # From the third time on the head is not parsed again.
    client = edge.client()
    replies = []
    for _ in range(3):
        client.send(PAGE + lines + b"\r\n")
        replies.append(client.read_reply())

    assert edge.edge.shared.seen.find(PAGE + lines + b"\r\n") is not None
    assert [seen.head for seen in edge.arrived] == [
        edge.head_for(reply, "GET /account", passes, seen.line("x-request-start")).replace(
            b"x-request-id", seen.line("x-edge-key") + b"x-request-id"
        )
        for reply, seen in zip(replies, edge.web.seen, strict=True)
    ]


def test_a_refused_head_is_refused_again(edge: RunningEdge, assert_refused: Callable[..., None]) -> None:
    head = API + b"User-Agent: caf\xe9\r\n\r\n"

    for _ in range(3):
        assert_refused(edge, head, "malformed-request", "The user-agent header field has bytes beyond ASCII.")

    assert edge.edge.shared.seen.find(head) is None
