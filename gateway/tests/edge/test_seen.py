"""Heads that come again, with any token, are not parsed again; all else is as the first time."""

import asyncio
import json
import time
from collections.abc import Callable

import pytest

from gateway.edge.seen import MAX_HEAD_BYTES, MAX_HEADS, Plan, SeenHeads, is_one_head
from gateway.edge.testing import Issuer, RunningEdge, Seen, json_reply

HOST = b"Host: localhost:8000\r\n"
WALLET = b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST


async def answer_later(seen: Seen) -> None:
    await asyncio.sleep(0.05)
    seen.reply(json_reply())


def known(edge: RunningEdge, head: bytes) -> bool:
    """Whether the edge would not parse these bytes."""
    return edge.edge.shared.seen.find(head) is not None


def teach(edge: RunningEdge, head: bytes) -> None:
    """Send it until the edge knows it, and forget that it came."""
    for _ in range(2):
        assert edge.ask(head).status == 200
    assert known(edge, head)
    edge.wallet.seen.clear()


def test_what_comes_again_is_known(edge: RunningEdge, bearer: bytes) -> None:
    head = WALLET + bearer + b"\r\n"
    client = edge.client()

    for count in range(1, 4):
        client.send(head)
        assert client.read_reply().status == 200
        assert known(edge, head) is (count > 1)
        assert len(edge.wallet.seen) == count

    first, *others = [
        seen.head.replace(seen.values("x-request-id")[0].encode(), b"") for seen in edge.wallet.seen
    ]
    assert others == [first, first]


@pytest.mark.parametrize(
    "head",
    [
        WALLET + b"\r\n\r\n",
        WALLET + b"Connection: close\r\n\r\n",
        b"GET /api/v1/wallet HTTP/1.0\r\n" + HOST + b"\r\n",
        WALLET + b"Accept: %b\r\n\r\n" % (b"x" * MAX_HEAD_BYTES),
        WALLET + b"\r\n" + WALLET + b"\r\n",
        b"POST /api/v1/wallet HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\n{}",
        b"POST /api/v1/wallet HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_only_a_head_alone_is_remembered(edge: RunningEdge, bearer: bytes, head: bytes) -> None:
    head = head.replace(HOST, HOST + bearer)
    assert [edge.ask(head).status for _ in range(3)] == [200, 200, 200]

    assert not known(edge, head)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n", 200),
        (WALLET + b"Authorization: Bearer x.y.z\r\n\r\n", 401),
        (WALLET + b"\r\n", 401),
        (WALLET + b"Host: x\r\n\r\n", 400),
    ],
)
def test_what_is_not_forwarded_is_not_remembered(edge: RunningEdge, head: bytes, status: int) -> None:
    assert [edge.ask(head).status for _ in range(3)] == [status] * 3
    assert not known(edge, head)


@pytest.mark.parametrize("size", [1, 7])
def test_pieces_are_the_same_request(edge: RunningEdge, bearer: bytes, size: int) -> None:
    head = WALLET + bearer + b"\r\n"
    teach(edge, head)
    client = edge.client()
    for start in range(0, len(head), size):
        client.send(head[start : start + size])
        time.sleep(0.0001)
    assert client.read_reply().status == 200
    client.send(head)
    assert client.read_reply().status == 200
    assert len(edge.wallet.seen) == 2


def test_a_known_head_within_something_else_is_what_that_makes_of_it(
    edge: RunningEdge, bearer: bytes
) -> None:
    head = WALLET + bearer + b"\r\n"
    teach(edge, head)
    post = b"POST /api/v1/wallet HTTP/1.1\r\n" + HOST + bearer
    for start in (post + b"Content-Length: %d\r\n\r\n" % len(head), WALLET + b"Accept: x\r\nUser-Agent: "):
        client = edge.client()
        client.send(start)
        time.sleep(0.02)
        client.send(head)
        client.read_reply()

    # The body of one, and a part of a field with what follows in the other: neither is a request of its own.
    assert [seen.start for seen in edge.wallet.seen] == ["POST /api/v1/wallet"]
    assert edge.wallet.seen[0].body == head


def test_a_known_head_is_refused_when_its_token_is(
    start_edge: Callable[..., RunningEdge], issuer: Issuer
) -> None:
    edge = start_edge()
    now = int(time.time())
    times = {"iat": now - 60, "nbf": now - 60, "auth_time": now - 60, "exp": now - 3}
    line = b"Authorization: Bearer %b\r\n" % issuer.mint(**times).encode()
    head = WALLET + line + b"\r\n"
    teach(edge, head)  # It is within the leeway.
    time.sleep(2.1)

    assert known(edge, head)
    assert edge.ask(head).status == 401


def test_answers_stand_in_order_whether_known_or_not(edge: RunningEdge, bearer: bytes) -> None:
    head = WALLET + bearer + b"\r\n"
    teach(edge, head)
    client = edge.client()
    edge.wallet.behave = answer_later
    client.send(b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n" + head)
    time.sleep(0.02)
    client.send(head)
    client.send(b"GET /readyz HTTP/1.1\r\n" + HOST + b"\r\n")

    replies = [client.read_reply() for _ in range(4)]
    assert [reply.json() for reply in replies] == [
        {"status": "ok"},
        {"ok": True},
        {"ok": True},
        {"status": "ok"},
    ]


def test_few_are_remembered() -> None:
    seen = SeenHeads()
    plan = object()
    for number in range(3 * MAX_HEADS):
        for _ in range(2):
            seen.note(b"%d" % number, plan, "")
        assert seen.find(b"0") == (plan, "")

    assert seen.find(b"%d" % (MAX_HEADS + 5)) is None
    assert len(seen._whole.lately) + len(seen._whole._before) <= 2 * MAX_HEADS


def test_of_what_comes_once_little_is_kept() -> None:
    seen = SeenHeads()
    for number in range(3 * MAX_HEADS):
        seen.note(b"%d" % number, object(), "")

    assert (len(seen._whole.lately), len(seen._whole._before)) == (0, 0)
    assert len(seen._once) <= MAX_HEADS


def with_token(token: str, line: str = "Authorization: Bearer ") -> bytes:
    return WALLET + f"Accept: a/b\r\n{line}{token}\r\nUser-Agent: c\r\n\r\n".encode()


def test_a_head_is_known_with_any_token(edge: RunningEdge, issuer: Issuer) -> None:
    teach(edge, with_token(issuer.mint()))

    edge.ask(with_token(issuer.mint()))

    assert known(edge, with_token(issuer.mint()))
    (seen,) = edge.wallet.seen
    assert b"accept: a/b\r\nuser-agent: c\r\n" in seen.head
    asked = [json.loads(seen.body)["bearer"] for seen in edge.web.seen]
    assert len(asked) == len(set(asked)) == 2


def test_a_known_head_is_nobodys_log_in(edge: RunningEdge, issuer: Issuer) -> None:
    good = issuer.mint()
    teach(edge, with_token(good))
    head, _, signature = good.rpartition(".")
    bad = [
        *(
            issuer.mint(exp=int(time.time()) - 60),
            issuer.mint(aud="banner"),
            issuer.mint(iss="https://a.example"),
        ),
        *(f"{head}.{signature[::-1]}", good[:-1], "a.b.c", "a", "."),
    ]

    for token in bad:
        reply = edge.ask(with_token(token))
        assert (reply.status, reply.json()["code"]) == (401, "invalid-token"), token
    for token in ["", " ", "a b", "a\x00", "\xe9"]:
        assert edge.ask(with_token(token)).status in {400, 401}, token
    assert edge.wallet.seen == []


def test_the_token_is_taken_from_its_line_alone(edge: RunningEdge, issuer: Issuer, bearer: bytes) -> None:
    mine, other = issuer.mint(), issuer.mint()
    decoy = b"User-Agent: authorization: Bearer %b\r\n"
    teach(edge, WALLET + decoy % mine.encode() + b"Authorization: Bearer %b\r\n\r\n" % mine.encode())

    edge.ask(WALLET + decoy % other.encode() + b"Authorization: Bearer %b\r\n\r\n" % mine.encode())
    edge.ask(WALLET + decoy % mine.encode() + b"Authorization: Bearer %b\r\n\r\n" % other.encode())

    assert [json.loads(seen.body)["bearer"] for seen in edge.web.seen] == [mine, other]


def test_two_tokens_are_too_many_in_a_known_head(edge: RunningEdge, issuer: Issuer) -> None:
    token = issuer.mint()
    teach(edge, with_token(token))

    twice = with_token(f"{token}\r\nAuthorization: Bearer {token}")

    assert edge.ask(twice).status == 400


@pytest.mark.parametrize(
    "line",
    ["authorization: Bearer ", "AUTHORIZATION: Bearer ", "Authorization: bearer ", "Authorization:Bearer "],
)
def test_other_spellings_are_known_too(edge: RunningEdge, issuer: Issuer, line: str) -> None:
    teach(edge, with_token(issuer.mint(), line))


def test_no_token_is_kept_with_a_plan(edge: RunningEdge, issuer: Issuer) -> None:
    token = issuer.mint()
    teach(edge, with_token(token))

    found = edge.edge.shared.seen.find(with_token(token))

    assert found is not None
    assert token not in repr([getattr(found.plan, name) for name in Plan.__slots__])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET /%b HTTP/1.1\r\n\r\n" % (b"a" * MAX_HEAD_BYTES), False),
        (b"GET / HTTP/1.1\r\n\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\n", False),
        (b"", False),
    ],
)
def test_one_head_is_one_head(data: bytes, expected: bool) -> None:
    assert is_one_head(data) is expected
