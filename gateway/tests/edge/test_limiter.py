"""What a client may ask of services, and how many bad signatures are computed for one."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from chassis.keys import KeyStore
from chassis.tokens import InvalidToken, Verifier
from gateway.edge.config import Limits
from gateway.edge.limiter import Addresses, Buckets, Exhausted, Guesses, Limiter, network_of
from gateway.edge.testing import ORIGIN, Issuer, RawReply, RunningEdge, Seen, answer_json, json_reply

HOST = b"Host: localhost:8000\r\n"
WALLET = b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST
CATEGORIES = b"GET /api/v1/categories HTTP/1.1\r\n" + HOST
INDEX = b"GET / HTTP/1.1\r\n" + HOST
ADMIN = b"GET /admin/wallet/ HTTP/1.1\r\n" + HOST + b"Cookie: sid=" + b"a" * 32 + b"\r\n"
STARTED_AT = 1000.0


@pytest.fixture
def buckets() -> Buckets:
    """Of ten, which get one back in half a second."""
    return Buckets(per_second=2, burst=10, most_keys=3)


def take(buckets: Buckets, count: int, now: float = STARTED_AT, key: str = "a") -> int:
    """How much is left after so many were taken."""
    for _ in range(count):
        left, _seconds = buckets.take(key, now)
    return int(left + 0.01)


def is_exhausted(buckets: Buckets, now: float = STARTED_AT, key: str = "a") -> bool:
    try:
        buckets.check(key, now)
    except Exhausted:
        return True
    return False


def test_gives_a_burst_and_no_more(buckets: Buckets) -> None:
    left = take(buckets, 10)

    assert (left, is_exhausted(buckets)) == (0, True)
    with pytest.raises(Exhausted) as refused:
        buckets.take("a", STARTED_AT)
    assert refused.value.seconds == pytest.approx(0.5)


def test_fills_by_itself(buckets: Buckets) -> None:
    take(buckets, 10)

    assert is_exhausted(buckets, STARTED_AT + 0.4)
    assert take(buckets, 1, STARTED_AT + 1.0) == 1


def test_holds_no_more_than_the_burst(buckets: Buckets) -> None:
    take(buckets, 1)

    assert take(buckets, 1, STARTED_AT + 1_000_000) == 9


def test_what_is_refused_costs_nothing(buckets: Buckets) -> None:
    take(buckets, 10)
    for _ in range(5):
        with pytest.raises(Exhausted):
            buckets.take("a", STARTED_AT)

    assert take(buckets, 1, STARTED_AT + 0.5) == 0


def test_everybody_has_a_bucket(buckets: Buckets) -> None:
    take(buckets, 10)

    assert take(buckets, 1, key="b") == 9


def test_tells_when_the_bucket_is_full(buckets: Buckets) -> None:
    take(buckets, 3)

    assert buckets.take("a", STARTED_AT + 1)[1] == pytest.approx(1.0)
    assert buckets.window_seconds == 5


def test_forgets_who_was_not_seen_for_longest(buckets: Buckets) -> None:
    for key in "abcad":
        buckets.take(key, STARTED_AT)

    assert len(buckets) == 3
    assert [take(buckets, 1, key=key) for key in "acd"] == [7, 8, 8]
    assert take(buckets, 1, key="b") == 9


def test_is_exact_however_long_the_clock_runs() -> None:
    late = Buckets(per_second=100, burst=1000, most_keys=3)

    assert take(late, 1000, now=30 * 86_400.123) == 0
    assert is_exhausted(late, now=30 * 86_400.123)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "20010db800000000"),
        ("2001:db8::ffff:ffff:ffff:ffff", "20010db800000000"),
        ("2001:db8:0:1::1", "20010db800000001"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80000000000000"),
        ("", ""),
    ],
)
def test_a_client_is_an_ipv4_address_or_an_ipv6_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.fixture
def limiter() -> Limiter:
    return Limiter(per_second=1, burst=2, most_keys=9, people_per_address=3, clock=lambda: STARTED_AT)


def test_a_person_counts_wherever_they_are(limiter: Limiter) -> None:
    limiter.take("ann", "192.0.2.1")
    limiter.take("ann", "192.0.2.2")

    with pytest.raises(Exhausted):
        limiter.take("ann", "192.0.2.3")
    assert limiter.take("bob", "192.0.2.1")


def test_an_address_may_stand_for_many(limiter: Limiter) -> None:
    for _ in range(6):
        limiter.take("", "192.0.2.1")

    with pytest.raises(Exhausted):
        limiter.take("", "192.0.2.1")


def test_says_what_is_left(limiter: Limiter) -> None:
    assert limiter.take("ann", "") == b'ratelimit-policy: "client";q=2;w=2\r\nratelimit: "client";r=1;t=1\r\n'
    assert limiter.take("", "a") == b'ratelimit-policy: "client";q=6;w=2\r\nratelimit: "client";r=5;t=1\r\n'


def test_counts_the_connections_of_those_who_have_some() -> None:
    addresses = Addresses(2)
    for one in ("192.0.2.1", "2001:db8::1", "2001:db8::2", "192.0.2.1"):
        addresses.add(one)
    counts = [addresses.count(one) for one in ("192.0.2.1", "2001:db8::1", "192.0.2.2")]
    addresses.remove("192.0.2.1")
    addresses.remove("2001:db8::2")

    assert counts == [2, 2, 0]
    assert (addresses.count("192.0.2.1"), addresses.count("2001:db8::3")) == (1, 1)
    addresses.remove("192.0.2.1")
    addresses.remove("2001:db8::1")
    assert len(addresses) == 0


# Bad signatures


class Clock:
    """A clock that a test moves."""

    now = STARTED_AT

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guesses(issuer: Issuer, clock: Clock) -> Guesses:
    verifier = Verifier(KeyStore(issuer.directory), issuer=ORIGIN, audience="gateway")
    return Guesses(verifier, per_second=1, burst=3, most_keys=9, clock=clock)


def forged(issuer: Issuer) -> str:
    """A token in due form whose signature is another one's."""
    head = issuer.mint().rpartition(".")[0]
    return f"{head}.{issuer.mint().rpartition('.')[2]}"


def reason(guesses: Guesses, token: str, address: str = "192.0.2.1") -> str:
    try:
        guesses.verify(token, address)
    except InvalidToken as exc:
        return exc.reason
    except Exhausted:
        return "exhausted"
    return ""


def test_computes_no_more_bad_signatures_than_the_budget_has(guesses: Guesses, issuer: Issuer) -> None:
    assert [reason(guesses, forged(issuer)) for _ in range(5)] == ["signature"] * 3 + ["exhausted"] * 2
    assert reason(guesses, issuer.mint()) == "exhausted"


def test_the_budget_fills_by_itself(guesses: Guesses, issuer: Issuer, clock: Clock) -> None:
    for _ in range(4):
        reason(guesses, forged(issuer))
    clock.now += 1

    assert [reason(guesses, forged(issuer)) for _ in range(2)] == ["signature", "exhausted"]


def test_a_token_that_is_known_passes_always(guesses: Guesses, issuer: Issuer) -> None:
    token = issuer.mint()
    reason(guesses, token)
    for _ in range(4):
        reason(guesses, forged(issuer))

    assert reason(guesses, token) == ""


def test_another_address_has_a_budget_of_its_own(guesses: Guesses, issuer: Issuer) -> None:
    for _ in range(4):
        reason(guesses, forged(issuer))

    assert reason(guesses, issuer.mint(), "192.0.2.2") == ""


def test_a_token_without_due_form_costs_nothing(guesses: Guesses) -> None:
    assert {reason(guesses, "a.b.c") for _ in range(9)}.isdisjoint({"exhausted", ""})


def test_a_good_token_costs_nothing(guesses: Guesses, issuer: Issuer) -> None:
    assert [reason(guesses, issuer.mint()) for _ in range(9)] == [""] * 9


def test_an_expired_token_costs_its_signature(guesses: Guesses, issuer: Issuer) -> None:
    now = int(time.time())
    old = issuer.mint(iat=now - 600, nbf=now - 600, auth_time=now - 600, exp=now - 300)

    assert [reason(guesses, old) for _ in range(4)] == ["expired"] * 3 + ["exhausted"]


# Over the wire


@pytest.fixture
def start_still(
    start_edge: Callable[..., RunningEdge], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., RunningEdge]:
    """Starts an edge whose buckets fill by this clock."""

    def start(**options: Any) -> RunningEdge:
        edge = start_edge(**options)
        guesses = edge.edge.shared.rules.verify.__self__  # type: ignore[attr-defined]
        monkeypatch.setattr(edge.edge.shared.limiter, "_clock", clock)
        monkeypatch.setattr(guesses, "_clock", clock)
        return edge

    return start


@pytest.fixture
def edge(start_still: Callable[..., RunningEdge]) -> RunningEdge:
    """An edge that lets two requests of a client through."""
    return start_still(limits=Limits(requests_per_second=1, burst=2))


def asked(edge: RunningEdge, request: bytes, count: int) -> list[int]:
    return [edge.ask(request + b"\r\n").status for _ in range(count)]


def test_refuses_who_asks_too_much(edge: RunningEdge) -> None:
    first = edge.ask(CATEGORIES + b"\r\n")
    edge.ask(CATEGORIES + b"\r\n")

    reply = edge.ask(CATEGORIES + b"\r\n")

    assert (first.status, reply.status, reply.json()["code"]) == (200, 429, "too-many-requests")
    assert told(first) == ('"client";q=2;w=2', '"client";r=1;t=1', None)
    assert told(reply) == ('"client";q=2;w=2', '"client";r=0;t=2', "1")
    assert len(edge.categories.seen) == 2


def told(reply: RawReply) -> tuple[Any, ...]:
    return tuple(reply.field(name) for name in ("ratelimit-policy", "ratelimit", "retry-after"))


def test_lets_through_again_after_as_long_as_it_said(edge: RunningEdge, clock: Clock) -> None:
    statuses = asked(edge, CATEGORIES, 3)
    clock.now += 1

    assert (statuses, asked(edge, CATEGORIES, 1)) == ([200, 200, 429], [200])


def test_counts_people_apart_from_their_address(edge: RunningEdge, bearer: bytes) -> None:
    assert asked(edge, WALLET + bearer, 3) == [200, 200, 429]
    assert asked(edge, CATEGORIES, 1) == [200]


def test_asks_the_web_nothing_for_who_asks_too_much(edge: RunningEdge) -> None:
    asked(edge, ADMIN, 2)
    heard = len(edge.web.seen)

    assert asked(edge, ADMIN, 1) == [429]
    assert len(edge.web.seen) == heard


def test_what_the_edge_answers_itself_is_free(edge: RunningEdge) -> None:
    asked(edge, WALLET, 5)
    asked(edge, b"GET /nowhere HTTP/1.1\r\n" + HOST, 5)
    asked(edge, b"GET /livez HTTP/1.1\r\n" + HOST, 5)
    asked(edge, b"OPTIONS /api/v1/wallet HTTP/1.1\r\n" + HOST, 5)
    refused = edge.ask(WALLET + b"\r\n")

    assert told(refused) == (None, None, None)
    assert asked(edge, CATEGORIES, 2) == [200, 200]


def test_what_the_edge_has_kept_is_free(edge: RunningEdge) -> None:
    async def answer_everybody(seen: Seen) -> None:
        seen.reply(json_reply(extra=b"Cache-Control: public, max-age=60\r\n"))

    edge.categories.behave = answer_everybody
    first, second = (edge.ask(CATEGORIES + b"\r\n") for _ in range(2))

    assert (first.field("ratelimit"), second.field("ratelimit")) == ('"client";r=1;t=1', None)
    assert asked(edge, CATEGORIES, 5) == [200] * 5
    assert asked(edge, INDEX, 2) == [200, 429]


def test_tells_it_with_what_went_wrong_too(edge: RunningEdge) -> None:
    edge.run(edge.categories.stop())

    reply = edge.ask(CATEGORIES + b"\r\n")

    assert (reply.status, reply.field("ratelimit")) == (502, '"client";r=1;t=1')


def test_shows_a_page_to_people(edge: RunningEdge) -> None:
    asked(edge, INDEX, 2)

    reply = edge.ask(INDEX + b"Accept: text/html\r\n\r\n")

    assert (reply.status, reply.field("content-type")) == (429, "text/html; charset=utf-8")
    assert reply.field("retry-after") == "1"


@pytest.mark.case("F4")
def test_counts_the_same_whatever_a_client_says_about_its_address(edge: RunningEdge) -> None:
    fields = [b"X-Forwarded-For: 192.0.2.%d\r\nX-Real-IP: 192.0.2.%d\r\n" % (n, n) for n in range(3)]

    assert [asked(edge, CATEGORIES + field, 1) for field in fields] == [[200], [200], [429]]


def test_counts_whom_a_trusted_proxy_saw(start_still: Callable[..., RunningEdge]) -> None:
    edge = start_still(limits=Limits(requests_per_second=1, burst=1), trusted_proxies=1)
    ann, bob = (CATEGORIES + b"X-Forwarded-For: 192.0.2.%d\r\n" % n for n in (1, 2))

    assert [*asked(edge, ann, 2), *asked(edge, bob, 1)] == [200, 429, 200]


def test_an_address_may_stand_for_many_people(start_still: Callable[..., RunningEdge]) -> None:
    edge = start_still(limits=Limits(requests_per_second=1, burst=1), people_per_address=2)

    assert edge.ask(CATEGORIES + b"\r\n").field("ratelimit-policy") == '"client";q=2;w=1'


def test_refuses_bad_tokens_past_the_budget(start_still: Callable[..., RunningEdge], issuer: Issuer) -> None:
    edge = start_still(limits=Limits(guesses_per_second=1, guesses_burst=2))
    edge.wallet.behave = answer_json
    good = b"Authorization: Bearer %b\r\n" % issuer.mint().encode()
    bad = [b"Authorization: Bearer %b\r\n" % forged(issuer).encode() for _ in range(3)]
    known = asked(edge, WALLET + good, 1)

    replies = [edge.ask(WALLET + line + b"\r\n") for line in bad]

    assert [reply.status for reply in replies] == [401, 401, 429]
    assert (replies[2].json()["code"], replies[2].field("retry-after")) == ("too-many-requests", "1")
    assert known + asked(edge, WALLET + good, 1) == [200, 200]
