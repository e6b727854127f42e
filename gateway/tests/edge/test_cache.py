"""The shared cache on the wire: what is kept, for whom, for how long, and that it is fetched once."""

import asyncio
import re
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from chassis.problems import REFUSED_CHALLENGE
from gateway.edge.cache import MAX_VARIANTS, UNSHARED_SECONDS, Cache, Freshness, freshness_of, key_of
from gateway.edge.config import Limits
from gateway.edge.downstream import Client
from gateway.edge.headers import read_head
from gateway.edge.policy import Forward, Request
from gateway.edge.testing import (
    QUICK,
    Behavior,
    Issuer,
    RawClient,
    RawReply,
    RunningEdge,
    Seen,
    json_reply,
    until,
)
from gateway.routes import RouteTable

PATH = b"/api/v1/categories"
HOST = b"Host: localhost:8000\r\n"
READ = b"GET %b HTTP/1.1\r\n" % PATH + HOST
PUBLIC = b"Cache-Control: public, max-age=60\r\n"
TAGGED = PUBLIC + b'ETag: "7"\r\nLast-Modified: Mon, 23 Nov 2026 10:00:00 GMT\r\n'
STALE = b"Cache-Control: public, max-age=0, stale-while-revalidate=60\r\n"
ON_ERROR = b"Cache-Control: public, max-age=0, stale-if-error=60\r\n"


def replying(data: bytes) -> Behavior:
    async def behave(seen: Seen) -> None:
        await seen.read_body()
        seen.reply(data)

    return behave


class Gate:
    """Answers when it is told to."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.is_open = False

    async def __call__(self, seen: Seen) -> None:
        await seen.read_body()
        while not self.is_open:
            await asyncio.sleep(0.005)
        seen.reply(self.data)


def ask(edge: RunningEdge, lines: bytes = b"", *, target: bytes = PATH, method: bytes = b"GET") -> RawReply:
    head = b"%b %b HTTP/1.1\r\n" % (method, target) + HOST + lines + b"\r\n"
    return edge.ask(head, is_head=method == b"HEAD")


def keeps(edge: RunningEdge, lines: bytes, *, status: str = "200 OK") -> bool:
    """Whether the answer with these lines is given a second time without asking for it."""
    edge.categories.behave = replying(json_reply(extra=lines, status=status))
    first, second = ask(edge), ask(edge)
    assert (first.status, first.body) == (second.status, second.body)
    return len(edge.categories.seen) == 1


async def call(what: Callable[[], None]) -> None:
    what()


def line_of(issuer: Issuer, scope: str) -> bytes:
    return b"Authorization: Bearer %b\r\n" % issuer.mint(scope=scope).encode()


# What is kept


@pytest.mark.parametrize(
    "lines",
    [
        PUBLIC,
        b"cache-control: PUBLIC , Max-Age=60\r\n",
        b"Cache-Control: public\r\nCache-Control: max-age=60\r\n",
        b"Cache-Control: public, max-age=0, s-maxage=60\r\n",
        b"Cache-Control: public, max-age=60, immutable, no-transform\r\n",
        PUBLIC + b"Age: 10\r\n",
        PUBLIC + b"Vary: Accept, Authorization\r\n",
    ],
)
def test_keeps_what_is_everybody_s(edge: RunningEdge, lines: bytes) -> None:
    assert keeps(edge, lines)


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Cache-Control: max-age=60\r\n",
        b"Cache-Control: public\r\n",
        b"Cache-Control: public, max-age=0\r\n",
        b"Cache-Control: public, max-age=-1\r\n",
        b'Cache-Control: public, max-age="60"\r\n',
        b"Cache-Control: public, max-age=60, max-age=90\r\n",
        b"Cache-Control: public, max-age=60, private\r\n",
        b"Cache-Control: public, max-age=60, no-store\r\n",
        b"Cache-Control: public, max-age=60, no-cache\r\n",
        b'Cache-Control: public, max-age=60, no-cache="Set-Cookie"\r\n',
        b'Cache-Control: public, max-age=60, private="x, y"\r\n',
        PUBLIC + b"Set-Cookie: a=b\r\n",
        PUBLIC + b"Vary: *\r\n",
        PUBLIC + b"Vary: Accept, *\r\n",
        PUBLIC + b"Vary: X-Forwarded-For\r\n",
        PUBLIC + b"Age: 60\r\n",
        PUBLIC + b"Age: x\r\n",
        PUBLIC + b"Age: 1\r\nAge: 2\r\n",
    ],
)
def test_keeps_nothing_that_is_in_doubt(edge: RunningEdge, lines: bytes) -> None:
    assert not keeps(edge, lines)


@pytest.mark.parametrize("status", ["203 Non-Authoritative Information", "404 Not Found", "500 Oops"])
def test_keeps_no_other_status(edge: RunningEdge, status: str) -> None:
    assert not keeps(edge, PUBLIC, status=status)


def test_keeps_a_chunked_answer_and_none_that_ends_with_its_connection(edge: RunningEdge) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + PUBLIC
    edge.categories.behave = replying(
        head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nSet-Cookie: a=b\r\n\r\n"
    )
    assert [ask(edge).body, ask(edge).body] == [b"{}", b"{}"]
    assert len(edge.categories.seen) == 1

    async def close(seen: Seen) -> None:
        seen.reply(head + b"\r\n{}")
        seen.writer.close()

    edge.products.behave = close
    assert [ask(edge, target=b"/api/v1/products").body for _ in range(2)] == [b"{}", b"{}"]
    assert len(edge.products.seen) == 2


def test_freshness_is_read_as_it_is_written() -> None:
    control = b"public, max-age=30, stale-while-revalidate=300, stale-if-error=9000"

    assert freshness_of(200, [(b"Cache-Control", control)], 2) == Freshness(30, 300, 9000)
    assert freshness_of(200, [(b"Cache-Control", control), (b"Age", b"10")], 2) == Freshness(20, 300, 9000)
    assert freshness_of(200, [(b"Cache-Control", control)], None) is None
    year = 365 * 24 * 3600
    assert freshness_of(200, [(b"Cache-Control", b"public, max-age=9999999999")], 2) == Freshness(year, 0, 0)


@pytest.mark.parametrize("bound", [b"must-revalidate", b"proxy-revalidate", b"s-maxage=30"])
def test_what_must_be_asked_for_again_is_never_given_stale(bound: bytes) -> None:
    control = b"public, max-age=30, stale-while-revalidate=300, stale-if-error=9000, " + bound

    assert freshness_of(200, [(b"Cache-Control", control)], 2) == Freshness(30, 0, 0)


# For whom


def test_is_for_those_without_a_token_alone(edge: RunningEdge, issuer: Issuer) -> None:
    edge.categories.behave = replying(json_reply(extra=PUBLIC))
    for scope in ("catalog:read", "wallet:read"):
        assert ask(edge, line_of(issuer, scope)).field("age") is None
    assert len(edge.categories.seen) == 2

    ask(edge)
    assert ask(edge).field("age") == "0"
    assert ask(edge, line_of(issuer, "catalog:read")).field("age") is None
    assert len(edge.categories.seen) == 4


@pytest.mark.case("D6")
@pytest.mark.parametrize("value", [b"Bearer x.y.z", b"Basic eDp5"])
def test_a_bad_token_is_refused_whatever_is_kept(
    edge: RunningEdge, assert_refused: Callable[..., None], value: bytes
) -> None:
    edge.categories.behave = replying(json_reply(extra=PUBLIC))
    ask(edge)
    fields = f"www-authenticate: {REFUSED_CHALLENGE}\r\n"

    assert_refused(edge, READ + b"Authorization: %b\r\n\r\n" % value, "invalid-token", fields=fields)


@pytest.mark.case("H6")
@pytest.mark.parametrize("lines", [b"", b"Cookie: sid=a\r\n"])
@pytest.mark.parametrize("target", [b"/", b"/p/1", b"/account", b"/.well-known/jwks.json"])
def test_pages_are_never_kept(edge: RunningEdge, target: bytes, lines: bytes) -> None:
    edge.web.behave = replying(json_reply(extra=PUBLIC))

    for _ in range(2):
        ask(edge, lines, target=target)

    assert len(edge.web.seen) == 2


def test_one_kept_for_a_host_or_a_query_is_for_no_other(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=PUBLIC))
    ask(edge)

    ask(edge, target=PATH + b"?page=2")
    edge.ask(READ.replace(b"localhost", b"127.0.0.1") + b"\r\n")

    assert len(edge.categories.seen) == 3


def test_varies_by_what_the_service_names(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=PUBLIC + b"Vary: accept-language, Accept\r\n"))
    german, french = b"Accept-Language: de\r\n", b"Accept-Language: fr\r\n"

    for lines in (german, french, b"", german + b"Accept: */*\r\n"):
        assert ask(edge, lines).field("cache-status") == "mercato; fwd=miss"
    for lines in (german, french, b"", german + b"Accept: */*\r\n", german + b"User-Agent: x\r\n"):
        assert ask(edge, lines).field("age") == "0"

    assert len(edge.categories.seen) == 4


def in_language(edge: RunningEdge, name: bytes) -> bool:
    """Ask in a language, and whether it was kept."""
    return ask(edge, b"Accept-Language: %b\r\n" % name).field("age") is not None


def test_keeps_few_variants_of_one_target(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=PUBLIC + b"Vary: Accept-Language\r\n"))
    for number in range(MAX_VARIANTS + 1):
        in_language(edge, b"x-%d" % number)

    kept = [in_language(edge, b"x-%d" % number) for number in range(MAX_VARIANTS - 1)]
    assert kept == [True] * (MAX_VARIANTS - 1)
    assert in_language(edge, b"x-%d" % MAX_VARIANTS)
    assert not in_language(edge, b"x-%d" % (MAX_VARIANTS - 1))


def test_variants_that_nobody_asks_for_again_push_out_no_other(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=PUBLIC + b"Vary: Accept-Language\r\n"))
    assert not in_language(edge, b"de")
    for number in range(3 * MAX_VARIANTS):
        assert not in_language(edge, b"x-%d" % number)

    assert in_language(edge, b"de")


def test_a_variant_that_is_asked_for_again_finds_its_place(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=PUBLIC + b"Vary: Accept-Language\r\n"))
    for number in range(MAX_VARIANTS):
        in_language(edge, b"x-%d" % number)
    assert not in_language(edge, b"de")
    assert in_language(edge, b"de")
    for number in range(3 * MAX_VARIANTS):
        in_language(edge, b"y-%d" % number)

    assert in_language(edge, b"de")


def test_a_variant_that_is_renewed_keeps_its_place(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=STALE + b"Vary: Accept-Language\r\n"))
    for number in range(MAX_VARIANTS):
        in_language(edge, b"x-%d" % number)
    in_language(edge, b"x-0")
    until(lambda: len(edge.categories.seen) == MAX_VARIANTS + 1)
    until(lambda: not edge.edge.shared.renewing)
    for number in range(MAX_VARIANTS):
        in_language(edge, b"y-%d" % number)

    assert in_language(edge, b"x-0")


@pytest.mark.parametrize(
    "lines",
    [
        b"Range: bytes=0-1\r\n",
        b'Range: bytes=0-1\r\nIf-Range: "7"\r\n',
        b'If-Match: "6"\r\n',
        b"If-Unmodified-Since: Mon, 23 Nov 2020 10:00:00 GMT\r\n",
    ],
)
def test_what_asks_for_more_than_the_answer_is_asked_of_the_service(edge: RunningEdge, lines: bytes) -> None:
    edge.categories.behave = replying(json_reply(extra=TAGGED))
    ask(edge)

    reply = ask(edge, lines)

    assert reply.field("age") is None
    name, _, value = lines.splitlines()[0].decode().partition(": ")
    assert edge.categories.seen[1].values(name) == [value]


# How it is told


def test_a_copy_says_that_it_is_one(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(b'{"a":1}', extra=TAGGED + b"X-Request-ID: of-another\r\n"))
    first = ask(edge)
    second = ask(edge, b"X-Request-ID: my-own-request\r\n")

    assert first.field("cache-status") == "mercato; fwd=miss"
    assert re.fullmatch(r"mercato; hit; ttl=(59|60)", second.field("cache-status") or "")
    assert second.field("x-request-id") == "my-own-request"
    for name in ("cache-control", "etag", "last-modified", "content-type", "x-content-type-options"):
        assert first.field(name) == second.field(name) is not None
    assert second.field("content-security-policy") == "default-src 'none'; sandbox"
    assert (second.body, second.field("content-length")) == (b'{"a":1}', "7")


def test_a_head_is_answered_from_the_copy_and_makes_none(edge: RunningEdge) -> None:
    edge.categories.behave = replying(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n" + PUBLIC + b"\r\n")
    assert [ask(edge, method=b"HEAD").field("age") for _ in range(2)] == [None, None]

    edge.categories.behave = replying(json_reply(extra=PUBLIC))
    ask(edge)
    reply = ask(edge, method=b"HEAD")

    assert (reply.field("age"), reply.field("content-length"), reply.body) == ("0", "11", b"")


@pytest.mark.parametrize(
    "condition",
    [
        b'If-None-Match: "7"\r\n',
        b'If-None-Match: "6", W/"7"\r\n',
        b"If-None-Match: *\r\n",
        b"If-Modified-Since: Mon, 23 Nov 2026 10:00:00 GMT\r\n",
    ],
)
def test_who_has_it_already_is_told_so(edge: RunningEdge, condition: bytes) -> None:
    edge.categories.behave = replying(json_reply(extra=TAGGED + b"Vary: Accept\r\n"))

    # Nothing is kept yet: the service is asked for the whole, so that the next one can have it.
    for is_kept in (False, True):
        reply = ask(edge, condition)
        assert (reply.status, reply.body, reply.field("content-length")) == (304, b"", None)
        assert (reply.field("etag"), reply.field("vary")) == ('"7"', "Accept")
        assert (reply.field("age") is not None) is is_kept
        assert (reply.field("ratelimit") is None) is is_kept
    assert ask(edge).body == b'{"ok":true}'
    (seen,) = edge.categories.seen
    assert seen.values("if-none-match") == seen.values("if-modified-since") == []


@pytest.mark.parametrize(
    "condition",
    [
        b'If-None-Match: "8"\r\n',
        b"If-None-Match: 7\r\n",
        b"If-Modified-Since: Mon, 23 Nov 2026 09:00:00 GMT\r\n",
        b'If-None-Match: "8"\r\nIf-Modified-Since: Mon, 23 Nov 2026 10:00:00 GMT\r\n',
    ],
)
def test_who_has_another_gets_it(edge: RunningEdge, condition: bytes) -> None:
    edge.categories.behave = replying(json_reply(extra=TAGGED))

    assert [ask(edge, condition).status for _ in range(2)] == [200, 200]
    assert len(edge.categories.seen) == 1


def test_a_connection_goes_on_after_each_kind_of_answer(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=TAGGED))
    known = READ + b'If-None-Match: "7"\r\n\r\n'
    client = edge.client()

    client.send(known + READ + b"\r\n" + known + READ + b"Connection: close\r\n\r\n")

    statuses = [client.read_reply().status for _ in range(4)]
    assert statuses == [304, 200, 304, 200]
    assert client.is_closed()


# How long


def test_is_given_while_it_is_renewed(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(b"1", extra=STALE))
    ask(edge)
    gate = Gate(json_reply(b"2", extra=PUBLIC))
    edge.categories.behave = gate

    assert [ask(edge).body for _ in range(3)] == [b"1", b"1", b"1"]
    until(lambda: len(edge.categories.seen) == 2)
    gate.is_open = True
    until(lambda: ask(edge).body == b"2")

    assert len(edge.categories.seen) == 2
    assert edge.edge.shared.renewing == set()


def test_a_renewal_is_no_client_s_request(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(b"1", extra=STALE))
    ask(edge)
    ask(edge)
    until(lambda: len(edge.categories.seen) == 2 and not edge.edge.shared.renewing)

    edge.edge.shared.journal.flush()
    assert edge.log.getvalue().count(b"/api/v1/categories") == 4  # Path and route, twice.
    assert edge.edge.shared.figures.in_flight == 0


def test_what_is_gone_is_not_given_any_more(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(b"1", extra=STALE))
    ask(edge)
    edge.categories.behave = replying(json_reply(status="404 Not Found"))

    ask(edge)

    until(lambda: ask(edge).status == 404)


@pytest.mark.parametrize("status", ["400 Bad Request", "406 Not Acceptable", "429 Too Many Requests"])
def test_a_refusal_of_one_request_ends_nothing(edge: RunningEdge, status: str) -> None:
    edge.categories.behave = replying(json_reply(b"1", extra=STALE))
    ask(edge)
    edge.categories.behave = replying(json_reply(status=status))

    ask(edge, b"Accept: text/html\r\n")  # It is renewed with what this one asks for.

    until(lambda: len(edge.categories.seen) == 2 and not edge.edge.shared.renewing)
    assert (ask(edge).status, ask(edge).body) == (200, b"1")


@pytest.mark.parametrize(
    "behave",
    [replying(json_reply(status="503 Service Unavailable")), replying(b"garbage\r\n\r\n")],
)
def test_an_old_one_is_better_than_an_error(edge: RunningEdge, behave: Behavior) -> None:
    edge.categories.behave = replying(json_reply(b"1", extra=ON_ERROR))
    assert [ask(edge).body for _ in range(2)] == [b"1", b"1"]
    assert len(edge.categories.seen) == 2
    edge.categories.behave = behave

    reply = ask(edge)

    assert (reply.status, reply.body) == (200, b"1")
    assert re.fullmatch("mercato; hit; ttl=(0|-1)", reply.field("cache-status") or "")
    edge.categories.behave = replying(json_reply(b"2", extra=ON_ERROR))
    assert ask(edge).body == b"2"


def test_an_old_one_is_better_than_a_service_that_hangs(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(b"1", extra=STALE))
    ask(edge)
    edge.categories.behave = Gate(b"")

    assert [ask(edge).body for _ in range(20)] == [b"1"] * 20
    assert len(edge.categories.seen) == 2


@pytest.mark.parametrize("status", [200, 204, 303])
def test_a_write_ends_what_is_kept_of_that_service(edge: RunningEdge, issuer: Issuer, status: int) -> None:
    edge.categories.behave = replying(json_reply(b"1", extra=PUBLIC))
    edge.products.behave = replying(json_reply(b"1", extra=PUBLIC))
    ask(edge)
    ask(edge, target=b"/api/v1/products")
    edge.categories.behave = replying(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
    assert ask(edge, line_of(issuer, "catalog:write"), target=PATH + b"/1", method=b"DELETE").status == status
    edge.categories.behave = replying(json_reply(b"2", extra=PUBLIC))

    assert ask(edge).body == b"2"
    assert ask(edge, target=b"/api/v1/products").body == b"1"


def test_a_form_of_the_web_ends_no_file(edge: RunningEdge) -> None:
    edge.web.behave = replying(json_reply(extra=PUBLIC))
    ask(edge, target=b"/static/a.css")
    ask(edge, b"Content-Length: 0\r\n", target=b"/theme", method=b"POST")

    assert ask(edge, target=b"/static/a.css").field("age") is not None


def test_a_write_that_was_refused_ends_nothing(edge: RunningEdge, issuer: Issuer) -> None:
    edge.categories.behave = replying(json_reply(b"1", extra=PUBLIC))
    ask(edge)
    edge.categories.behave = replying(json_reply(status="409 Conflict"))
    ask(edge, line_of(issuer, "catalog:write"), target=PATH + b"/1", method=b"DELETE")

    assert ask(edge).body == b"1"


async def close(seen: Seen) -> None:
    await seen.read_body()
    seen.writer.close()


async def hang(seen: Seen) -> None:
    await seen.read_body()
    await asyncio.sleep(10)


@pytest.mark.parametrize(
    ("behave", "status"), [(close, 502), (replying(b"no HTTP\r\n\r\n"), 502), (hang, 504)]
)
def test_a_write_that_may_have_happened_ends_what_is_kept(
    start_edge: Callable[..., RunningEdge], issuer: Issuer, behave: Behavior, status: int
) -> None:
    edge = start_edge(times=replace(QUICK, total=0.4))
    edge.categories.behave = replying(json_reply(b"1", extra=PUBLIC))
    ask(edge)
    edge.categories.behave = behave
    assert ask(edge, line_of(issuer, "catalog:write"), target=PATH + b"/1", method=b"DELETE").status == status
    edge.categories.behave = replying(json_reply(b"2", extra=PUBLIC))

    assert ask(edge).body == b"2"


def test_a_write_whose_client_leaves_may_have_happened(edge: RunningEdge, issuer: Issuer) -> None:
    edge.categories.behave = replying(json_reply(b"1", extra=PUBLIC))
    ask(edge)
    edge.categories.behave = hang
    writer = edge.client()
    writer.send(b"DELETE %b/1 HTTP/1.1\r\n" % PATH + HOST + line_of(issuer, "catalog:write") + b"\r\n")
    until(lambda: len(edge.categories.seen) == 2)
    reset(writer)
    until(lambda: edge.edge.shared.figures.in_flight == 0)
    edge.categories.behave = replying(json_reply(b"2", extra=PUBLIC))

    assert ask(edge).body == b"2"


def test_a_write_that_was_never_sent_ends_nothing(edge: RunningEdge, issuer: Issuer) -> None:
    edge.categories.behave = replying(json_reply(b"1", extra=PUBLIC + b"Connection: close\r\n"))
    ask(edge)
    edge.run(edge.categories.stop())
    assert ask(edge, line_of(issuer, "catalog:write"), target=PATH + b"/1", method=b"DELETE").status == 502

    assert ask(edge).body == b"1"


def test_what_was_asked_for_before_a_write_is_not_kept(edge: RunningEdge, issuer: Issuer) -> None:
    gate = Gate(json_reply(b"1", extra=PUBLIC))
    edge.categories.behave = gate
    reader = edge.client()
    reader.send(READ + b"\r\n")
    until(lambda: len(edge.categories.seen) == 1)
    edge.categories.behave = replying(json_reply(b"2", extra=PUBLIC))
    ask(edge, line_of(issuer, "catalog:write"), target=PATH + b"/1", method=b"DELETE")

    assert ask(edge).body == b"2"  # Nor does anybody wait for it.
    gate.is_open = True

    assert reader.read_reply().body == b"1"
    assert ask(edge).body == b"2"


# Fetched once


def crowd(edge: RunningEdge, count: int, lines: bytes = b"") -> list[RawClient]:
    """Clients that ask at the same time, the first of them first."""
    clients = [edge.client() for _ in range(count)]
    clients[0].send(READ + lines + b"\r\n")
    until(lambda: len(edge.categories.seen) == 1)
    for client in clients[1:]:
        client.send(READ + lines + b"\r\n")
    until(lambda: edge.edge.shared.figures.in_flight == count)
    return clients


def reset(client: RawClient) -> None:
    """Leave without a word: one who closes may have closed its own half alone."""
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_many_who_ask_at_once_cost_one_request(edge: RunningEdge) -> None:
    gate = edge.categories.behave = Gate(json_reply(extra=PUBLIC))
    clients = crowd(edge, 50)
    gate.is_open = True

    assert {client.read_reply().body for client in clients} == {b'{"ok":true}'}
    assert len(edge.categories.seen) == 1


def test_what_turns_out_to_be_for_one_alone_is_asked_for_by_each(edge: RunningEdge) -> None:
    gate = edge.categories.behave = Gate(json_reply(extra=b"Cache-Control: private\r\n"))
    clients = crowd(edge, 5)
    gate.is_open = True

    assert [client.read_reply().status for client in clients] == [200] * 5
    assert len(edge.categories.seen) == 5
    gate.is_open = False
    later = [edge.client() for _ in range(3)]
    for client in later:
        client.send(READ + b"\r\n")
    until(lambda: len(edge.categories.seen) == 8)  # Nobody waits for another now.
    gate.is_open = True
    assert [client.read_reply().status for client in later] == [200] * 3


def test_what_does_not_suit_is_asked_for_alone(edge: RunningEdge) -> None:
    gate = edge.categories.behave = Gate(json_reply(extra=PUBLIC + b"Vary: Accept-Language\r\n"))
    clients = crowd(edge, 2, b"Accept-Language: de\r\n")
    french = edge.client()
    french.send(READ + b"Accept-Language: fr\r\n\r\n")
    until(lambda: edge.edge.shared.figures.in_flight == 3)
    gate.is_open = True

    assert [client.read_reply().status for client in [*clients, french]] == [200] * 3
    languages = [seen.values("accept-language") for seen in edge.categories.seen]
    assert languages == [["de"], ["fr"]]
    assert ask(edge, b"Accept-Language: fr\r\n").field("age") is not None


def test_when_the_first_leaves_the_next_fetches(edge: RunningEdge) -> None:
    gate = edge.categories.behave = Gate(json_reply(extra=PUBLIC))
    clients = crowd(edge, 4)
    reset(clients[2])
    reset(clients[0])
    until(lambda: len(edge.categories.seen) == 2)
    gate.is_open = True

    assert [clients[number].read_reply().status for number in (1, 3)] == [200, 200]
    assert len(edge.categories.seen) == 2


def test_a_head_leads_nobody(edge: RunningEdge) -> None:
    gate = edge.categories.behave = Gate(json_reply(extra=PUBLIC))
    (first,) = crowd(edge, 1)
    others = [edge.client() for _ in range(4)]
    for count, (client, method) in enumerate(zip(others, (b"HEAD", b"HEAD", b"GET", b"GET"), strict=True)):
        client.send(READ.replace(b"GET", method) + b"\r\n")
        until(lambda count=count: edge.edge.shared.figures.in_flight == count + 2)
    reset(first)
    # Answered to a HEAD, it would have no body, and everybody would get none.
    until(lambda: len(edge.categories.seen) == 4)
    gate.is_open = True

    assert [client.read_reply(is_head=True).status for client in others[:2]] == [200, 200]
    assert [client.read_reply().body for client in others[2:]] == [b'{"ok":true}'] * 2
    assert ask(edge).body == b'{"ok":true}'
    starts = [seen.start.split()[0] for seen in edge.categories.seen]
    assert starts == ["GET", "HEAD", "HEAD", "GET"]


def test_who_wait_for_one_that_is_refused_fetch_it_for_the_next(edge: RunningEdge) -> None:
    gate = edge.categories.behave = Gate(json_reply(status="406 Not Acceptable"))
    first, second = crowd(edge, 2)
    edge.categories.behave = replying(json_reply(extra=PUBLIC))
    gate.is_open = True

    assert [first.read_reply().status, second.read_reply().status] == [406, 200]
    assert ask(edge).field("age") is not None


def test_who_waits_for_another_waits_while_the_service_is_replaced(
    start_edge: Callable[..., RunningEdge],
) -> None:
    edge = start_edge(times=replace(QUICK, queue=0.1))
    shared = edge.edge.shared
    route = replace(RouteTable().find(PATH), read_seconds=0.1)
    shared.rules = replace(shared.rules, table=RouteTable((route,)))
    pool = shared.upstreams["catalog_category"]
    edge.run(call(lambda: pool.hold(shared.loop.time() + 5)))
    edge.categories.behave = replying(json_reply(extra=PUBLIC))
    clients = [edge.client() for _ in range(3)]
    for client in clients:
        client.send(READ + b"\r\n")
    until(lambda: shared.figures.in_flight == 3)
    time.sleep(0.4)  # Longer than anybody waits for another, else.
    edge.run(call(pool.resume))

    assert [client.read_reply().status for client in clients] == [200] * 3
    assert len(edge.categories.seen) == 1


def test_all_hear_of_a_failure(edge: RunningEdge) -> None:
    gate = edge.categories.behave = Gate(b"garbage\r\n\r\n")
    clients = crowd(edge, 4)
    gate.is_open = True

    replies = [client.read_reply() for client in clients]
    assert [(reply.status, reply.json()["service"]) for reply in replies] == [(502, "catalog_category")] * 4
    assert len(edge.categories.seen) == 1


def test_nobody_waits_for_a_client_that_does_not_read(start_edge: Callable[..., RunningEdge]) -> None:
    size = 4 * 1024 * 1024
    edge = start_edge(limits=Limits(cache_bytes=2 * size, cache_copy_bytes=size))
    body = b'"' + b"x" * (size - 2) + b'"'
    edge.categories.behave = replying(json_reply(body, extra=PUBLIC))
    lazy = edge.client(receive_buffer=4096)
    lazy.send(READ + b"\r\n")
    until(lambda: len(edge.categories.seen) == 1)

    assert ask(edge).body == body
    assert len(edge.categories.seen) == 1


def test_what_is_too_long_passes_by(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=Limits(cache_copy_bytes=1000))
    for extra in (b"", b"X-Pad: %b\r\n" % (b"y" * 100)):
        edge.categories.behave = replying(json_reply(b"x" * 1001, extra=PUBLIC + extra))
        assert [len(ask(edge).body) for _ in range(2)] == [1001, 1001]
    chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n" + PUBLIC
    edge.products.behave = replying(head + b"\r\n" + 2 * chunk + b"0\r\n\r\n")
    assert [len(ask(edge, target=b"/api/v1/products").body) for _ in range(2)] == [2000, 2000]

    assert (len(edge.categories.seen), len(edge.products.seen)) == (4, 2)
    assert edge.edge.shared.cache.size == 0


def test_is_bounded_and_forgets_what_was_used_longest_ago(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=Limits(cache_bytes=20_000))
    edge.categories.behave = replying(json_reply(b"x" * 4000, extra=PUBLIC))
    targets = [PATH + b"?page=%d" % number for number in range(30)]
    for target in targets:
        ask(edge, target=target)
        ask(edge, target=targets[0])

    assert 10_000 < edge.edge.shared.cache.size <= 20_000
    asked = len(edge.categories.seen)
    ask(edge, target=targets[0])
    ask(edge, target=targets[-1])
    assert len(edge.categories.seen) == asked
    ask(edge, target=targets[1])
    assert len(edge.categories.seen) == asked + 1


def test_what_clients_make_up_counts_as_well(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=PUBLIC + b"Vary: User-Agent\r\n"))
    ask(edge, b"User-Agent: %b\r\n" % (b"x" * 9000), target=PATH + b"?x=" + b"x" * 7000)

    cache = edge.edge.shared.cache
    assert cache.size > 16_000
    edge.run(call(lambda: cache.note_unshared(next(iter(cache._copies)), 0.0)))
    assert cache.size == 0


def test_a_long_copy_stands_in_memory_once(edge: RunningEdge, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    write = Client.write
    monkeypatch.setattr(Client, "write", lambda client, data: written.append(data) or write(client, data))
    body = b"x" * 100_000
    edge.categories.behave = replying(json_reply(body, extra=PUBLIC))

    assert [ask(edge).body for _ in range(3)] == [body] * 3
    assert written[-1] is written[-3]


def outcomes(edge: RunningEdge) -> dict[str, float]:
    return {
        sample.labels["outcome"]: sample.value
        for family in edge.edge.shared.figures.collect()
        if family.name == "mercato_edge_cache"
        for sample in family.samples
    }


def test_it_is_counted(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=PUBLIC))
    for _ in range(3):
        ask(edge)

    assert outcomes(edge) == {"miss": 1, "hit": 2}


def test_what_is_given_while_it_is_renewed_is_counted(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=STALE))
    ask(edge)
    ask(edge)

    assert outcomes(edge) == {"miss": 1, "stale": 1}


def test_what_is_given_in_place_of_an_error_is_counted(edge: RunningEdge) -> None:
    edge.categories.behave = replying(json_reply(extra=ON_ERROR))
    ask(edge)
    edge.categories.behave = close
    ask(edge)

    assert outcomes(edge) == {"miss": 2, "on-error": 1}


def test_what_others_have_fetched_is_counted(edge: RunningEdge) -> None:
    gate = edge.categories.behave = Gate(json_reply(extra=PUBLIC))
    clients = crowd(edge, 3)
    gate.is_open = True
    for client in clients:
        client.read_reply()

    assert outcomes(edge) == {"miss": 1, "shared": 2}


def test_what_is_for_one_alone_is_so_for_a_while() -> None:
    cache, forward = Cache(max_bytes=0, max_copy_bytes=0), reading()
    cache.note_unshared(key_of(forward), 100.0)

    assert cache.take_off(forward, 100.0 + UNSHARED_SECONDS - 0.1) is None
    assert cache.take_off(forward, 100.0 + UNSHARED_SECONDS) is not None


def test_of_what_is_for_one_alone_little_is_remembered() -> None:
    cache, forward = Cache(max_bytes=0, max_copy_bytes=0), reading()
    cache.note_unshared(key_of(forward), 100.0)
    for number in range(2000):
        cache.note_unshared((b"localhost:8000", b"/%d" % number), 100.0)

    assert cache.take_off(forward, 100.0) is not None


def reading() -> Forward:
    fields = [(b"Host", b"localhost:8000")]
    head = read_head(b"GET", "1.1", fields, is_upgrade=False)
    route = RouteTable().find(PATH)
    assert route is not None
    return Forward(route, Request(b"GET", PATH, "1.1", fields, is_upgrade=False), head)
