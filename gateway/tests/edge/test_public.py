"""Public routes on the wire: who a service sees, how long its answers keep, who is named when it fails."""

import asyncio
import time
from collections.abc import Callable

import pytest

from chassis.problems import CHALLENGE, REFUSED_CHALLENGE
from gateway.edge.config import Limits
from gateway.edge.testing import Behavior, Issuer, RunningEdge, Seen, json_reply

PATH = b"/api/v1/categories"
HOST = b"Host: localhost:8000\r\n"
READ = b"GET %b HTTP/1.1\r\n" % PATH + HOST
CHANGE = b"PATCH %b/1 HTTP/1.1\r\n" % PATH + HOST + b"Content-Length: 2\r\n"
REMOVE = b"DELETE %b/1 HTTP/1.1\r\n" % PATH + HOST
NO_SCOPE_THERE = json_reply(status="403 Forbidden")


@pytest.fixture
def editor(issuer: Issuer) -> bytes:
    """The header line of one who edits the catalog."""
    return line_of(issuer, "catalog:read catalog:write")


@pytest.fixture
def shopper(issuer: Issuer) -> bytes:
    """The header line of one whose token says nothing about the catalog."""
    return line_of(issuer, "wallet:read wallet:write")


def line_of(issuer: Issuer, scope: str) -> bytes:
    return b"Authorization: Bearer %b\r\n" % issuer.mint(scope=scope).encode()


def replying(data: bytes) -> Behavior:
    async def behave(seen: Seen) -> None:
        await seen.read_body()
        seen.reply(data)

    return behave


@pytest.mark.case("D7")
@pytest.mark.parametrize("line", [b"", b"Authorization:\r\n", b"Authorization: \t\r\n"])
def test_reads_without_a_token_are_nobody_s(edge: RunningEdge, line: bytes) -> None:
    reply = edge.ask(READ + line + b"\r\n")

    (seen,) = edge.arrived
    assert (reply.status, seen.head) == (200, edge.head_for(reply, "GET /api/v1/categories"))


def test_heads_without_a_token_are_nobody_s(edge: RunningEdge) -> None:
    reply = edge.ask(READ.replace(b"GET", b"HEAD") + b"\r\n", is_head=True)

    assert reply.status == 200
    assert edge.categories.seen[0].values("authorization") == []


@pytest.mark.parametrize("start", [READ, CHANGE, REMOVE])
def test_an_editor_gets_a_token_for_the_service_alone(edge: RunningEdge, editor: bytes, start: bytes) -> None:
    reply = edge.ask(start + editor + b"\r\n" + (b"{}" if start is CHANGE else b""))

    (asked,) = edge.web.seen
    (authorization,) = edge.categories.seen[0].values("authorization")
    assert reply.status == 200
    assert b'"audience": "catalog_category"' in asked.body
    assert authorization.startswith("Bearer ey")
    assert authorization not in editor.decode()


def test_a_shopper_reads_as_everyone_without_a_question(edge: RunningEdge, shopper: bytes) -> None:
    reply = edge.ask(READ + shopper + b"\r\n")

    assert reply.status == 200
    assert edge.categories.seen[0].values("authorization") == []
    assert edge.web.seen == []


def test_a_token_stays_with_its_request(edge: RunningEdge, editor: bytes) -> None:
    client = edge.client()
    client.send(READ + editor + b"\r\n")
    first = client.read_reply()
    client.send(READ + b"\r\n")

    second = client.read_reply()

    assert (first.status, second.status) == (200, 200)
    assert [len(seen.values("authorization")) for seen in edge.categories.seen] == [1, 0]
    assert edge.categories.connections == 1


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_reads_are_nobody_s_when_the_web_finds_no_scope(
    edge: RunningEdge, editor: bytes, method: bytes
) -> None:
    edge.web.behave = replying(NO_SCOPE_THERE)

    reply = edge.ask(READ.replace(b"GET", method) + editor + b"\r\n", is_head=method == b"HEAD")

    assert reply.status == 200
    assert edge.categories.seen[0].values("authorization") == []


def test_writes_are_refused_when_the_web_finds_no_scope(edge: RunningEdge, editor: bytes) -> None:
    edge.web.behave = replying(NO_SCOPE_THERE)

    reply = edge.ask(REMOVE + editor + b"\r\n")

    assert (reply.status, reply.json()["code"]) == (403, "insufficient-scope")
    assert 'scope="catalog:write"' in (reply.field("www-authenticate") or "")
    assert edge.categories.seen == []


def test_one_refusal_means_to_each_request_what_it_must(edge: RunningEdge, editor: bytes) -> None:
    async def refuse_later(seen: Seen) -> None:
        await seen.read_body()
        await asyncio.sleep(0.2)
        seen.reply(NO_SCOPE_THERE)

    edge.web.behave = refuse_later
    reader, writer = edge.client(), edge.client()
    reader.send(READ + editor + b"\r\n")
    writer.send(REMOVE + editor + b"\r\n")

    assert (reader.read_reply().status, writer.read_reply().status) == (200, 403)
    assert len(edge.web.seen) == 1
    assert [seen.start for seen in edge.categories.seen] == ["GET /api/v1/categories"]


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (json_reply(status="401 Unauthorized"), 401, "invalid-token"),
        (json_reply(status="500 Internal Server Error"), 503, "unavailable"),
        (json_reply(b"not json"), 503, "unavailable"),
        (json_reply(b'{"token": "a.b.c", "exp": 9999999999, "sub": "someone else"}'), 503, "unavailable"),
    ],
)
@pytest.mark.parametrize("start", [READ, REMOVE])
def test_no_other_answer_of_the_web_makes_a_user_nobody(
    edge: RunningEdge, editor: bytes, start: bytes, answer: bytes, status: int, code: str
) -> None:
    edge.web.behave = replying(answer)

    reply = edge.ask(start + editor + b"\r\n")

    assert (reply.status, reply.json()["code"]) == (status, code)
    assert edge.categories.seen == []


@pytest.mark.case("D6")
@pytest.mark.parametrize("start", [READ, REMOVE])
@pytest.mark.parametrize("value", [b"Bearer", b"Bearer x", b"Basic eDp5", b"Bearer a.b.c"])
def test_a_bad_token_is_refused_even_where_none_is_needed(
    edge: RunningEdge, assert_refused: Callable[..., None], start: bytes, value: bytes
) -> None:
    fields = f"www-authenticate: {REFUSED_CHALLENGE}\r\n"

    assert_refused(edge, start + b"Authorization: %b\r\n\r\n" % value, "invalid-token", fields=fields)


@pytest.mark.case("D7")
@pytest.mark.parametrize("line", [b"", b"Authorization:\r\n"])
@pytest.mark.parametrize("method", [b"POST", b"PATCH", b"DELETE"])
def test_writes_without_a_token_are_challenged(
    edge: RunningEdge, assert_refused: Callable[..., None], method: bytes, line: bytes
) -> None:
    data = REMOVE.replace(b"DELETE", method) + line + b"\r\n"

    assert_refused(edge, data, "authentication-required", fields=f"www-authenticate: {CHALLENGE}\r\n")


def test_a_connection_that_nominates_the_token_hides_nothing(edge: RunningEdge) -> None:
    reply = edge.ask(READ + b"Authorization: Bearer x\r\nConnection: Authorization\r\n\r\n")

    assert reply.status == 401


def test_how_long_an_answer_keeps_is_the_service_s_to_say(edge: RunningEdge) -> None:
    lines = b'Cache-Control: public, max-age=60\r\nETag: "7"\r\nVary: Authorization\r\n'
    edge.categories.behave = replying(json_reply(extra=lines))

    reply = edge.ask(READ + b"\r\n")

    assert reply.field("cache-control") == "public, max-age=60"
    assert (reply.field("etag"), reply.field("vary")) == ('"7"', "Authorization")


def test_an_answer_that_says_nothing_is_not_kept(edge: RunningEdge) -> None:
    assert edge.ask(READ + b"\r\n").field("cache-control") == "no-store"


def test_conditions_pass_and_so_does_not_modified(edge: RunningEdge, editor: bytes) -> None:
    head = b'HTTP/1.1 304 Not Modified\r\nETag: "7"\r\nCache-Control: public, max-age=60\r\n\r\n'
    edge.categories.behave = replying(head)
    client = edge.client()
    client.send(READ + editor + b'If-None-Match: "7", W/"6"\r\n\r\n')

    reply = client.read_reply()

    assert edge.categories.seen[0].values("if-none-match") == ['"7", W/"6"']
    assert (reply.status, reply.field("etag")) == (304, '"7"')
    assert reply.field("cache-control") == "public, max-age=60"


def test_a_write_s_condition_passes_and_so_does_its_failure(edge: RunningEdge, editor: bytes) -> None:
    edge.categories.behave = replying(json_reply(status="412 Precondition Failed", extra=b'ETag: "8"\r\n'))

    reply = edge.ask(CHANGE + editor + b'If-Match: "7"\r\n\r\n{}')

    (seen,) = edge.categories.seen
    assert (seen.values("if-match"), seen.body) == (['"7"'], b"{}")
    assert (reply.status, reply.field("etag")) == (412, '"8"')


def test_a_moved_category_is_pointed_to(edge: RunningEdge) -> None:
    moved = json_reply(status="301 Moved Permanently", extra=b"Location: /api/v1/categories?path=a\r\n")
    edge.categories.behave = replying(moved)

    reply = edge.ask(READ + b"\r\n")

    assert (reply.status, reply.field("location")) == (301, "/api/v1/categories?path=a")


def test_away_is_502_under_its_name(edge: RunningEdge) -> None:
    edge.run(edge.categories.stop())

    assert failure(edge, READ) == (502, "bad-gateway", "catalog_category", "2")


def test_a_page_in_place_of_data_is_502_under_its_name(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply().replace(b"application/json", b"text/html"))

    assert failure(edge, READ) == (502, "bad-gateway", "catalog_category", "2")


def test_hanging_is_504_under_its_name(edge: RunningEdge) -> None:
    edge.categories.behave = lambda seen: asyncio.sleep(10)

    assert failure(edge, READ) == (504, "upstream-timeout", "catalog_category", "2")


def test_overrun_is_503_under_its_name(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=Limits(upstream_connections=1, queued=0))
    edge.categories.behave = lambda seen: asyncio.sleep(10)
    first = edge.client()
    first.send(READ.replace(PATH, PATH + b"/1") + b"\r\n")
    time.sleep(0.1)

    assert failure(edge, READ) == (503, "unavailable", "catalog_category", "2")


def failure(edge: RunningEdge, start: bytes) -> tuple[int, str, str, str | None]:
    """Status, code, named service and Retry-After of a request that fails."""
    reply = edge.ask(start + b"\r\n")
    problem = reply.json()
    return reply.status, problem["code"], problem["service"], reply.field("retry-after")


@pytest.mark.case("E17")
def test_a_read_is_tried_again_and_a_removal_never(edge: RunningEdge, editor: bytes) -> None:
    async def close(seen: Seen) -> None:
        seen.writer.close()

    edge.categories.behave = close

    read, removal = (edge.ask(start + editor + b"\r\n") for start in (READ, REMOVE))

    own = edge.token_line
    reading = edge.head_for(read, "GET /api/v1/categories", own=own)
    removing = edge.head_for(removal, "DELETE /api/v1/categories/1", own=own + b"content-length: 0\r\n")
    assert (read.status, removal.status) == (502, 502)
    assert [seen.head for seen in edge.categories.seen] == [reading, reading, removing]


@pytest.mark.case("L1")
def test_another_service_that_hangs_does_not_hold_up_reads(edge: RunningEdge, bearer: bytes) -> None:
    edge.wallet.behave = edge.web.behave = lambda seen: asyncio.sleep(10)
    waiting = edge.client()
    waiting.send(b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST + bearer + b"\r\n")

    reply = edge.ask(READ + b"\r\n")

    (seen,) = edge.categories.seen
    assert (reply.status, seen.head) == (200, edge.head_for(reply, "GET /api/v1/categories"))


def test_a_token_that_was_withheld_is_what_lacks_a_scope(edge: RunningEdge, shopper: bytes) -> None:
    edge.categories.behave = replying(json_reply(status="401 Unauthorized"))

    reply = edge.ask(READ + shopper + b"\r\n")

    assert (reply.status, reply.json()["code"]) == (403, "insufficient-scope")
    assert "catalog:read" in reply.field("www-authenticate")


def test_nobody_is_told_by_the_service_to_log_in(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(status="401 Unauthorized"))

    assert edge.ask(READ + b"\r\n").status == 401
