"""Decisions."""

import time
from dataclasses import replace
from typing import Any

import pytest

from chassis.keys import KeyStore
from chassis.tokens import Verifier
from gateway.edge.policy import (
    Ask,
    Decision,
    Forward,
    Refuse,
    Report,
    Request,
    Rules,
    allowed_hosts,
    client_address,
    decide,
    decide_without_scope,
)
from gateway.edge.testing import ORIGIN, SUBJECT, Issuer
from gateway.routes import Credential, Route, RouteTable

HOST = (b"Host", b"localhost:8000")
CATEGORIES = b"/api/v1/categories"
READS = [b"GET", b"HEAD"]
WRITES = [b"POST", b"PATCH", b"DELETE"]
SERVICE: dict[str, Any] = dict.fromkeys(("sid", "roles", "auth_time", "amr"))
USERS = {
    "a bearer that writes": {"scope": "catalog:write"},
    "a bearer that reads": {"scope": "wallet:read catalog:read"},
    "a bearer of elsewhere": {"scope": "wallet:read wallet:write"},
    "a bearer without scopes": {"scope": ""},
    "a service": SERVICE | {"sub": "svc:gateway", "scope": "catalog:write"},
    "a service under another's key": SERVICE | {"sub": "svc:catalog_product", "scope": "catalog:write"},
    "a bearer for another audience": {"aud": "catalog_category", "scope": "catalog:write"},
}
BAD = {
    "no scheme": b"Bearer",
    "no token": b"Bearer x",
    "another scheme": b"Basic eDp5",
    "two spaces": b"Bearer  a.b.c",
    "no text": b"\xff",
}


@pytest.fixture
def rules(issuer: Issuer) -> Rules:
    verifier = Verifier(KeyStore(issuer.directory), issuer=ORIGIN, audience="gateway")
    return Rules(
        RouteTable(),
        allowed_hosts(ORIGIN),
        lambda token, _client: verifier.verify(token),
        scheme="http",
        session_cookie=b"sid",
    )


def ask(
    rules: Rules,
    target: bytes,
    *fields: tuple[bytes, bytes],
    method: bytes = b"GET",
    host: bytes | None = None,
) -> Decision:
    own = (b"Host", host) if host is not None else HOST
    return decide(Request(method, target, "1.1", [own, *fields], is_upgrade=False), rules)


def bearer(token: str) -> tuple[bytes, bytes]:
    return b"Authorization", b"Bearer " + token.encode()


def code(decision: Decision) -> str:
    assert isinstance(decision, Refuse)
    return decision.code


def outcome(decision: Decision) -> str:
    if isinstance(decision, Refuse):
        return decision.code
    return type(decision).__name__.lower()


def test_forwards_the_index(rules: Rules) -> None:
    assert isinstance(ask(rules, b"/"), Forward)


def test_asks_for_a_token_for_the_wallet(rules: Rules, issuer: Issuer) -> None:
    token = issuer.mint()

    decision = ask(rules, b"/api/v1/wallet?limit=5", bearer(token))

    assert isinstance(decision, Ask)
    assert decision.bearer == token
    assert decision.principal.sub == SUBJECT
    assert decision.forward.route.audience == "wallet"


def test_an_anonymous_call_is_challenged_without_an_error(rules: Rules) -> None:
    decision = ask(rules, b"/api/v1/wallet")

    assert decision[:3] == (
        "authentication-required",
        "",
        (("www-authenticate", 'Bearer realm="mercato"'),),
    )


@pytest.mark.case("D7")
def test_an_empty_authorization_counts_as_none(rules: Rules) -> None:
    assert code(ask(rules, b"/api/v1/wallet", (b"Authorization", b""))) == "authentication-required"


@pytest.mark.parametrize(
    "value", [b"Bearer", b"Bearer x", b"Basic eDp5", b"Bearer a.b.c", b"\xff", b"Bearer  a.b.c"]
)
def test_refuses_a_bad_authorization(rules: Rules, value: bytes) -> None:
    decision = ask(rules, b"/api/v1/wallet", (b"Authorization", value))

    assert decision[:3] == (
        "invalid-token",
        "",
        (("www-authenticate", 'Bearer realm="mercato", error="invalid_token"'),),
    )


@pytest.mark.case("B7")
def test_refuses_a_token_for_another_audience(rules: Rules, issuer: Issuer) -> None:
    assert code(ask(rules, b"/api/v1/wallet", bearer(issuer.mint(aud="wallet")))) == "invalid-token"


def test_refuses_an_expired_token(rules: Rules, issuer: Issuer) -> None:
    now = int(time.time())

    decision = ask(rules, b"/api/v1/wallet", bearer(issuer.mint(iat=now - 300, nbf=now - 300, exp=now - 10)))

    assert code(decision) == "invalid-token"


def test_refuses_a_token_without_a_scope_of_the_route(rules: Rules, issuer: Issuer) -> None:
    decision = ask(rules, b"/api/v1/wallet", bearer(issuer.mint(scope="catalog:read")))

    assert code(decision) == "insufficient-scope"
    assert 'scope="wallet:admin wallet:read wallet:write"' in dict(decision[2])["www-authenticate"]


@pytest.mark.case("B11")
def test_refuses_a_service_as_a_user(rules: Rules, issuer: Issuer) -> None:
    token = issuer.mint(**SERVICE | {"sub": "svc:gateway", "scope": "wallet:read"})
    decision = ask(rules, b"/api/v1/wallet", bearer(token))

    assert code(decision) == "insufficient-scope"


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("a bearer that writes", "ask"),
        ("a bearer that reads", "ask"),
        ("a bearer of elsewhere", "forward"),
        ("a bearer without scopes", "forward"),
        ("a service", "insufficient-scope"),
        ("a service under another's key", "invalid-token"),
        ("a bearer for another audience", "invalid-token"),
    ],
)
def test_a_read_of_a_public_route_by(
    rules: Rules, issuer: Issuer, method: bytes, user: str, expected: str
) -> None:
    decision = ask(rules, CATEGORIES, bearer(issuer.mint(**USERS[user])), method=method)

    assert outcome(decision) == expected


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("a bearer that writes", "ask"),
        ("a bearer that reads", "insufficient-scope"),
        ("a bearer of elsewhere", "insufficient-scope"),
        ("a bearer without scopes", "insufficient-scope"),
        ("a service", "insufficient-scope"),
        ("a service under another's key", "invalid-token"),
        ("a bearer for another audience", "invalid-token"),
    ],
)
def test_a_write_to_a_public_route_by(
    rules: Rules, issuer: Issuer, method: bytes, user: str, expected: str
) -> None:
    decision = ask(rules, CATEGORIES, bearer(issuer.mint(**USERS[user])), method=method)

    assert outcome(decision) == expected


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("fields", [[], [(b"Authorization", b"")], [(b"Authorization", b" \t")]])
def test_anyone_reads_a_public_route(rules: Rules, method: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    assert outcome(ask(rules, CATEGORIES, *fields, method=method)) == "forward"


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("fields", [[], [(b"Authorization", b"")], [(b"Authorization", b" \t")]])
def test_nobody_writes_to_a_public_route_unasked(
    rules: Rules, method: bytes, fields: list[tuple[bytes, bytes]]
) -> None:
    decision = ask(rules, CATEGORIES, *fields, method=method)

    assert decision[:3] == (
        "authentication-required",
        "",
        (("www-authenticate", 'Bearer realm="mercato"'),),
    )


@pytest.mark.case("D6")
@pytest.mark.parametrize("method", READS + WRITES)
@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_a_bad_token_is_never_taken_for_none(rules: Rules, method: bytes, value: bytes) -> None:
    decision = ask(rules, CATEGORIES, (b"Authorization", value), method=method)

    assert decision[:3] == (
        "invalid-token",
        "",
        (("www-authenticate", 'Bearer realm="mercato", error="invalid_token"'),),
    )


@pytest.mark.case("B1", "D6")
@pytest.mark.parametrize("method", READS + WRITES)
def test_an_expired_token_is_never_taken_for_none(rules: Rules, issuer: Issuer, method: bytes) -> None:
    then = int(time.time()) - 300
    token = issuer.mint(scope="catalog:write", iat=then, nbf=then, exp=then + 290)

    assert code(ask(rules, CATEGORIES, bearer(token), method=method)) == "invalid-token"


@pytest.mark.case("D1", "D6")
@pytest.mark.parametrize("method", READS + WRITES)
def test_two_tokens_are_refused_on_a_public_route(rules: Rules, issuer: Issuer, method: bytes) -> None:
    fields = [(b"Authorization", b""), bearer(issuer.mint(scope="catalog:write"))]

    assert code(ask(rules, CATEGORIES, *fields, method=method)) == "malformed-request"


@pytest.mark.parametrize("method", [b"PUT", b"TRACE"])
def test_a_public_route_has_no(rules: Rules, method: bytes) -> None:
    decision = ask(rules, CATEGORIES, method=method)

    assert decision[:3] == ("method-not-allowed", "", (("allow", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"),))


@pytest.mark.parametrize("method", READS + WRITES)
def test_a_bearer_without_scope_that_only_the_web_can_see(
    rules: Rules, issuer: Issuer, method: bytes
) -> None:
    asked = ask(rules, CATEGORIES, bearer(issuer.mint(scope="catalog:write")), method=method)
    assert isinstance(asked, Ask)

    decision = decide_without_scope(asked.forward)

    assert outcome(decision) == ("forward" if method in READS else "insufficient-scope")


def test_a_public_route_that_is_only_read_needs_no_scopes(rules: Rules, issuer: Issuer) -> None:
    route = Route("/a", ("GET",), "web", Credential.PUBLIC, audience="web")
    reads = replace(rules, table=RouteTable((route,)))

    assert outcome(ask(reads, b"/a", bearer(issuer.mint(scope="")))) == "ask"
    assert outcome(ask(reads, b"/a")) == "forward"


def test_auth_routes_read_no_authorization(rules: Rules) -> None:
    decision = ask(rules, b"/api/v1/auth/refresh", (b"Authorization", b"Bearer x"), method=b"POST")

    assert isinstance(decision, Forward)


@pytest.mark.parametrize("target", [b"/internal/token", b"/metrics", b"/admin/", b"/api/v1/nothing"])
def test_knows_no(rules: Rules, target: bytes) -> None:
    assert code(ask(rules, target)) == "not-found"


@pytest.mark.parametrize("method", [b"TRACE", b"PUT", b"DELETE", b"PROPFIND"])
def test_refuses_a_method_and_names_those_allowed(rules: Rules, method: bytes) -> None:
    decision = ask(rules, b"/api/v1/wallet", method=method)

    assert decision[:3] == ("method-not-allowed", "", (("allow", "GET, HEAD, POST, OPTIONS"),))


@pytest.mark.parametrize("target", [b"/api/v1/wallet/../auth", b"http://localhost:8000/", b"*", b"//evil"])
def test_refuses_a_target(rules: Rules, target: bytes) -> None:
    assert code(ask(rules, target)) == "malformed-request"


def test_refuses_a_long_target(rules: Rules) -> None:
    assert code(ask(rules, b"/" + b"a" * 8192)) == "uri-too-long"


@pytest.mark.parametrize(
    "host",
    [
        *(b"", b"evil", b"localhost", b"localhost:8001", b"localhost:8000,evil", b"a@localhost:8000"),
        *(
            b"wallet:8000",
            b"[fe80::1%25eth0]:8000",
            b"127.0.0.1:8001",
            b"localhost:8000.",
            b"localhost:08000",
        ),
    ],
)
def test_refuses_a_host(rules: Rules, host: bytes) -> None:
    assert code(ask(rules, b"/", host=host)) == "malformed-request"


@pytest.mark.parametrize("host", [b"localhost:8000", b"LOCALHOST:8000", b"127.0.0.1:8000", b"[::1]:8000"])
def test_takes_every_name_of_this_machine(rules: Rules, host: bytes) -> None:
    assert isinstance(ask(rules, b"/", host=host), Forward)


def test_a_public_origin_has_one_host() -> None:
    assert allowed_hosts("https://shop.example") == {b"shop.example", b"shop.example:443"}


@pytest.mark.parametrize("target", [b"/livez", b"/readyz"])
def test_reports_health_under_any_host(rules: Rules, target: bytes) -> None:
    assert isinstance(ask(rules, target, host=b"10.0.0.7"), Report)


def test_health_takes_get_only(rules: Rules) -> None:
    assert code(ask(rules, b"/livez", method=b"POST")) == "method-not-allowed"


def test_refuses_a_long_body_before_it_comes(rules: Rules) -> None:
    decision = ask(rules, b"/api/v1/auth/login", (b"Content-Length", b"16385"), method=b"POST")

    assert code(decision) == "content-too-large"


def test_form_comes_before_tokens(rules: Rules) -> None:
    decision = ask(rules, b"/api/v1/wallet", bearer("a"), bearer("b"))

    assert code(decision) == "malformed-request"


@pytest.mark.case("F4")
@pytest.mark.parametrize(
    ("forwarded_for", "proxies", "expected"),
    [
        (b"6.6.6.6", 0, "10.0.0.1"),
        (b"6.6.6.6, 9.9.9.9", 1, "9.9.9.9"),
        (b"6.6.6.6, 9.9.9.9, 10.0.0.2", 2, "9.9.9.9"),
        (b"", 1, "10.0.0.1"),
        (b"9.9.9.9", 3, "9.9.9.9"),
        (b"<script>", 1, "10.0.0.1"),
        (b"2001:DB8::1", 1, "2001:db8::1"),
        (b'fe80::1%a b"c', 1, "10.0.0.1"),
    ],
)
def test_the_client_is_whom_the_outermost_trusted_proxy_saw(
    forwarded_for: bytes, proxies: int, expected: str
) -> None:
    assert client_address("10.0.0.1", forwarded_for, proxies) == expected
