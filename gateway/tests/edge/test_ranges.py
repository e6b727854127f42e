"""Ranges and codings: parts and compressed bytes pass as they are."""

import gzip
from collections.abc import Callable

import pytest

from gateway.edge.testing import RunningEdge, Seen

HOST = b"Host: localhost:8000\r\n"
PICTURE = b"GET /media/products/a/160.webp HTTP/1.1\r\n" + HOST
CATEGORIES = b"GET /api/v1/categories HTTP/1.1\r\n" + HOST
PARTS = b"\r\n--x\r\nContent-Type: image/webp\r\nContent-Range: bytes 0-0/9\r\n\r\na\r\n--x--\r\n"


@pytest.fixture
def answer(edge: RunningEdge) -> Callable[[str, str, bytes], None]:
    """Has pictures and categories answered with a status, header lines and a body."""

    def tell(status: str, lines: str, body: bytes) -> None:
        async def behave(seen: Seen) -> None:
            head = f"HTTP/1.1 {status}\r\n{lines}\r\nContent-Length: {len(body)}\r\n\r\n"
            seen.reply(head.encode() + body)

        edge.products.behave = edge.categories.behave = behave

    return tell


def test_a_part_passes(edge: RunningEdge, answer: Callable[..., None]) -> None:
    answer(
        "206 Partial Content",
        'Content-Type: image/webp\r\nContent-Range: bytes 2-4/9\r\nAccept-Ranges: bytes\r\nETag: "a"',
        b"\x00\r\n",
    )

    reply = edge.ask(PICTURE + b'Range: bytes=2-4\r\nIf-Range: "a"\r\n\r\n')

    (seen,) = edge.products.seen
    assert (seen.values("range"), seen.values("if-range")) == (["bytes=2-4"], ['"a"'])
    assert (reply.status, reply.body) == (206, b"\x00\r\n")
    assert [reply.field(name) for name in ("content-range", "accept-ranges", "etag", "content-type")] == [
        *("bytes 2-4/9", "bytes", '"a"', "image/webp"),
    ]


def test_a_part_that_there_is_not(edge: RunningEdge, answer: Callable[..., None]) -> None:
    answer("416 Range Not Satisfiable", "Content-Range: bytes */9", b"")

    reply = edge.ask(PICTURE + b"Range: bytes=10-\r\n\r\n")

    assert (reply.status, reply.field("content-range"), reply.body) == (416, "bytes */9", b"")


def test_several_parts_of_a_picture_pass(edge: RunningEdge, answer: Callable[..., None]) -> None:
    answer("206 Partial Content", "Content-Type: multipart/byteranges; boundary=x", PARTS)

    reply = edge.ask(PICTURE + b"Range: bytes=0-0,2-2\r\n\r\n")

    assert (reply.status, reply.body) == (206, PARTS)
    assert reply.field("content-type") == "multipart/byteranges; boundary=x"


@pytest.mark.parametrize(
    ("request_head", "status"),
    [(PICTURE, "200 OK"), (PICTURE, "404 Not Found"), (CATEGORIES, "206 Partial Content")],
)
def test_several_parts_are_nothing_else(
    edge: RunningEdge, answer: Callable[..., None], request_head: bytes, status: str
) -> None:
    answer(status, "Content-Type: multipart/byteranges; boundary=x", PARTS)

    assert edge.ask(request_head + b"\r\n").status == 502


@pytest.mark.case("F8")
@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_compressed_bytes_pass_as_they_are(
    edge: RunningEdge, answer: Callable[..., None], coding: str
) -> None:
    body = gzip.compress(b'{"a": 1}' * 100)
    answer(
        "200 OK",
        f"Content-Type: application/json\r\nContent-Encoding: {coding}\r\nVary: Accept-Encoding",
        body,
    )

    reply = edge.ask(CATEGORIES + b"Accept-Encoding: gzip, br;q=0.5\r\n\r\n")

    (seen,) = edge.arrived
    lines = b"accept-encoding: gzip, br;q=0.5\r\n"
    assert seen.head == edge.head_for(reply, "GET /api/v1/categories", lines)
    assert (reply.body, reply.field("content-encoding"), reply.field("vary")) == (
        *(body, coding, "Accept-Encoding"),
    )
