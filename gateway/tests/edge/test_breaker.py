"""A service that does not answer is left alone for a while, then tried again by one request."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import quantiles

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gateway.edge.breaker import Breaker
from gateway.edge.config import Limits
from gateway.edge.testing import QUICK, Behavior, RunningEdge, Seen, answer_json, json_reply, until

HOST = b"Host: localhost:8000\r\n"
WALLET = b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST
ADJUST = b"POST /api/v1/wallet/adjustments HTTP/1.1\r\n" + HOST
CATEGORIES = b"GET /api/v1/categories HTTP/1.1\r\n" + HOST + b"\r\n"
INDEX = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"

LIMITS = Limits(failures=3)
OPEN = 10.0


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(3, OPEN)


def fail(breaker: Breaker, times: int, now: float = 0.0) -> None:
    for number in range(times):
        breaker.note_failure(f"request {number}", breaker.answers, now)


def test_is_closed_at_first(breaker: Breaker) -> None:
    assert (breaker.is_open, breaker.permits("a", 0.0), breaker.seconds_left(0.0)) == (False, True, 0.0)


def test_opens_after_so_many_failures_in_a_row(breaker: Breaker) -> None:
    fail(breaker, 2)
    before = breaker.is_open
    fail(breaker, 1)

    assert (before, breaker.is_open) == (False, True)
    assert not breaker.permits("a", 1.0)


def test_one_answer_between_failures_begins_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.note_answer()
    fail(breaker, 2)

    assert not breaker.is_open


def test_a_request_that_others_have_overtaken_says_nothing(breaker: Breaker) -> None:
    answers = breaker.answers
    breaker.note_answer()
    for who in "abcd":
        breaker.note_failure(who, answers, 0.0)

    assert not breaker.is_open


def test_says_how_long_it_will_be_open(breaker: Breaker) -> None:
    fail(breaker, 3, now=5.0)

    assert breaker.seconds_left(8.0) == 7.0


def test_lets_one_request_try_again(breaker: Breaker) -> None:
    fail(breaker, 3)

    assert [breaker.permits(who, OPEN) for who in ("a", "b", "a")] == [True, False, True]
    assert breaker.seconds_left(OPEN) == 1.0


def test_an_answer_to_the_one_that_tries_closes_it(breaker: Breaker) -> None:
    fail(breaker, 3)
    breaker.permits("a", OPEN)
    breaker.note_answer()

    assert (breaker.is_open, breaker.permits("b", OPEN)) == (False, True)


def test_a_failure_of_the_one_that_tries_opens_it_again(breaker: Breaker) -> None:
    fail(breaker, 3)
    breaker.permits("a", OPEN)
    breaker.note_failure("a", breaker.answers, OPEN + 1)

    assert breaker.seconds_left(OPEN + 1) == OPEN


def test_a_late_failure_does_not_keep_it_open(breaker: Breaker) -> None:
    fail(breaker, 3)
    breaker.note_failure("late", breaker.answers, 9.0)
    permitted = breaker.permits("a", OPEN)
    breaker.note_failure("later", breaker.answers, OPEN)

    assert (permitted, breaker.permits("a", OPEN), breaker.seconds_left(OPEN)) == (True, True, 1.0)


def test_an_answer_to_a_request_from_before_closes_it(breaker: Breaker) -> None:
    fail(breaker, 3)
    breaker.note_answer()

    assert not breaker.is_open


def test_the_one_that_tries_may_leave_it_to_another(breaker: Breaker) -> None:
    fail(breaker, 3)
    breaker.permits("a", OPEN)
    breaker.leave("somebody")
    still_taken = not breaker.permits("b", OPEN)
    breaker.leave("a")

    assert (still_taken, breaker.permits("b", OPEN), breaker.is_open) == (True, True, True)


def test_another_service_begins_with_a_clean_sheet(breaker: Breaker) -> None:
    fail(breaker, 2)
    answers = breaker.answers
    breaker.reset()
    breaker.note_failure("of the old one", answers, 0.0)
    fail(breaker, 2)

    assert not breaker.is_open


# Over the wire


@pytest.fixture
def edge(start_edge: Callable[..., RunningEdge]) -> RunningEdge:
    """An edge whose service may fail three times, and is then left alone for as long as a test takes."""
    return start_edge(times=replace(QUICK, open=30.0), limits=LIMITS)


@pytest.fixture
def brief(start_edge: Callable[..., RunningEdge]) -> RunningEdge:
    """An edge that leaves a service alone for a moment."""
    return start_edge(limits=LIMITS)


async def close_at_once(seen: Seen) -> None:
    seen.writer.close()


async def answer_garbage(seen: Seen) -> None:
    seen.reply(b"EHLO\r\n\r\n")


async def answer_internal_error(seen: Seen) -> None:
    await seen.read_body()
    seen.reply(json_reply(b"{}", "500 Internal Server Error"))


def replying_late(seconds: float) -> Behavior:
    async def behave(seen: Seen) -> None:
        await asyncio.sleep(seconds)
        seen.reply(json_reply())

    return behave


def is_open(edge: RunningEdge, upstream: str = "wallet") -> bool:
    return edge.edge.shared.upstreams[upstream].breaker.is_open


def statuses(edge: RunningEdge, request: bytes, count: int) -> list[int]:
    return [edge.ask(request).status for _ in range(count)]


@pytest.mark.parametrize("behave", [close_at_once, answer_garbage])
def test_refuses_at_once_what_would_fail(edge: RunningEdge, bearer: bytes, behave: Behavior) -> None:
    edge.wallet.behave = behave
    failed = statuses(edge, ADJUST + bearer + b"\r\n", 3)
    heard = len(edge.wallet.seen)

    started_at = time.monotonic()
    reply = edge.ask(ADJUST + bearer + b"\r\n")

    assert time.monotonic() - started_at < 0.5
    assert failed == [502] * 3
    assert (reply.status, reply.json()["code"], reply.json()["service"]) == (503, "unavailable", "wallet")
    assert 20 < int(reply.field("retry-after") or 0) <= 30
    assert len(edge.wallet.seen) == heard == 3


def test_opens_when_nobody_listens(edge: RunningEdge, bearer: bytes) -> None:
    edge.run(edge.wallet.stop())

    assert statuses(edge, WALLET + bearer + b"\r\n", 4) == [502, 502, 502, 503]


@pytest.mark.case("E17")
def test_a_retry_counts_once(edge: RunningEdge, bearer: bytes) -> None:
    edge.wallet.behave = close_at_once

    assert statuses(edge, WALLET + bearer + b"\r\n", 4) == [502, 502, 502, 503]
    assert len(edge.wallet.seen) == 6


@pytest.mark.case("L1")
def test_a_service_that_hangs_slows_no_other_down(
    start_edge: Callable[..., RunningEdge], bearer: bytes
) -> None:
    edge = start_edge(times=replace(QUICK, total=0.5, open=30.0), limits=Limits(failures=5))
    edge.wallet.behave = lambda seen: asyncio.sleep(10)
    undisturbed = durations(edge, 100)
    hanging = [edge.client() for _ in range(5)]
    for client in hanging:
        client.send(WALLET + bearer + b"\r\n")

    disturbed = durations(edge, 100)

    assert quantiles(disturbed, n=100)[98] < quantiles(undisturbed, n=100)[98] + 0.2


def durations(edge: RunningEdge, count: int) -> list[float]:
    client, found = edge.client(), []
    for _ in range(count):
        started_at = time.monotonic()
        client.send(CATEGORIES)
        assert client.read_reply().status == 200
        found.append(time.monotonic() - started_at)
    return found


@pytest.mark.case("L1")
def test_a_service_that_hangs_is_given_up(
    start_edge: Callable[..., RunningEdge], bearer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge = start_edge(times=replace(QUICK, total=20.0, open=30.0), limits=Limits(failures=5))
    edge.wallet.behave = lambda seen: asyncio.sleep(10)
    impatient(edge, monkeypatch)
    clients = [edge.client() for _ in range(5)]
    for client in clients:
        client.send(WALLET + bearer + b"\r\n")
    hung = [client.read_reply().status for client in clients]

    assert hung == [504] * 5
    assert statuses(edge, WALLET + bearer + b"\r\n", 1) == [503]
    assert len(edge.wallet.seen) == 5
    assert statuses(edge, CATEGORIES, 1) == [200]


def impatient(edge: RunningEdge, monkeypatch: pytest.MonkeyPatch) -> None:
    # The routes' own time, 5 s, is more than a test should wait.
    monkeypatch.setattr(type(edge.edge.shared.rules.table.find(b"/")), "seconds_for", lambda *_: 0.3)


def test_says_so_in_the_figures(edge: RunningEdge, bearer: bytes) -> None:
    registry = CollectorRegistry()
    registry.register(edge.edge.shared.figures)
    edge.wallet.behave = close_at_once
    statuses(edge, ADJUST + bearer + b"\r\n", 3)

    text = generate_latest(registry).decode()

    assert 'mercato_breaker_open{lane="",upstream="wallet"} 1.0' in text
    assert 'mercato_breaker_open{lane="",upstream="banner"} 0.0' in text


def test_an_error_is_an_answer(edge: RunningEdge, bearer: bytes) -> None:
    edge.wallet.behave = answer_internal_error

    assert statuses(edge, WALLET + bearer + b"\r\n", 6) == [500] * 6


def test_an_answer_of_a_type_that_must_not_pass_is_an_answer(edge: RunningEdge, bearer: bytes) -> None:
    async def answer_page(seen: Seen) -> None:
        seen.reply(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx")

    edge.wallet.behave = answer_page

    assert statuses(edge, WALLET + bearer + b"\r\n", 5) == [502] * 5
    assert not is_open(edge)


def test_a_queue_is_no_failure(start_edge: Callable[..., RunningEdge], bearer: bytes) -> None:
    limits = replace(LIMITS, upstream_connections=1, queued=1)
    edge = start_edge(times=replace(QUICK, open=30.0), limits=limits)
    edge.wallet.behave = replying_late(1.4)
    busy = edge.client()
    busy.send(WALLET + bearer + b"\r\n")
    until(lambda: len(edge.wallet.seen) == 1)

    assert statuses(edge, WALLET + bearer + b"\r\n", 3) == [503] * 3
    assert (is_open(edge), busy.read_reply().status) == (False, 200)


def test_a_slow_client_is_no_failure(edge: RunningEdge, bearer: bytes) -> None:
    clients = [edge.client() for _ in range(4)]
    for client in clients:
        client.send(ADJUST + bearer + b"Content-Length: 100000\r\n\r\n" + b"a" * 80_000)

    assert [client.read_reply().status for client in clients] == [408] * 4
    assert not is_open(edge)


def test_a_long_body_that_a_service_does_not_read_is_no_failure(edge: RunningEdge, bearer: bytes) -> None:
    # The bytes that it leaves unread reset the connection, so that its answer is lost.
    edge.wallet.behave = close_at_once
    body = b"Content-Length: 20000\r\n\r\n" + b"a" * 20_000

    assert statuses(edge, ADJUST + bearer + body, 4) == [502] * 4
    assert not is_open(edge)


def test_a_client_that_leaves_is_no_failure(edge: RunningEdge, bearer: bytes) -> None:
    edge.wallet.behave = lambda seen: asyncio.sleep(10)
    for _ in range(4):
        leave(edge, WALLET + bearer + b"\r\n")

    assert not is_open(edge)


def leave(edge: RunningEdge, request: bytes) -> None:
    """Send a request, and reset the connection when the wallet has it."""
    heard = len(edge.wallet.seen)
    client = edge.client()
    client.send(request)
    until(lambda: len(edge.wallet.seen) > heard)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    until(lambda: edge.edge.shared.figures.connections == 0)


def test_a_service_that_answers_again_is_used_again(brief: RunningEdge, bearer: bytes) -> None:
    brief.wallet.behave = close_at_once
    refused = statuses(brief, ADJUST + bearer + b"\r\n", 4)
    brief.wallet.behave = answer_json
    time.sleep(0.5)

    assert refused == [502, 502, 502, 503]
    assert statuses(brief, ADJUST + bearer + b"\r\n", 5) == [200] * 5


def test_one_request_alone_tries(brief: RunningEdge, bearer: bytes) -> None:
    brief.wallet.behave = close_at_once
    statuses(brief, ADJUST + bearer + b"\r\n", 3)
    brief.wallet.behave = replying_late(0.3)
    time.sleep(0.5)
    first = brief.client()
    first.send(ADJUST + bearer + b"\r\n")
    until(lambda: len(brief.wallet.seen) == 4)

    others = statuses(brief, ADJUST + bearer + b"\r\n", 3)

    assert (others, first.read_reply().status) == ([503] * 3, 200)
    assert len(brief.wallet.seen) == 4


def test_one_that_tries_in_vain_keeps_it_open(brief: RunningEdge, bearer: bytes) -> None:
    brief.wallet.behave = close_at_once
    statuses(brief, ADJUST + bearer + b"\r\n", 3)
    time.sleep(0.5)

    assert statuses(brief, ADJUST + bearer + b"\r\n", 3) == [502, 503, 503]


def test_a_client_that_leaves_its_try_leaves_it_to_another(brief: RunningEdge, bearer: bytes) -> None:
    brief.wallet.behave = close_at_once
    statuses(brief, ADJUST + bearer + b"\r\n", 3)
    brief.wallet.behave = lambda seen: asyncio.sleep(10)
    time.sleep(0.5)
    leave(brief, ADJUST + bearer + b"\r\n")
    brief.wallet.behave = answer_json

    assert statuses(brief, ADJUST + bearer + b"\r\n", 2) == [200, 200]


def test_a_slow_body_does_not_keep_others_from_trying(brief: RunningEdge, bearer: bytes) -> None:
    brief.wallet.behave = close_at_once
    statuses(brief, ADJUST + bearer + b"\r\n", 3)
    brief.wallet.behave = answer_json
    time.sleep(0.5)
    slow = brief.client()
    slow.send(ADJUST + bearer + b"Content-Length: 10\r\n\r\n")
    time.sleep(0.1)

    assert statuses(brief, WALLET + bearer + b"\r\n", 1) == [200]


def test_a_body_is_not_waited_for_when_nobody_would_get_it(edge: RunningEdge, bearer: bytes) -> None:
    edge.wallet.behave = close_at_once
    statuses(edge, ADJUST + bearer + b"\r\n", 3)

    reply = edge.ask(ADJUST + bearer + b"Content-Length: 1000\r\n\r\n")

    assert (reply.status, reply.field("connection")) == (503, "close")


def test_what_is_kept_is_given_while_a_service_is_left_alone(
    start_edge: Callable[..., RunningEdge],
) -> None:
    async def answer_everybody(seen: Seen) -> None:
        lines = b"Cache-Control: public, max-age=0, stale-if-error=600\r\n"
        seen.reply(json_reply(extra=lines))

    edge = start_edge(times=replace(QUICK, open=30.0), limits=replace(LIMITS, failures=1))
    edge.categories.behave = answer_everybody
    kept = edge.ask(CATEGORIES).status
    edge.categories.behave = close_at_once

    assert (kept, *statuses(edge, CATEGORIES, 3)) == (200, 200, 200, 200)
    assert is_open(edge, "catalog_category")
    assert statuses(edge, CATEGORIES.replace(b"categories", b"categories/tree"), 1) == [503]


def test_who_waits_for_a_service_is_told_when_it_is_given_up(
    start_edge: Callable[..., RunningEdge], bearer: bytes
) -> None:
    async def close_later(seen: Seen) -> None:
        await asyncio.sleep(0.2)
        seen.writer.close()

    limits = replace(LIMITS, failures=1, upstream_connections=1)
    edge = start_edge(times=replace(QUICK, queue=5.0, open=30.0), limits=limits)
    edge.wallet.behave = close_later
    clients = [edge.client() for _ in range(4)]
    for client in clients:
        client.send(ADJUST + bearer + b"\r\n")

    assert sorted(client.read_reply().status for client in clients) == [502, 503, 503, 503]
    assert len(edge.wallet.seen) == 1


def test_questions_to_the_web_count(edge: RunningEdge, issuer_tokens: Callable[[], bytes]) -> None:
    edge.web.behave = close_at_once
    asked = [edge.ask(WALLET + issuer_tokens() + b"\r\n") for _ in range(4)]

    assert [reply.json()["service"] for reply in asked] == ["gateway"] * 4
    assert int(asked[3].field("retry-after") or 0) > 20
    assert len(edge.web.seen) == 6
    assert edge.ask(INDEX).status == 503


def test_a_web_that_is_away_is_not_waited_for(start_edge: Callable[..., RunningEdge], bearer: bytes) -> None:
    edge = start_edge(times=replace(QUICK, ask=20.0, total=20.0))
    edge.run(edge.web.stop())

    assert statuses(edge, WALLET + bearer + b"\r\n", 1) == [503]


def test_an_answer_to_a_question_closes_it(brief: RunningEdge, issuer_tokens: Callable[[], bytes]) -> None:
    brief.web.behave = close_at_once
    for _ in range(3):
        brief.ask(WALLET + issuer_tokens() + b"\r\n")
    was_open = is_open(brief, "web")
    brief.web.behave = brief.mint_answer
    time.sleep(0.5)

    assert brief.ask(WALLET + issuer_tokens() + b"\r\n").status == 200
    assert (was_open, is_open(brief, "web")) == (True, False)


@pytest.fixture
def issuer_tokens(edge: RunningEdge) -> Callable[[], bytes]:
    """Makes the header line of a token that nobody has shown before."""
    return lambda: b"Authorization: Bearer %b\r\n" % edge.issuer.mint().encode()


def test_a_service_that_is_replaced_is_another_one(edge: RunningEdge, bearer: bytes) -> None:
    edge.wallet.behave = close_at_once
    statuses(edge, ADJUST + bearer + b"\r\n", 3)
    was_open = is_open(edge)
    edge.wallet.behave = answer_json
    pool = edge.edge.shared.upstreams["wallet"]
    edge.run(call(lambda: pool.hold(edge.edge.shared.loop.time() + 5)))
    edge.run(call(pool.resume))

    assert was_open
    assert statuses(edge, ADJUST + bearer + b"\r\n", 1) == [200]


def test_what_fails_while_a_service_is_replaced_says_nothing(edge: RunningEdge, bearer: bytes) -> None:
    pool = edge.edge.shared.upstreams["wallet"]
    edge.run(call(lambda: pool.hold(edge.edge.shared.loop.time() + 5)))
    edge.run(call(pool.resume))
    edge.wallet.behave = close_at_once

    assert statuses(edge, ADJUST + bearer + b"\r\n", 3) == [502] * 3
    assert not is_open(edge)


async def call(what: Callable[[], None]) -> None:
    what()
