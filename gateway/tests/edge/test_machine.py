"""Any order of events on either side gives one answer to one request. No sockets, and the test's own time."""

import json
import os
import re
import time
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from gateway.edge.config import Times
from gateway.edge.rehearsal import DIALING, Answer, Rehearsal, Wire, read_answers, roomy
from gateway.edge.testing import SUBJECT, Issuer

HOST = b"Host: localhost:8000\r\n"
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\n" + HOST
PATIENT = Times(head=1e6, body=1e6, idle=1e6, write=1e6, total=1e6, ask=1e6, queue=1e6, tick=0.5)
HASTY = replace(Times(), tick=0.5)
SMALL = roomy(collected=16)
# More by command, as the README says.
EXAMPLES = int(os.environ.get("MERCATO_TEST_EXAMPLES", "200"))

# What a client may ask. Each has an id of its own at {id}, which its answer must have too.
REQUESTS = {
    "page": b"GET / HTTP/1.1\r\n" + HOST + b"{id}\r\n",
    "head": b"HEAD / HTTP/1.1\r\n" + HOST + b"{id}\r\n",
    "post": LOGIN + b'{id}Content-Length: 8\r\n\r\n"123456"',
    "streamed": LOGIN + b'{id}Content-Length: 42\r\n\r\n"%b"' % (b"s" * 40),
    "chunked": LOGIN + b'{id}Transfer-Encoding: chunked\r\n\r\n1\r\n"\r\n2;a=b\r\na"\r\n0\r\nX: y\r\n\r\n',
    "expecting": LOGIN + b"{id}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    "wallet": b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST + b"{id}{bearer}\r\n",
    "nowhere": b"GET /nowhere HTTP/1.1\r\n" + HOST + b"{id}\r\n",
    "not canonical": b"GET /c/../p HTTP/1.1\r\n" + HOST + b"{id}\r\n",
    "alive": b"GET /livez HTTP/1.1\r\n{id}\r\n",
    "upgrade": b"GET / HTTP/1.1\r\n" + HOST + b"{id}Connection: upgrade\r\nUpgrade: h2c\r\n\r\n",
}
# After these nothing more is read.
LAST = {
    "nothing": b"",
    "closing": b"GET / HTTP/1.1\r\n" + HOST + b"{id}Connection: close\r\n\r\n",
    "old": b"GET / HTTP/1.0\r\n" + HOST + b"{id}\r\n",
    "garbage": b"\0\0\0\0\r\n\r\n",
    "two lengths": LOGIN + b"{id}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "both": LOGIN + b"{id}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
    "underscore": b"GET / HTTP/1.1\r\n" + HOST + b"{id}A_B: c\r\n\r\n",
    "bad chunk": LOGIN + b"{id}Transfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n0\r\n\r\n",
    "no token": b"POST /api/v1/wallet HTTP/1.1\r\n" + HOST + b"{id}Content-Length: 2\r\n\r\n{}",
}
NOT_LAST = {"nothing", "no token"}
"""But after these, when they came whole."""

HIDDEN = b"GET /.well-known/hidden HTTP/1.1\r\n" + HOST + b"\r\n"

# How an upstream answers. {body} names the request.
REPLIES = {
    "sized": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n{body}",
    "chunked": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"{hex}\r\n{body}\r\n0\r\nX: y\r\n\r\n",
    "until the end": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{body}",
    "interim": b"HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\nHTTP/1.1 404 Not Found\r\n"
    b"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n{body}",
    "empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "closing": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Content-Length: {size}\r\n\r\n{body}",
    "foreign type": b"HTTP/1.1 200 OK\r\nContent-Type: text/html; x\r\nContent-Length: {size}\r\n\r\n{body}",
}


class Service:
    """The other end of a dialed wire: understands the requests that come whole, and how to answer each."""

    def __init__(self, stage: "Stage", wire: Wire) -> None:
        self.wire = wire
        self.replies = bytearray()
        self.ends_after = False
        self._stage = stage
        self._read = 0

    def look(self) -> None:
        """Read what has come."""
        while not self.wire.is_lost:
            head, mark, rest = bytes(self.wire.sent[self._read :]).partition(b"\r\n\r\n")
            lengths = re.findall(rb"\r\ncontent-length: (\d+)", head)
            length = int(lengths[0]) if lengths else 0
            if not mark or len(rest) < length:
                return
            self._read += len(head) + 4 + length
            self._answer(head, rest[:length])

    def take(self, size: int) -> None:
        """Send some of what there is to be sent."""
        data = bytes(self.replies[:size])
        del self.replies[:size]
        if data:
            self.wire.feed(data)
        if self.ends_after and not self.replies:
            self.wire.feed_eof()

    def _answer(self, head: bytes, body: bytes) -> None:
        assert re.fullmatch(rb"(?:GET|HEAD|POST) /[^ ]* HTTP/1\.1(?:\r\n[a-z0-9-]+: [ -~]*)+", head), head
        assert b"hidden" not in head
        (request_id,) = re.findall(rb"\r\nx-request-id: (.*?)(?:\r\n|$)", head)
        if head.startswith(b"POST /internal/token "):
            self.replies += self._stage.mint(body)
            return
        self._stage.served.append((head.split(b" ")[0], request_id, body))
        kind = self._stage.kinds.get(request_id, "sized")
        said = b'"to %b"' % request_id
        reply = REPLIES[kind].replace(b"{size}", b"%d" % len(said))
        if head.startswith(b"HEAD "):
            self.replies += reply.partition(b"{hex}")[0].replace(b"{body}", b"")
        else:
            self.replies += reply.replace(b"{hex}", b"%x" % len(said)).replace(b"{body}", said)
        self.ends_after |= kind in {"until the end", "closing"}


@dataclass
class Stage:
    """An edge, its services and how they answer by the id of a request."""

    rehearsal: Rehearsal
    issuer: Issuer
    kinds: dict[bytes, str] = field(default_factory=dict)
    served: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    services: dict[int, Service] = field(default_factory=dict)

    def look(self) -> list[Service]:
        """What is dialed, having read what has come."""
        for wire in self.rehearsal.loop.dialed:
            if id(wire) not in self.services:
                self.services[id(wire)] = Service(self, wire)
            self.services[id(wire)].look()
        return [service for service in self.services.values() if not service.wire.is_lost]

    def mint(self, question: bytes) -> bytes:
        expires_at = int(time.time()) + 120
        token = self.issuer.mint(aud=json.loads(question)["audience"], exp=expires_at)
        answer = json.dumps({"token": token, "exp": expires_at, "sub": SUBJECT}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer)


class Play(NamedTuple):
    """What a client sends: names of REQUESTS with how the service answers each, and one of LAST."""

    asked: tuple[tuple[str, str], ...]
    last: str

    def data(self, bearer: bytes) -> bytes:
        names = [REQUESTS[name] for name, _ in self.asked] + [LAST[self.last]]
        data = b"".join(filled_in(data, id_of(i), bearer) for i, data in enumerate(names))
        return data if self.last in NOT_LAST else data + HIDDEN

    @property
    def methods(self) -> list[bytes]:
        return [REQUESTS[name].split(b" ")[0] for name, _ in self.asked]


def filled_in(data: bytes, request_id: bytes, bearer: bytes) -> bytes:
    return data.replace(b"{id}", b"X-Request-ID: %b\r\n" % request_id).replace(b"{bearer}", bearer)


def id_of(number: int) -> bytes:
    return b"request-%d" % number


QUIRKS = ("choke", "relieve", "hold", "let go", "wait")

# An event: what, and how much of it or of which.
events = st.lists(
    st.tuples(
        st.sampled_from(["client", "client", "service", "service", *QUIRKS]),
        st.one_of(st.integers(1, 4), st.integers(1, 300)),
    ),
    max_size=60,
)
names = st.sampled_from(sorted((REQUESTS | LAST).keys() - {"nothing"}))
kinds = st.sampled_from(sorted(REPLIES))
asked = st.lists(st.tuples(st.sampled_from(sorted(REQUESTS)), kinds), min_size=1, max_size=5)
plays = st.builds(Play, asked.map(tuple), st.sampled_from(sorted(LAST)))


def perform(issuer: Issuer, play: Play, bearer: bytes, plan: list[tuple[str, int]]) -> list[Answer]:
    """The answers to a play in which the events of the plan come first, and then all the rest in order."""
    with Rehearsal(issuer, times=PATIENT, limits=SMALL) as rehearsal:
        stage = Stage(rehearsal, issuer, kinds={id_of(i): kind for i, (_, kind) in enumerate(play.asked)})
        client = rehearsal.connect()
        data = bytearray(play.data(bearer))
        for what, number in [*plan, ("relieve", 0), ("let go", 0), ("client", len(data))]:
            happen(stage, client, data, what, number)
            assert rehearsal.errors == []
        finish(stage)
        found = read_answers(bytes(client.sent), methods=play.methods, is_ended=True)
        rehearsal.do(client.lose)
        assert rehearsal.left_over() == {}
        assert rehearsal.errors == []
    return found


def happen(stage: Stage, client: Wire, data: bytearray, what: str, number: int) -> None:
    rehearsal, services = stage.rehearsal, stage.look()
    service = services[number % len(services)] if services else None
    if what == "client":
        rehearsal.do(client.feed, bytes(data[:number]))
        del data[:number]
    elif what == "service" and service is not None:
        rehearsal.do(service.take, number)
    elif what == "choke":
        rehearsal.do(client.choke)
    elif what == "relieve":
        rehearsal.do(client.relieve)
    elif what == "hold" and service is not None:
        rehearsal.do(service.wire.choke)
    elif what == "let go":
        for each in services:
            rehearsal.do(each.wire.relieve)
    elif what == "wait":
        rehearsal.pass_time(0.06)  # All of them: less than a route waits.


def finish(stage: Stage) -> None:
    """Let the services say all they have to say."""
    for _ in range(200):
        waiting = [service for service in stage.look() if service.replies or service.ends_after]
        if not waiting:
            return
        for service in waiting:
            stage.rehearsal.do(service.wire.relieve)
            stage.rehearsal.do(service.take, len(service.replies))
    raise AssertionError("it never ends")


@pytest.fixture(scope="module")
def bearer(issuer: Issuer) -> bytes:
    return b"Authorization: Bearer %b\r\n" % issuer.mint().encode()


_MAY_DIFFER = (b"connection: close", b"ratelimit: ", b"ratelimit-policy: ")


def essence(found: list[Answer]) -> list[object]:
    """What may not differ. Ids that the edge made up do, and what is left of a limit, which depends on the
    time, and is not told where a body is malformed at once, for that is not counted; and an answer to half a
    request closes.
    """
    made_up = re.compile(rb"[0-9a-f]{32}")
    return [
        (
            answer.status,
            tuple(made_up.sub(b"", line) for line in answer.fields if not line.startswith(_MAY_DIFFER)),
            made_up.sub(b"", answer.body),
            answer.is_whole,
        )
        for answer in found
    ]


@pytest.mark.case("G7", "G10")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(play=plays, plan=events)
def test_any_order_gives_the_answers_of_one_piece(
    issuer: Issuer, bearer: bytes, play: Play, plan: list[tuple[str, int]]
) -> None:
    note(str(play) + str(plan))
    whole = perform(issuer, play, bearer, [])
    found = perform(issuer, play, bearer, plan)

    assert essence(found) == essence(whole)
    assert [answer.id for answer in found][: len(play.asked)] == [id_of(i) for i in range(len(play.asked))]


GARBAGE = {
    "not http": b"garbage\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "endless interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 3000,
    "both": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc",
    "too long": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcdefgh",
    "too short": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nabcdefgh",
    "many fields": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000,
    "two": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
    "a line in a field": b"HTTP/1.1 200 OK\r\nA: b\nSet-Cookie: c\r\nContent-Length: 1\r\n\r\na",
    "http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


class EdgeMachine(RuleBasedStateMachine):
    """Clients and services that do anything at any time."""

    clients = Bundle("clients")
    issuer: Issuer
    bearer: bytes

    def __init__(self) -> None:
        super().__init__()
        limits = replace(SMALL, upstream_connections=2, queued=3)
        self.rehearsal = Rehearsal(self.issuer, times=HASTY, limits=limits)
        self.stage = Stage(self.rehearsal, self.issuer)
        self.asked: dict[int, list[tuple[bytes, bytes]]] = {}
        self.unsent: dict[int, bytearray] = {}
        self.wires: list[Wire] = []
        self.poisoned: set[int] = set()
        self.count = 0

    @rule(target=clients)
    def connect(self) -> Wire:
        wire = self.rehearsal.connect()
        self.wires.append(wire)
        self.asked[id(wire)], self.unsent[id(wire)] = [], bytearray()
        return wire

    @rule(client=clients, name=names, kind=kinds)
    def ask(self, client: Wire, name: str, kind: str) -> None:
        data = (REQUESTS | LAST)[name]
        request_id = id_of(self.count)
        self.count += 1
        self.asked[id(client)].append((data.split(b" ")[0], request_id))
        self.stage.kinds[request_id] = kind
        self.unsent[id(client)] += filled_in(data, request_id, self.bearer)
        self.unsent[id(client)] += HIDDEN if name in LAST and name not in NOT_LAST else b""

    @rule(client=clients, size=st.one_of(st.integers(1, 20), st.just(10_000)))
    def send(self, client: Wire, size: int) -> None:
        unsent = self.unsent[id(client)]
        self.rehearsal.do(client.feed, bytes(unsent[:size]))
        del unsent[:size]

    @rule(client=clients, what=st.sampled_from(["feed_eof", "lose", "choke", "relieve"]))
    def disturb(self, client: Wire, what: str) -> None:
        if what == "feed_eof":
            self.unsent[id(client)].clear()
        self.rehearsal.do(getattr(client, what))

    @rule(number=st.integers(0, 9), size=st.one_of(st.integers(1, 40), st.just(10_000)))
    def reply(self, number: int, size: int) -> None:
        if service := self.service(number):
            self.rehearsal.do(service.take, size)

    @rule(number=st.integers(0, 9), data=st.sampled_from(sorted(GARBAGE)))
    def misbehave(self, number: int, data: str) -> None:
        if service := self.service(number):
            self.poisoned.add(id(service.wire))
            self.rehearsal.do(service.wire.feed, GARBAGE[data])

    @rule(number=st.integers(0, 9), what=st.sampled_from(["feed_eof", "lose", "choke", "relieve"]))
    def disturb_service(self, number: int, what: str) -> None:
        if service := self.service(number):
            self.rehearsal.do(getattr(service.wire, what))

    @rule(dialing=st.sampled_from(DIALING))
    def dial(self, dialing: str) -> None:
        self.rehearsal.loop.dialing = dialing

    @rule(seconds=st.sampled_from([0.1, 1.5, 6.0, 12.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.rehearsal.pass_time(seconds)

    def service(self, number: int) -> Service | None:
        services = self.stage.look()
        return services[number % len(services)] if services else None

    @invariant()
    def nothing_goes_wrong(self) -> None:
        assert self.rehearsal.errors == []

    @invariant()
    def each_request_has_one_answer_at_most(self) -> None:
        for wire in self.wires:
            asked = self.asked[id(wire)]
            methods = [method for method, _ in asked]
            found = read_answers(bytes(wire.sent), methods=methods, is_ended=wire.is_lost)
            # A refusal of what has no readable id has one that the edge made up.
            ids = [answer.id for answer in found if answer.id.startswith(b"request-")]
            assert ids == [request_id for _, request_id in asked][: len(ids)]
            assert len(found) <= len(asked) + 1
            assert all(answer.is_whole for answer in found[:-1])

    @invariant()
    def no_write_is_sent_twice(self) -> None:
        writes = [request_id for method, request_id, _ in self.stage.served if method == b"POST"]
        assert len(writes) == len(set(writes))

    @invariant()
    def no_pool_is_over_its_limit(self) -> None:
        for pool in self.rehearsal.edge.shared.upstreams.values():
            assert pool.open_connections <= 2
            assert pool.queued <= 3

    def teardown(self) -> None:
        for wire in self.wires:
            self.rehearsal.do(wire.lose)
        self.rehearsal.pass_time(10.0)  # Questions to the web, which nobody waits for, end by themselves.
        left_over, errors = self.rehearsal.left_over(), self.rehearsal.errors
        self.rehearsal.close()
        assert left_over == {}
        assert errors == []


@pytest.mark.case("E17", "G10")
def test_survives_whatever_happens_in_any_order(issuer: Issuer, bearer: bytes) -> None:
    EdgeMachine.issuer, EdgeMachine.bearer = issuer, bearer
    run_state_machine_as_test(
        EdgeMachine,
        settings=settings(
            max_examples=EXAMPLES // 2,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


@pytest.mark.parametrize(("dialing", "status"), [("takes too long", 502), ("is lost at once", 502)])
def test_a_connection_that_comes_to_nothing_takes_no_place(issuer: Issuer, dialing: str, status: int) -> None:
    with Rehearsal(issuer, times=HASTY, limits=replace(SMALL, upstream_connections=1)) as rehearsal:
        stage = Stage(rehearsal, issuer)
        rehearsal.loop.dialing = dialing
        client = rehearsal.connect()
        rehearsal.do(client.feed, filled_in(REQUESTS["post"], id_of(0), b""))
        rehearsal.pass_time(1.0)
        left_over = rehearsal.left_over()
        rehearsal.loop.dialing = "works"
        rehearsal.do(client.feed, filled_in(REQUESTS["post"], id_of(1), b""))
        finish(stage)

        found = read_answers(bytes(client.sent), methods=[], is_ended=False)

    assert left_over == {"clients": 1, "connections": 1}
    assert [answer.status for answer in found] == [status, 200]
    assert rehearsal.errors == []
