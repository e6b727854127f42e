"""Decisions."""

import time

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
)
from gateway.edge.testing import ORIGIN, SUBJECT, Issuer
from gateway.routes import RouteTable

HOST = (b"Host", b"localhost:8000")


@pytest.fixture
def rules(issuer: Issuer) -> Rules:
    verifier = Verifier(KeyStore(issuer.directory), issuer=ORIGIN, audience="gateway")
    return Rules(RouteTable(), allowed_hosts(ORIGIN), verifier.verify)


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


def test_refuses_a_service_as_a_user(rules: Rules, issuer: Issuer) -> None:
    decision = ask(rules, b"/api/v1/wallet", bearer(issuer.mint(sub="svc:gateway", scope="wallet:read")))

    assert code(decision) == "insufficient-scope"


def test_auth_routes_read_no_authorization(rules: Rules) -> None:
    decision = ask(rules, b"/api/v1/auth/refresh", (b"Authorization", b"Bearer x"), method=b"POST")

    assert isinstance(decision, Forward)


@pytest.mark.parametrize("target", [b"/internal/token", b"/metrics", b"/admin/wallet/", b"/api/v1/nothing"])
def test_knows_no(rules: Rules, target: bytes) -> None:
    assert code(ask(rules, target)) == "not-found"


@pytest.mark.parametrize("method", [b"TRACE", b"PUT", b"DELETE", b"OPTIONS", b"PROPFIND"])
def test_refuses_a_method_and_names_those_allowed(rules: Rules, method: bytes) -> None:
    decision = ask(rules, b"/api/v1/wallet", method=method)

    assert decision[:3] == ("method-not-allowed", "", (("allow", "GET, HEAD, POST"),))


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
    ],
)
def test_the_client_is_whom_the_outermost_trusted_proxy_saw(
    forwarded_for: bytes, proxies: int, expected: str
) -> None:
    assert client_address("10.0.0.1", forwarded_for, proxies) == expected
