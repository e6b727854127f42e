"""Decisions about requests for an admin: whose session, from which site, and where to without one."""

import pytest

from gateway.edge.config import Configuration
from gateway.edge.policy import (
    SESSION_REFUSALS,
    AskSession,
    Decision,
    Redirect,
    Refuse,
    Request,
    Rules,
    allowed_hosts,
    decide,
    is_answered_with_page,
    refuse_session,
    refuse_stranger,
)
from gateway.edge.testing import ORIGIN, Issuer
from gateway.routes import RouteTable

TARGET = b"/admin/wallet/wallet/transfer/?kind__exact=topup&p=2"
SESSION = b"abcdefghijklmnopqrstuvwxyz012345"
COOKIE = (b"Cookie", b"sid=" + SESSION)
HTML = (b"Accept", b"text/html,application/xhtml+xml,*/*;q=0.8")
SAME = (b"Origin", ORIGIN.encode())

Field = tuple[bytes, bytes]


def never(token: str) -> None:
    raise AssertionError("a bearer was looked at")


def ask(
    *fields: Field,
    method: bytes = b"GET",
    target: bytes = TARGET,
    origin: str = ORIGIN,
    name: bytes = b"sid",
    host: bytes = b"localhost:8000",
) -> Decision:
    scheme = origin.partition(":")[0]
    rules = Rules(RouteTable(), allowed_hosts(origin), never, scheme=scheme, session_cookie=name)  # type: ignore[arg-type]
    return decide(Request(method, target, "1.1", [(b"Host", host), *fields], is_upgrade=False), rules)


def outcome(decision: Decision) -> str:
    return decision.code if isinstance(decision, Refuse) else type(decision).__name__


@pytest.mark.parametrize(
    ("cookies", "session"),
    [
        ([b"sid=" + SESSION], SESSION.decode()),
        ([b"a=b; sid=" + SESSION + b"; c=d"], SESSION.decode()),
        ([b"a=b", b"sid=" + SESSION], SESSION.decode()),
        ([b" sid = " + SESSION + b" "], SESSION.decode()),
        ([b"sid=" + b"a" * 16], "a" * 16),
        ([b"sid=" + b"a" * 128], "a" * 128),
        ([b"sid2=x; csrftoken=y; sid=" + SESSION], SESSION.decode()),
    ],
)
def test_takes_the_session_of_the_cookie(cookies: list[bytes], session: str) -> None:
    decision = ask(*((b"Cookie", cookie) for cookie in cookies))

    assert isinstance(decision, AskSession)
    assert decision.session == session
    assert decision.forward.route.audience == "wallet"


@pytest.mark.parametrize(
    "cookie",
    [
        *(b"", b"sid", b"sid=", b"sid=short", b"a=" + SESSION, b"SID=" + SESSION, b"__Host-sid=" + SESSION),
        *(b"sid=" + b"a" * 129, b'sid="' + SESSION + b'"', b"sid=" + SESSION + b"%00", b"sid=a b" + SESSION),
        *(b"sid=" + SESSION + b"=", b"sid=" + SESSION + b"\xff", b"sid,=" + SESSION, b"xsid=" + SESSION),
    ],
)
def test_takes_no_other_cookie_for_a_session(cookie: bytes) -> None:
    assert outcome(ask((b"Cookie", cookie))) == "authentication-required"


@pytest.mark.case("D1")
@pytest.mark.parametrize(
    "cookies",
    [
        [b"sid=" + SESSION + b"; sid=" + SESSION],
        [b"sid=" + SESSION + b"; sid="],
        [b"sid; sid=" + SESSION],
        [b"sid=" + SESSION, b"sid=" + SESSION],
        [b"sid=" + SESSION + b";a=b;\tsid\t=x"],
    ],
)
def test_refuses_two_sessions(cookies: list[bytes]) -> None:
    assert outcome(ask(*((b"Cookie", cookie) for cookie in cookies))) == "malformed-request"


@pytest.mark.case("F3")
def test_a_cookie_that_connection_names_is_none() -> None:
    assert outcome(ask(COOKIE, (b"Connection", b"cookie"))) == "authentication-required"


@pytest.mark.case("D4")
@pytest.mark.parametrize("fields", [[], [COOKIE]])
@pytest.mark.parametrize("value", [b"Bearer a.b.c", b"Basic eDp5", b""])
def test_looks_at_no_authorization(fields: list[Field], value: bytes) -> None:
    expected = "AskSession" if fields else "authentication-required"

    assert outcome(ask((b"Authorization", value), *fields)) == expected


@pytest.mark.parametrize(
    ("fields", "is_let_on"),
    [
        ([SAME], True),
        ([SAME, (b"Sec-Fetch-Site", b"same-origin")], True),
        ([SAME, (b"Sec-Fetch-Site", b"none")], True),
        ([(b"Sec-Fetch-Site", b"same-origin")], True),
        ([(b"Origin", b"HTTP://LocalHost:8000")], True),
        ([], False),
        ([(b"Sec-Fetch-Site", b"none")], False),
        ([(b"Origin", b"")], False),
        ([SAME, (b"Sec-Fetch-Site", b"cross-site")], False),
        ([SAME, (b"Sec-Fetch-Site", b"same-site")], False),
        ([SAME, (b"Sec-Fetch-Site", b"Cross-Site")], False),
        ([SAME, (b"Sec-Fetch-Site", b"something-new")], False),
        ([(b"Sec-Fetch-Site", b"cross-site")], False),
        ([(b"Origin", b"null"), (b"Sec-Fetch-Site", b"same-origin")], False),
        ([(b"Origin", b"http://evil.example"), (b"Sec-Fetch-Site", b"same-origin")], False),
        ([(b"Origin", b"http://localhost")], False),
        ([(b"Origin", b"http://localhost:8001")], False),
        ([(b"Origin", b"https://localhost:8000")], False),
        ([(b"Origin", b"http://127.0.0.1:8000")], False),
        ([(b"Origin", b"http://localhost:8000.evil.example")], False),
        ([(b"Origin", b"http://localhost:8000/")], False),
        ([(b"Origin", b"http://localhost:8000, http://localhost:8000")], False),
        ([SAME, (b"Connection", b"origin")], False),
        ([(b"Referer", b"http://localhost:8000/admin/wallet/")], False),
    ],
)
def test_a_write_comes_from_the_same_origin(fields: list[Field], is_let_on: bool) -> None:
    decision = ask(COOKIE, *fields, method=b"POST")

    assert outcome(decision) == ("AskSession" if is_let_on else "forbidden")


def test_a_write_of_another_site_is_refused_before_anybody_is_looked_for() -> None:
    assert outcome(ask(HTML, method=b"POST")) == "forbidden"


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("site", [b"cross-site", b"same-site", b"none", b"same-origin"])
def test_a_link_of_any_site_leads_to_an_admin(method: bytes, site: bytes) -> None:
    decision = ask(COOKIE, (b"Sec-Fetch-Site", site), (b"Origin", b"http://evil.example"), method=method)

    assert outcome(decision) == "AskSession"


@pytest.mark.parametrize("method", [b"PUT", b"PATCH", b"DELETE", b"TRACE"])
def test_an_admin_takes_no(method: bytes) -> None:
    assert outcome(ask(COOKIE, SAME, method=method)) == "method-not-allowed"


@pytest.mark.parametrize("host", [b"127.0.0.1:8000", b"[::1]:8000", b"LOCALHOST:8000"])
def test_every_name_of_this_machine_is_an_origin_of_its_own(host: bytes) -> None:
    same = (b"Origin", b"http://" + host.lower())

    assert outcome(ask(COOKIE, same, method=b"POST", host=host)) == "AskSession"


@pytest.mark.parametrize("host", [b"shop.example", b"shop.example:443"])
@pytest.mark.parametrize(
    ("origin", "expected"),
    [(b"https://shop.example", "AskSession"), (b"http://shop.example", "forbidden")],
)
def test_a_public_origin_has_no_port_of_its_scheme(host: bytes, origin: bytes, expected: str) -> None:
    cookie = (b"Cookie", b"__Host-sid=" + SESSION)

    decision = ask(
        cookie,
        (b"Origin", origin),
        method=b"POST",
        origin="https://shop.example",
        name=b"__Host-sid",
        host=host,
    )

    assert outcome(decision) == expected


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_leads_people_without_a_session_to_the_log_in_and_back(method: bytes) -> None:
    decision = ask(HTML, method=method)

    assert isinstance(decision, Redirect)
    assert decision.location == (
        "/account/login/?next=/admin/wallet/wallet/transfer/%3Fkind__exact%3Dtopup%26p%3D2"
    )


@pytest.mark.case("H4")
@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/admin/wallet/?next=//evil.example", "/admin/wallet/%3Fnext%3D//evil.example"),
        (b"/admin/wallet/a%20b", "/admin/wallet/a%2520b"),
        (b"/admin/wallet/?q=" + b"a" * 4000, "/admin/wallet/"),
        (b"/admin/wallet", "/admin/wallet"),
    ],
)
def test_comes_back_to_this_site_alone(target: bytes, expected: str) -> None:
    decision = ask(HTML, target=target)

    assert isinstance(decision, Redirect)
    assert decision.location == f"/account/login/?next={expected}"


@pytest.mark.parametrize(
    ("method", "fields"),
    [(b"GET", []), (b"GET", [(b"Accept", b"text/css,*/*;q=0.1")]), (b"POST", [SAME, HTML])],
)
def test_tells_programs_and_forms_without_a_session_so(method: bytes, fields: list[Field]) -> None:
    decision = ask(*fields, method=method)

    assert outcome(decision) == "authentication-required"
    assert decision[2] == (("www-authenticate", 'Cookie realm="mercato"'),)


def test_a_stranger_gets_no_challenge() -> None:
    decision = ask(COOKIE)
    assert isinstance(decision, AskSession)

    refusal = refuse_stranger(decision.forward)

    assert (refusal.code, refusal.fields) == ("forbidden", ())


@pytest.mark.parametrize(
    ("code", "fields", "location"),
    [
        ("invalid-token", [HTML], "/account/login/?next=/admin/wallet"),
        ("step-up-required", [HTML], "/account/reauthenticate/?next=/admin/wallet"),
        ("second-factor-required", [HTML], "/account/security/"),
        ("insufficient-scope", [HTML], None),
        ("step-up-required", [], None),
        ("second-factor-required", [], None),
    ],
)
def test_leads_people_on_and_tells_programs(code: str, fields: list[Field], location: str | None) -> None:
    decision = ask(COOKIE, *fields, target=b"/admin/wallet")
    assert isinstance(decision, AskSession)

    answer = refuse_session(decision.forward, code)

    assert (answer.location if isinstance(answer, Redirect) else None) == location


@pytest.mark.parametrize("code", sorted(SESSION_REFUSALS))
def test_challenges_who_is_not_logged_in_or_no_longer(code: str) -> None:
    decision = ask(COOKIE, SAME, method=b"POST")
    assert isinstance(decision, AskSession)

    answer = refuse_session(decision.forward, code)

    assert isinstance(answer, Refuse)
    assert bool(answer.fields) is (code in {"invalid-token", "step-up-required"})


@pytest.mark.parametrize("code", sorted(SESSION_REFUSALS))
def test_leads_no_form_anywhere(code: str) -> None:
    decision = ask(COOKIE, SAME, HTML, method=b"POST")
    assert isinstance(decision, AskSession)

    assert isinstance(refuse_session(decision.forward, code), Refuse)


@pytest.mark.parametrize(
    ("target", "fields", "is_page"),
    [
        (b"/", [HTML], True),
        (b"/account/login/", [HTML], True),
        (TARGET, [HTML], True),
        (b"/nothing", [HTML], True),
        (b"/admin/", [(b"Accept", b"*/*"), (b"accept", b"TEXT/HTML")], True),
        (b"/c/../x", [HTML], True),
        (b"/c/" + b"a" * 9000, [HTML], True),
        (b"/", [], False),
        (b"/", [(b"Accept", b"application/json, */*")], False),
        (b"/api/v1/wallet", [HTML], False),
        (b"/api/nothing", [HTML], False),
        (b"/media/products/x", [HTML], False),
        (b"/.well-known/jwks.json", [HTML], False),
        (b"/internal/token", [HTML], False),
        (b"/livez", [HTML], False),
        (b"", [], False),
    ],
)
def test_answers_browsers_with_pages(target: bytes, fields: list[Field], is_page: bool) -> None:
    request = Request(b"GET", target, "1.1", fields, is_upgrade=False)

    assert is_answered_with_page(request, RouteTable()) is is_page


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("http://localhost:8000", "sid"),
        ("http://127.0.0.1:8000", "sid"),
        ("http://[::1]:8000", "sid"),
        ("https://localhost:8000", "__Host-sid"),
        ("https://shop.example", "__Host-sid"),
    ],
)
def test_the_session_cookie_is_the_web_s(origin: str, name: str, issuer: Issuer) -> None:
    address = ("127.0.0.1", 0)
    configuration = Configuration(origin, address, address, issuer.directory, "", {})

    assert configuration.session_cookie == name
