"""What the edge itself says to people in a browser."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from chassis.problems import CATALOGUE
from gateway.edge import pages
from gateway.edge.testing import RunningEdge

HOST = b"Host: localhost:8000\r\n"
HTML = b"Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
ID = "0123456789abcdef"
SENT = {
    "an unknown path": (b"GET /nothing HTTP/1.1\r\n" + HOST, 404),
    "a path that is not canonical": (b"GET /c//x HTTP/1.1\r\n" + HOST, 400),
    "another host": (b"GET / HTTP/1.1\r\nHost: evil.example\r\n", 400),
    "a method of no page": (b"DELETE / HTTP/1.1\r\n" + HOST, 405),
    "a form that is too large": (b"POST /theme HTTP/1.1\r\n" + HOST + b"Content-Length: 99999\r\n", 413),
    "an address that is too long": (b"GET /" + b"a" * 8200 + b" HTTP/1.1\r\n" + HOST, 414),
    "a form of another site": (b"POST /admin/wallet/ HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n", 403),
    "two sessions": (b"GET /admin/wallet/ HTTP/1.1\r\n" + HOST + b"Cookie: sid=a; sid=b\r\n", 400),
    "too many headers": (b"GET / HTTP/1.1\r\n" + HOST + b"X-A: a\r\n" * 100, 431),
}


@pytest.mark.parametrize(("request_head", "status"), SENT.values(), ids=SENT)
def test_people_see_a_page(edge: RunningEdge, request_head: bytes, status: int) -> None:
    reply = edge.ask(request_head + HTML + b"\r\n")

    request_id = reply.field("x-request-id") or "none"
    assert reply.status == status
    assert reply.field("content-type") == "text/html; charset=utf-8"
    assert reply.field("content-security-policy") == pages.POLICY
    assert (reply.field("cache-control"), reply.field("x-content-type-options")) == ("no-store", "nosniff")
    assert f"<code>{request_id}</code>".encode() in reply.body
    assert pages.PLACEHOLDER.encode() not in reply.body


@pytest.mark.parametrize(("request_head", "status"), SENT.values(), ids=SENT)
def test_programs_see_a_problem(edge: RunningEdge, request_head: bytes, status: int) -> None:
    reply = edge.ask(request_head + b"Accept: */*\r\n\r\n")

    assert (reply.status, reply.json()["status"]) == (status, status)
    assert reply.field("content-type") == "application/problem+json"


@pytest.mark.parametrize(
    "path", [b"/api/v1/wallet", b"/api/x", b"/internal/token", b"/media/x", b"/.well-known/"]
)
def test_the_api_has_no_pages(edge: RunningEdge, path: bytes) -> None:
    edge.run(edge.web.stop())

    reply = edge.ask(b"GET %b HTTP/1.1\r\n" % path + HOST + HTML + b"\r\n")

    assert reply.field("content-type") == "application/problem+json"


@pytest.mark.parametrize("path", [b"/", b"/p/a-shoe", b"/account/login/", b"/admin/gateway/", b"/staff"])
def test_a_web_that_is_away_is_a_page_with_a_time_to_come_back(edge: RunningEdge, path: bytes) -> None:
    edge.run(edge.web.stop())

    reply = edge.ask(b"GET %b HTTP/1.1\r\nX-Request-ID: %b\r\n" % (path, ID.encode()) + HOST + HTML + b"\r\n")

    assert (reply.status, reply.field("retry-after")) == (502, "2")
    assert b"We did not get a proper answer" in reply.body
    assert f"<code>{ID}</code>".encode() in reply.body


def test_a_service_that_is_away_is_a_page_for_its_staff(edge: RunningEdge) -> None:
    edge.run(edge.wallet.stop())

    reply = edge.ask(
        b"GET /admin/wallet/ HTTP/1.1\r\nCookie: sid=%b\r\n" % (b"a" * 32) + HOST + HTML + b"\r\n"
    )

    assert (reply.status, reply.field("retry-after")) == (502, "2")
    assert reply.body.startswith(b"<!doctype html>")


def test_a_head_has_the_head_of_the_page_alone(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(
        b"HEAD /nothing HTTP/1.1\r\n" + HOST + HTML + b"\r\n" + b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    )

    head, reply = client.read_reply(is_head=True), client.read_reply()

    assert (head.status, head.field("content-type")) == (404, "text/html; charset=utf-8")
    assert int(head.field("content-length") or 0) > 1000
    assert reply.status == 200


def test_there_is_a_page_for_everything_the_edge_says() -> None:
    texts = [path.read_text() for path in pages.FOLDER.parent.glob("*.py")]
    said = {code for code in CATALOGUE for text in texts if f'"{code}"' in text}

    assert said > {"malformed-request", "unavailable"}
    assert {CATALOGUE[code][0] for code in said} <= {
        int(path.stem) for path in pages.FOLDER.glob("[0-9]*.html")
    }


@pytest.mark.parametrize("path", sorted(pages.FOLDER.iterdir()), ids=lambda path: path.stem)
def test_a_page_needs_nothing_but_itself(path: Path) -> None:
    text = pages.page(0, ID, path.stem).decode()
    (style,) = re.findall("<style>(.*?)</style>", text, re.DOTALL)

    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in pages.POLICY
    assert not re.search(r"<script|<link|<img|\sstyle=|\son\w+=|url\(|@import|//", text)
    assert text.count(ID) == 1
