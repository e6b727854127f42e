"""Clients on the wire: framing, order, limits, time."""

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.edge.config import Limits, Times
from gateway.edge.rehearsal import Rehearsal, roomy
from gateway.edge.testing import QUICK, ROOMY, Issuer, RawClient, RunningEdge, Seen, json_reply, until

HOST = b"Host: localhost:8000\r\n"
INDEX = b"GET / HTTP/1.1\r\n" + HOST
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST
WALLET = b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST
CATEGORIES = b"GET /api/v1/categories HTTP/1.1\r\n" + HOST
ADJUST = b"POST /api/v1/wallet/adjustments HTTP/1.1\r\n" + HOST

SMUGGLED = b"GET /.well-known/smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = LOGIN + b"Transfer-Encoding: chunked\r\n"

UNSAFE = {
    "CL.TE": (LOGIN + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "TE.CL": (CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "TE.TE": (CHUNKED + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "gzip, chunked": (LOGIN + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 501),
    "xchunked": (LOGIN + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 501),
    "space before colon": (LOGIN + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "two lengths": (LOGIN + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab" + SMUGGLED, 400),
    "signed length": (LOGIN + b"Content-Length: +2\r\n\r\n{}" + SMUGGLED, 400),
    "chunks on 1.0": (CHUNKED.replace(b"1.1", b"1.0") + b"\r\n0\r\n\r\n" + SMUGGLED, 400),
    "length on GET": (INDEX + b"Content-Length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED, 400),
    "chunks on GET": (INDEX + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "LF in a chunk": (CHUNKED + b"\r\n2\n{}\r\n0\r\n\r\n" + SMUGGLED, 400),
    "LF in a chunk extension": (CHUNKED + b"\r\n2;a\n{}\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a chunk too long": (CHUNKED + b"\r\n2\r\n{}x\r\n0\r\n\r\n" + SMUGGLED, 400),
    "a chunk too long, before closing": (
        CHUNKED + b"Connection: close\r\n\r\n2\r\n{}x\r\n0\r\n\r\n" + SMUGGLED,
        400,
    ),
    "bare LF": (INDEX + b"A: b\nC: d\r\n\r\n" + SMUGGLED, 400),
    "bare CR": (INDEX + b"A: b\rC: d\r\n\r\n" + SMUGGLED, 400),
    "obs-fold": (INDEX + b"A: b\r\n c\r\n\r\n" + SMUGGLED, 400),
    "NUL": (INDEX + b"A: \0\r\n\r\n" + SMUGGLED, 400),
    "upgrade with a body": (
        LOGIN
        + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
        + SMUGGLED,
        400,
    ),
    "CONNECT": (b"CONNECT evil:80 HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED, 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED, 400),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n" + SMUGGLED, 505),
    "HTTP/0.9": (b"GET /\r\n\r\n" + SMUGGLED, 505),
    "underscore": (INDEX + b"X_A: b\r\n\r\n" + SMUGGLED, 400),
    "two Hosts": (INDEX + HOST + b"\r\n" + SMUGGLED, 400),
    "two Authorizations": (WALLET + b"Authorization: a\r\nAuthorization: b\r\n\r\n" + SMUGGLED, 400),
    "300 headers": (INDEX + b"A: b\r\n" * 300 + b"\r\n" + SMUGGLED, 431),
    "a header of 20 kB": (INDEX + b"A: " + b"b" * 20_000 + b"\r\n\r\n" + SMUGGLED, 431),
    "a header of 2 MB": (INDEX + b"A: " + b"b" * 2_000_000 + b"\r\n\r\n" + SMUGGLED, 431),
    "a target of 10 kB": (b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED, 414),
    "a target of 2 MB": (b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED, 414),
    "a long body": (LOGIN + b"Content-Length: 104857600\r\n\r\n" + b"a" * 100_000, 413),
    "a long chunked body": (CHUNKED + b"\r\n" + b"1000\r\n" + b"a" * 4096 + b"\r\n" * 1, 408),
}


@pytest.mark.parametrize(("data", "status"), UNSAFE.values(), ids=UNSAFE.keys())
def test_refuses_and_closes_without_serving_what_follows(edge: RunningEdge, data: bytes, status: int) -> None:
    client = edge.client()
    client.send(data)

    reply = client.read_reply()

    assert reply.status == status
    assert reply.field("content-type") == "application/problem+json"
    assert reply.json()["request_id"] == reply.field("x-request-id")
    assert client.is_closed()
    assert edge.web.seen + edge.wallet.seen == []


@pytest.mark.case("G11")
def test_a_chunked_body_over_the_limit_is_refused_while_it_comes(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(CHUNKED + b"\r\n" + b"1000\r\n%b\r\n" % (b"a" * 4096) * 5)

    reply = client.read_reply()

    assert (reply.status, reply.json()["code"]) == (413, "content-too-large")
    assert edge.web.seen == []


def test_answers_pipelined_requests_in_order(edge: RunningEdge, bearer: bytes) -> None:
    async def answer_slowly(seen: Seen) -> None:
        await seen.read_body()
        edge.wallet.behave = edge.web.behave
        edge.edge.shared.loop.call_later(0.1, seen.reply, json_reply(b'"slow"'))

    edge.wallet.behave = answer_slowly
    client = edge.client()
    client.send(WALLET + bearer + b"\r\n" + INDEX + b"\r\n" + b"GET /x HTTP/1.1\r\n" + HOST + b"\r\n")

    replies = [client.read_reply(), client.read_reply(), client.read_reply()]

    assert [reply.status for reply in replies] == [200, 200, 404]
    assert replies[0].body == b'"slow"'


def test_closes_after_more_pipelined_requests_than_it_queues(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=Limits(pipelined=4))
    client = edge.client()
    client.send((INDEX + b"\r\n") * 50)

    assert client.read_all().count(b"HTTP/1.1 200 OK") == 4


def test_a_request_may_come_byte_by_byte(edge: RunningEdge) -> None:
    client = edge.client()
    for byte in LOGIN + b"Content-Length: 2\r\n\r\n{}":
        client.send(bytes([byte]))

    assert client.read_reply().status == 200
    assert edge.web.seen[0].body == b"{}"


def test_keeps_the_connection_after_a_refusal(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(b"GET /nothing HTTP/1.1\r\n" + HOST + b"\r\n")

    assert client.read_reply().status == 404
    client.send(INDEX + b"\r\n")
    assert client.read_reply().status == 200


@pytest.mark.parametrize("line", [b"Connection: close\r\n", b"Proxy-Connection: close\r\n"])
def test_closes_when_asked_to(edge: RunningEdge, line: bytes) -> None:
    client = edge.client()
    client.send(INDEX + line + b"\r\n")

    assert client.read_reply().field("connection") == "close"
    assert client.is_closed()


def test_closes_after_http_1_0(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(INDEX.replace(b"1.1", b"1.0") + b"Connection: keep-alive\r\n\r\n")

    assert client.read_reply().field("connection") == "close"
    assert client.is_closed()


def test_answers_a_client_that_has_closed_its_half(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(INDEX + b"\r\n")
    client.socket.shutdown(1)

    assert client.read_reply().status == 200
    assert client.is_closed()


def test_ignores_an_upgrade(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(INDEX + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + INDEX + b"\r\n")

    assert [client.read_reply().status, client.read_reply().status] == [200, 200]
    assert edge.web.seen[0].values("upgrade") == []


def test_head_has_the_length_and_no_body(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(b"HEAD /nothing HTTP/1.1\r\n" + HOST + b"\r\n" + INDEX + b"\r\n")

    reply = client.read_reply(is_head=True)

    assert reply.status == 404
    assert int(reply.field("content-length") or 0) > 0
    assert client.read_reply().status == 200


def test_continues_when_the_body_is_wanted(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(LOGIN + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")

    assert client.read_reply().status == 100
    client.send(b"{}")
    assert client.read_reply().status == 200
    assert edge.web.seen[0].values("expect") == []


@pytest.mark.case("G10")
def test_does_not_continue_when_the_body_is_refused(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(ADJUST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")

    assert client.read_reply().status == 401
    assert client.is_closed()


def test_trailers_are_dropped(edge: RunningEdge) -> None:
    reply = edge.ask(CHUNKED + b"\r\n2\r\n{}\r\n0\r\nX-Edge-Key: evil\r\nAuthorization: evil\r\n\r\n")

    assert reply.status == 200
    assert edge.web.seen[0].body == b"{}"
    assert b"evil" not in edge.web.seen[0].head


@pytest.mark.case("G10")
def test_a_slow_head_is_timed_out(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(INDEX)

    reply = client.read_reply()

    assert (reply.status, reply.json()["code"]) == (408, "request-timeout")
    assert client.is_closed()


@pytest.mark.case("G10")
def test_a_head_that_drips_is_timed_out(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(INDEX)
    started_at = time.monotonic()
    client.socket.settimeout(0.05)

    status = _drip(client, b"A: b\r\n")

    assert status == 408
    assert time.monotonic() - started_at < 1.5


def test_a_slow_head_right_behind_a_request_is_timed_out(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(times=replace(QUICK, idle=4.0))
    client = edge.client()
    started_at = time.monotonic()
    client.send(b"GET /livez HTTP/1.1\r\n\r\nGET /livez HTTP/1.1\r\nHost")

    statuses = [client.read_reply().status, client.read_reply().status]

    assert statuses == [200, 408]
    assert time.monotonic() - started_at < 2


def _drip(client: RawClient, piece: bytes) -> int:
    while True:
        try:
            return client.read_reply().status
        except TimeoutError:
            client.send(piece)


@pytest.mark.case("G10")
def test_a_slow_body_is_timed_out_and_no_service_hears_of_it(edge: RunningEdge) -> None:
    client = edge.client()
    client.send(LOGIN + b"Content-Length: 10\r\n\r\n{")

    assert client.read_reply().status == 408
    assert edge.web.seen == []


def test_an_idle_connection_is_closed(edge: RunningEdge) -> None:
    client = edge.client()

    assert client.is_closed()


def test_a_refused_client_may_go_on_sending_only_so_much(issuer: Issuer) -> None:
    with Rehearsal(issuer, times=Times(), limits=roomy()) as rehearsal:
        client = rehearsal.connect()
        rehearsal.do(client.feed, b"garbage\r\n\r\n")
        has_said_no = client.sent.startswith(b"HTTP/1.1 400 ") and client.has_sent_eof

        rehearsal.do(client.feed, b"a" * 4 * 1024 * 1024)
        was_lost = client.is_lost
        rehearsal.do(client.feed, b"a")

        assert (has_said_no, was_lost, client.is_lost) == (True, False, True)


@pytest.mark.case("G10")
def test_other_clients_are_served_meanwhile(edge: RunningEdge) -> None:
    stuck = [edge.client() for _ in range(50)]
    for client in stuck:
        client.send(LOGIN + b"Content-Length: 10\r\n\r\n{")

    assert edge.ask(INDEX + b"\r\n").status == 200


def test_refuses_connections_over_the_limit(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=Limits(connections=2))
    first, second = edge.client(), edge.client()
    first.send(INDEX + b"\r\n")
    first.read_reply()
    second.send(INDEX + b"\r\n")
    second.read_reply()

    reply = edge.client().read_reply()

    assert (reply.status, reply.json()["code"]) == (503, "unavailable")


def test_refuses_connections_of_one_address_over_its_limit(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=replace(ROOMY, connections_per_address=1), people_per_address=2)
    clients = [edge.client(), edge.client()]
    for client in clients:
        client.send(INDEX + b"\r\n")
        assert client.read_reply().status == 200

    third = edge.client()
    refused = third.read_reply()
    other = edge.client(address="127.0.0.2")
    other.send(INDEX + b"\r\n")

    assert (refused.status, refused.json()["code"]) == (503, "unavailable")
    assert third.is_closed()
    assert other.read_reply().status == 200
    for client in (*clients, third, other):
        client.close()
    until(lambda: not edge.edge.shared.clients)
    assert edge.ask(INDEX + b"\r\n").status == 200


def test_one_address_keeps_no_places_by_being_refused(start_edge: Callable[..., RunningEdge]) -> None:
    limits = replace(ROOMY, connections_per_address=2)
    edge = start_edge(times=replace(QUICK, linger=5.0), limits=limits)
    clients = [edge.client() for _ in range(20)]
    until(lambda: len(edge.edge.shared.clients) == 4)

    other = edge.client(address="127.0.0.2")
    other.send(INDEX + b"\r\n")

    assert other.read_reply().status == 200
    assert [client.is_closed() for client in clients[4:]] == [True] * 16


def test_a_proxy_in_front_may_have_all_connections(start_edge: Callable[..., RunningEdge]) -> None:
    edge = start_edge(limits=replace(ROOMY, connections_per_address=1), trusted_proxies=1)
    clients = [edge.client() for _ in range(5)]
    for client in clients:
        client.send(INDEX + b"X-Forwarded-For: 192.0.2.1\r\n\r\n")

    assert [client.read_reply().status for client in clients] == [200] * 5


def test_keeps_a_sound_request_id(edge: RunningEdge) -> None:
    reply = edge.ask(INDEX + b"X-Request-ID: abc-123.DEF\r\n\r\n")

    assert reply.field("x-request-id") == "abc-123.DEF"
    assert edge.web.seen[0].values("x-request-id") == ["abc-123.DEF"]


@pytest.mark.case("F6")
@pytest.mark.parametrize(
    "value", [b"short", b"a" * 10_000, b"\x1b[31mred-letters", b"with space", b'"quoted"']
)
def test_replaces_an_unsound_request_id(edge: RunningEdge, value: bytes) -> None:
    reply = edge.ask(CATEGORIES + b"X-Request-ID: %b\r\n\r\n" % value)

    assert all(seen.head == edge.head_for(reply, "GET /api/v1/categories") for seen in edge.arrived)
    assert reply.field("x-request-id") != value.decode()


def test_reports_that_it_is_alive_and_ready(edge: RunningEdge) -> None:
    assert edge.ask(b"GET /livez HTTP/1.1\r\nHost: 10.0.0.7\r\n\r\n").json() == {"status": "ok"}
    assert edge.ask(b"GET /readyz HTTP/1.1\r\nHost: 10.0.0.7\r\n\r\n").status == 200


@pytest.mark.case("L2")
def test_draining_finishes_what_is_under_way(edge: RunningEdge, bearer: bytes) -> None:
    async def answer_later(seen: Seen) -> None:
        edge.edge.shared.loop.call_later(0.3, seen.reply, json_reply())

    edge.wallet.behave = answer_later
    busy, idle = edge.client(), edge.client()
    busy.send(WALLET + bearer + b"\r\n")
    idle.send(INDEX + b"\r\n")
    idle.read_reply()

    draining = edge.begin(edge.edge.drain())
    until(lambda: edge.edge.shared.is_draining)
    idle.send(b"GET /readyz HTTP/1.1\r\n\r\n")

    assert idle.read_reply().status == 503
    reply = busy.read_reply()
    (seen,) = edge.wallet.seen
    assert reply.field("connection") == "close"
    assert seen.head == edge.head_for(reply, "GET /api/v1/wallet", own=edge.token_line)
    draining.result(5)
    with pytest.raises(ConnectionRefusedError):
        edge.client()


def test_draining_answers_who_comes_within_a_moment(edge: RunningEdge) -> None:
    idle = edge.client()
    idle.send(INDEX + b"\r\n")
    idle.read_reply()
    draining = edge.begin(edge.edge.drain())
    time.sleep(0.2)

    idle.send(INDEX + b"\r\n")

    reply = idle.read_reply()
    assert (reply.status, reply.field("connection")) == (200, "close")
    draining.result(5)


def test_who_waits_to_be_accepted_is_served_by_an_edge_that_retires(edge: RunningEdge) -> None:
    async def retire() -> RawClient:
        client = edge.client()  # The kernel connects it, while the loop stands still here.
        client.send(INDEX + b"\r\n")
        edge.edge.retire()
        return client

    assert edge.run(retire()).read_reply().status == 200


def test_draining_waits_no_longer_for_one_whose_answer_had_begun(
    start_edge: Callable[..., RunningEdge], bearer: bytes
) -> None:
    edge = start_edge(times=replace(QUICK, idle=75.0, drain=20.0))

    async def answer_in_two(seen: Seen) -> None:
        reply = json_reply()
        seen.reply(reply[:-1])
        edge.edge.shared.loop.call_later(0.2, seen.reply, reply[-1:])

    edge.wallet.behave = answer_in_two
    client = edge.client()
    client.send(WALLET + bearer + b"\r\n")
    until(lambda: bool(edge.wallet.seen))
    time.sleep(0.05)
    draining = edge.begin(edge.edge.drain())

    assert client.read_reply().field("connection") is None
    draining.result(5)


@pytest.mark.case("D3", "D8")
def test_logs_each_request_without_query_or_token(edge: RunningEdge, issuer: Issuer) -> None:
    token = issuer.mint()
    query = b"GET /api/v1/wallet?access_token=%b HTTP/1.1\r\n" % token.encode()
    edge.ask(query + HOST + b"Authorization: Bearer %b\r\n\r\n" % token.encode())

    edge.edge.shared.journal.flush()

    line = edge.log.getvalue().decode()
    assert '"path":"/api/v1/wallet","route":"/api/v1/wallet","status":200' in line
    assert token.split(".")[0] not in line


def test_counts_requests_for_prometheus(edge: RunningEdge) -> None:
    edge.ask(INDEX + b"\r\n")

    families = {family.name: family for family in edge.edge.shared.figures.collect()}

    samples = families["mercato_http_requests"].samples
    labels = {"method": "GET", "route": "/", "status": "200"}
    assert [(sample.labels, sample.value) for sample in samples] == [(labels, 1)]
    assert families["mercato_http_requests_in_flight"].samples[0].value == 0
    calls = {
        tuple(sample.labels.values()): sample.value for sample in families["mercato_upstream_calls"].samples
    }
    assert calls["web", "answered"] == 1
    assert sum(calls.values()) == 1


def test_a_malformed_body_is_answered_alike_however_it_comes(edge: RunningEdge) -> None:
    request = CHUNKED + b"X-Request-ID: abc-123.DEF\r\n\r\n"
    at_once = edge.ask(request + b"2\r\n{}x\r\n0\r\n\r\n")
    client = edge.client()
    client.send(request)
    time.sleep(0.1)
    client.send(b"2\r\n{}x\r\n0\r\n\r\n")

    assert at_once.status == 400
    assert (at_once.field("x-request-id"), at_once.body) == ("abc-123.DEF", client.read_reply().body)
