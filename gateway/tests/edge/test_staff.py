"""Admins on the wire: what the web is asked, what arrives at the service, and what comes back."""

import asyncio
import json
import time
from collections.abc import Callable

import pytest

from gateway.edge.testing import EDGE_KEY, SUBJECT, Behavior, RawReply, RunningEdge, Seen, json_reply

SESSION = "abcdefghijklmnopqrstuvwxyz012345"
HOST = b"Host: localhost:8000\r\n"
COOKIE = b"Cookie: sid=" + SESSION.encode() + b"\r\n"
READ = b"GET /admin/wallet/?p=1 HTTP/1.1\r\n" + HOST
POST = b"POST /admin/wallet/x/add/ HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n"
SAME = b"Origin: http://localhost:8000\r\nSec-Fetch-Site: same-origin\r\n"
HTML = b"Accept: text/html\r\n"
ADMINS = {
    "wallet": ("wallet", "wallet"),
    "categories": ("categories", "catalog_category"),
    "products": ("products", "catalog_product"),
    "variants": ("variants", "catalog_variant"),
    "banners": ("banners", "banner"),
}


def replying(data: bytes) -> Behavior:
    async def behave(seen: Seen) -> None:
        await seen.read_body()
        seen.reply(data)

    return behave


def page_reply(extra: bytes, body: bytes = b"<p>a</p>", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: text/html\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status,
        len(body),
        extra,
        body,
    )


def read_head(edge: RunningEdge, reply: RawReply) -> bytes:
    """What the service gets of READ."""
    return edge.head_for(reply, "GET /admin/wallet/?p=1", own=edge.token_line)


@pytest.mark.parametrize("name", ADMINS)
def test_asks_the_web_about_the_session_for_the_service_alone(edge: RunningEdge, name: str) -> None:
    upstream, audience = ADMINS[name]

    reply = edge.ask(b"GET /admin/%b/ HTTP/1.1\r\n" % name.encode() + HOST + COOKIE + b"\r\n")

    (asked,) = edge.web.seen
    (seen,) = getattr(edge, upstream).seen
    assert reply.status == 200
    assert asked.start == "POST /internal/token"
    assert json.loads(asked.body) == {"session": SESSION, "audience": audience}
    assert asked.values("x-edge-key") == [EDGE_KEY]
    assert seen.start == f"GET /admin/{name}/"
    assert seen.values("authorization")[0].startswith("Bearer ey")


@pytest.mark.case("D4", "F1")
def test_the_service_gets_exactly_this(edge: RunningEdge) -> None:
    edge.ask(
        READ
        + b"Cookie: wallet_csrftoken=tok; sid=%b; banner_csrftoken=b; wallet_messages=a:b-_.; x=y\r\n"
        % SESSION.encode()
        + b"Accept: text/html\r\nAuthorization: Bearer a.b.c\r\nReferer: http://localhost:8000/staff\r\n"
        + b"Sec-Fetch-Site: same-origin\r\nX-CSRFToken: tok\r\nHX-Request: true\r\nX-User: root\r\n"
        + b"X-Request-ID: 0123456789\r\nX-Forwarded-User: root\r\nRemote-User: root\r\n\r\n"
    )

    (seen,) = edge.wallet.seen
    (authorization,) = seen.values("authorization")
    assert seen.head == (
        b"GET /admin/wallet/?p=1 HTTP/1.1\r\nhost: localhost:8000\r\nx-forwarded-host: localhost:8000\r\n"
        b"accept: text/html\r\nreferer: http://localhost:8000/staff\r\nsec-fetch-site: same-origin\r\n"
        b"x-csrftoken: tok\r\ncookie: wallet_csrftoken=tok; wallet_messages=a:b-_.\r\n"
        b"x-forwarded-proto: http\r\nvia: 1.1 mercato\r\n"
        b"x-request-id: 0123456789\r\nx-forwarded-for: 127.0.0.1\r\nauthorization: %b\r\n\r\n"
        % authorization.encode()
    )
    assert "a.b.c" not in authorization


@pytest.mark.parametrize(
    ("cookie", "passes"),
    [
        (b"wallet_csrftoken=a", ["wallet_csrftoken=a"]),
        (b"wallet_messages=.a-b_c:D:e", ["wallet_messages=.a-b_c:D:e"]),
        (b"wallet_messages=m; wallet_csrftoken=a", ["wallet_csrftoken=a; wallet_messages=m"]),
        (b"wallet_csrftoken=a; wallet_csrftoken=b", []),
        (b"wallet_csrftoken=a; wallet_messages=m; wallet_csrftoken=a", ["wallet_messages=m"]),
        (b'wallet_csrftoken="a"', []),
        (b"wallet_csrftoken=a b", []),
        (b"wallet_csrftoken=a,b", []),
        (b"wallet_csrftoken=", []),
        (b"wallet_csrftoken=a\xff", []),
        (b"wallet_csrftoken=" + b"a" * 4001, []),
        (b"Wallet_csrftoken=a", []),
        (b"xwallet_csrftoken=a; banner_messages=b; csrftoken=c; sessionid=d", []),
    ],
)
def test_of_cookies_the_service_gets_its_own_two(edge: RunningEdge, cookie: bytes, passes: list[str]) -> None:
    edge.ask(READ + COOKIE + b"Cookie: " + cookie + b"\r\n\r\n")

    assert edge.wallet.seen[0].values("cookie") == passes


@pytest.mark.parametrize(
    "line",
    [
        b"wallet_csrftoken=a; expires=Mon, 22 Nov 2027 10:00:00 GMT; HttpOnly; Max-Age=9;"
        b" Path=/admin/wallet/; SameSite=Lax; Secure",
        b'wallet_messages=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/admin/wallet/',
        b"wallet_messages=.a:b; path=/admin/wallet/",
    ],
)
def test_a_service_sets_its_own_two_cookies(edge: RunningEdge, line: bytes) -> None:
    edge.wallet.behave = replying(page_reply(b"Set-Cookie: " + line + b"\r\n"))

    reply = edge.ask(READ + COOKIE + b"\r\n")

    assert reply.field("set-cookie") == line.decode()


@pytest.mark.case("E15")
@pytest.mark.parametrize(
    "line",
    [
        b"sid=evil; Path=/admin/wallet/",
        b"__Host-sid=evil; Path=/; Secure",
        b"sessionid=evil; Path=/admin/wallet/",
        b"csrftoken=evil; Path=/admin/wallet/",
        b"banner_csrftoken=evil; Path=/admin/wallet/",
        b"wallet_csrftoken=a",
        b"wallet_csrftoken=a; Path=/",
        b"wallet_csrftoken=a; Path=/admin/",
        b"wallet_csrftoken=a; Path=/admin/wallet",
        b"wallet_csrftoken=a; Path=/admin/banners/",
        b"wallet_csrftoken=a; Path=/admin/wallet/; Path=/",
        b"wallet_csrftoken=a; Path=/admin/wallet/; Domain=localhost",
        b"wallet_csrftoken=a; Path=/admin/wallet/; domain",
        b"wallet_csrftoken=a; Path=/admin/wallet/; Partitioned",
        b"wallet_csrftoken=a b; Path=/admin/wallet/",
        b"=wallet_csrftoken=a; Path=/admin/wallet/",
        b"Wallet_csrftoken=a; Path=/admin/wallet/",
        b"",
    ],
)
def test_a_service_sets_no_other_cookie(edge: RunningEdge, line: bytes) -> None:
    edge.wallet.behave = replying(page_reply(b"set-cookie: " + line + b"\r\n"))

    reply = edge.ask(READ + COOKIE + b"\r\n")

    assert (reply.status, reply.field("set-cookie")) == (200, None)
    assert [seen.head for seen in edge.wallet.seen] == [read_head(edge, reply)]


@pytest.mark.parametrize(
    "name",
    [
        *("Clear-Site-Data", "Refresh", "Service-Worker-Allowed", "WWW-Authenticate", "Report-To", "NEL"),
        *("Strict-Transport-Security", "Access-Control-Allow-Origin", "Server", "Keep-Alive", "Alt-Svc"),
    ],
)
def test_a_service_does_not_speak_for_the_origin(edge: RunningEdge, name: str) -> None:
    edge.wallet.behave = replying(page_reply(f"{name}: x\r\n".encode()))

    reply = edge.ask(READ + COOKIE + b"\r\n")

    assert (reply.status, reply.field(name.lower())) == (200, None)


def test_a_page_of_a_service_keeps_its_policy(edge: RunningEdge) -> None:
    policy = "default-src 'none'; style-src 'self'"
    edge.wallet.behave = replying(page_reply(f"Content-Security-Policy: {policy}\r\n".encode()))

    reply = edge.ask(READ + COOKIE + b"\r\n")

    assert (reply.field("content-security-policy"), reply.body) == (policy, b"<p>a</p>")
    assert reply.field("content-type") == "text/html"


@pytest.mark.case("E14")
@pytest.mark.parametrize(
    ("location", "status"),
    [
        ("/account/logout/", 302),
        ("/admin/wallet/", 302),
        ("http://localhost:8000/", 302),
        ("http://evil.example/", 502),
        ("//evil.example/", 502),
        ("/\\evil.example", 502),
        ("http://localhost:8000@evil.example/", 502),
        ("javascript:alert(1)", 502),
    ],
)
def test_redirects_of_a_service_stay_on_the_origin(edge: RunningEdge, location: str, status: int) -> None:
    edge.wallet.behave = replying(page_reply(f"Location: {location}\r\n".encode(), status=b"302 Found"))

    reply = edge.ask(READ + COOKIE + b"\r\n")

    (seen, _asked) = edge.arrived
    assert (reply.status, seen.head) == (status, read_head(edge, reply))


def test_each_request_is_a_question_of_its_own(edge: RunningEdge) -> None:
    client = edge.client()
    client.send((READ + COOKIE + b"\r\n") * 3)

    assert [client.read_reply().status for _ in range(3)] == [200, 200, 200]
    assert len(edge.web.seen) == 3


def test_a_session_that_has_ended_ends_at_once(edge: RunningEdge) -> None:
    before = edge.ask(READ + COOKIE + b"\r\n")
    edge.web.behave = replying(json_reply(status="401 Unauthorized"))

    after = edge.ask(READ + COOKIE + b"\r\n")

    assert (before.status, after.status) == (200, 401)
    assert len(edge.wallet.seen) == 1


@pytest.mark.parametrize(
    ("answer", "accept", "status", "code"),
    [
        ("401 Unauthorized", b"", 401, "authentication-required"),
        ("403 Forbidden", b"", 403, "forbidden"),
        ("500 Internal Server Error", b"", 503, "unavailable"),
        ("404 Not Found", b"", 503, "unavailable"),
        ("302 Found", b"", 503, "unavailable"),
    ],
)
def test_what_the_web_says_no_to_is_a_problem_to_programs(
    edge: RunningEdge, answer: str, accept: bytes, status: int, code: str
) -> None:
    edge.web.behave = replying(json_reply(status=answer))

    reply = edge.ask(READ + COOKIE + accept + b"\r\n")

    assert (reply.status, reply.json()["code"]) == (status, code)
    assert edge.wallet.seen == []


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ("403 Forbidden", 403, b"This is not open to you"),
        ("500 Internal Server Error", 503, b"We will be right back"),
    ],
)
def test_what_the_web_says_no_to_is_a_page_to_people(
    edge: RunningEdge, answer: str, status: int, words: bytes
) -> None:
    edge.web.behave = replying(json_reply(status=answer))

    reply = edge.ask(READ + COOKIE + HTML + b"\r\n")

    assert (reply.status, words in reply.body) == (status, True)
    assert reply.field("content-type") == "text/html; charset=utf-8"


def refusing(status: str, code: str) -> Behavior:
    return replying(json_reply(json.dumps({"code": code}).encode(), status=status))


@pytest.mark.parametrize(
    ("accept", "head", "asked"), [(b"", READ, None), (HTML, READ, None), (b"", POST + SAME, True)]
)
def test_says_to_the_web_when_something_is_to_change(
    edge: RunningEdge, accept: bytes, head: bytes, asked: bool | None
) -> None:
    edge.ask(head + COOKIE + accept + (b"\r\na=b" if asked else b"\r\n"))

    assert json.loads(edge.web.seen[0].body).get("write") is asked


@pytest.mark.parametrize(
    ("answer", "words", "onward"),
    [
        (
            ("401 Unauthorized", "step-up-required"),
            b"Please confirm",
            b"/account/reauthenticate/?next=/staff",
        ),
        (("403 Forbidden", "second-factor-required"), b"This needs a second factor", b"/account/security/"),
    ],
)
def test_answers_a_form_that_lacks_something_with_what_to_do(
    edge: RunningEdge, answer: tuple[str, str], words: bytes, onward: bytes
) -> None:
    edge.web.behave = refusing(*answer)

    reply = edge.ask(POST + COOKIE + SAME + HTML + b"\r\na=b")

    assert reply.status == int(answer[0][:3])
    assert words in reply.body
    assert b"Nothing was saved" in reply.body
    assert b'href="%b"' % onward in reply.body
    assert edge.wallet.seen == []


@pytest.mark.parametrize(
    ("answer", "location"),
    [
        (
            ("401 Unauthorized", "step-up-required"),
            "/account/reauthenticate/?next=/admin/wallet/%3Fp%3D1",
        ),
        (("403 Forbidden", "second-factor-required"), "/account/security/"),
    ],
)
def test_leads_people_to_what_they_lack(edge: RunningEdge, answer: tuple[str, str], location: str) -> None:
    edge.web.behave = refusing(*answer)

    reply = edge.ask(READ + COOKIE + HTML + b"\r\n")

    assert (reply.status, reply.field("location")) == (302, location)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("401 Unauthorized", "step-up-required", (401, "step-up-required")),
        ("403 Forbidden", "second-factor-required", (403, "second-factor-required")),
        ("403 Forbidden", "step-up-required", (403, "forbidden")),
        ("401 Unauthorized", "second-factor-required", (401, "authentication-required")),
        ("401 Unauthorized", "internal-error", (401, "authentication-required")),
        ("500 Internal Server Error", "step-up-required", (503, "unavailable")),
    ],
)
def test_believes_of_the_web_only_what_it_can_mean(
    edge: RunningEdge, status: str, code: str, expected: tuple[int, str]
) -> None:
    edge.web.behave = refusing(status, code)

    reply = edge.ask(READ + COOKIE + b"\r\n")

    assert (reply.status, reply.json()["code"]) == expected


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"token": 1},
        {"token": "a.b"},
        {"token": "a.b.c\r\nx: y"},
        {"exp": "soon"},
        {"exp": True},
        {"sub": 1},
        {"sub": ""},
        {"sub": 'a","admin":"b'},
        {"sub": "a" * 65},
    ],
)
def test_takes_nothing_odd_from_the_web(edge: RunningEdge, members: dict[str, object]) -> None:
    good = {"token": "a.b.c", "exp": int(time.time()) + 60, "sub": SUBJECT}
    answer = good | members if members else {}
    edge.web.behave = replying(json_reply(json.dumps(answer).encode()))

    assert edge.ask(READ + COOKIE + b"\r\n").status == 503
    assert edge.wallet.seen == []


def test_the_log_names_who_it_was(edge: RunningEdge) -> None:
    edge.ask(READ + COOKIE + b"\r\n")
    edge.edge.shared.journal.flush()

    (line,) = [json.loads(line) for line in edge.log.getvalue().splitlines()]
    assert (line["sub"], line["route"], line["path"]) == (SUBJECT, "/admin/wallet", "/admin/wallet/")
    assert SESSION not in edge.log.getvalue().decode()


@pytest.mark.case("E13")
def test_leads_a_visitor_to_the_log_in_without_a_question(edge: RunningEdge) -> None:
    reply = edge.ask(READ + HTML + b"X-Request-ID: 0123456789\r\n\r\n")

    assert reply.head == (
        b"HTTP/1.1 302 Found\r\ndate: %b\r\ncontent-length: 0\r\nx-content-type-options: nosniff\r\n"
        b"content-security-policy: default-src 'none'; sandbox\r\n"
        b"location: /account/login/?next=/admin/wallet/%%3Fp%%3D1\r\n"
        b"x-request-id: 0123456789\r\ncache-control: no-store\r\n\r\n" % (reply.field("date") or "").encode()
    )
    assert edge.dialed == 0


def test_leads_to_the_log_in_whose_session_has_ended(edge: RunningEdge) -> None:
    edge.web.behave = replying(json_reply(status="401 Unauthorized"))
    client = edge.client()
    client.send((READ + COOKIE + HTML + b"\r\n") * 2)

    replies = [client.read_reply(), client.read_reply()]

    assert [reply.status for reply in replies] == [302, 302]
    assert replies[0].field("location") == "/account/login/?next=/admin/wallet/%3Fp%3D1"


@pytest.mark.case("D4")
def test_a_bearer_opens_no_admin(
    edge: RunningEdge, assert_refused: Callable[..., None], bearer: bytes
) -> None:
    fields = 'www-authenticate: Cookie realm="mercato"\r\n'

    assert_refused(edge, READ + bearer + b"\r\n", "authentication-required", fields=fields)


@pytest.mark.case("D1")
@pytest.mark.parametrize("second", [COOKIE, b"Cookie: sid=\r\n", b"Cookie: sid=\xff\r\n"])
def test_two_sessions_are_refused(
    edge: RunningEdge, assert_refused: Callable[..., None], second: bytes
) -> None:
    assert_refused(edge, READ + COOKIE + second + b"\r\n", "malformed-request", "Two session cookies.")


@pytest.mark.case("H2")
@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Origin: http://evil.example\r\n",
        b"Origin: null\r\n",
        SAME.replace(b"same-origin", b"cross-site"),
        b"Sec-Fetch-Site: same-site\r\n",
    ],
)
def test_a_form_of_another_site_is_refused_before_anything_is_minted(
    edge: RunningEdge, fields: bytes
) -> None:
    reply = edge.ask(POST + COOKIE + fields + b"\r\na=b")

    assert reply.status == 403
    assert edge.web.seen == edge.wallet.seen == []


def test_a_form_of_our_own_arrives_with_its_body(edge: RunningEdge) -> None:
    reply = edge.ask(POST + COOKIE + SAME + b"Content-Type: application/x-www-form-urlencoded\r\n\r\na=b")

    (seen,) = edge.wallet.seen
    assert (reply.status, seen.body) == (200, b"a=b")
    assert seen.values("origin") == ["http://localhost:8000"]
    assert seen.values("content-type") == ["application/x-www-form-urlencoded"]


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        (b"/admin/products/a", 8 * 1024 * 1024 + 64 * 1024 + 1, 413),
        (b"/admin/wallet/a", 1024 * 1024 + 1, 413),
        (b"/account/login/", 64 * 1024 + 1, 413),
        (b"/theme", 64 * 1024 + 1, 413),
    ],
)
def test_a_form_has_an_end(edge: RunningEdge, path: bytes, length: int, status: int) -> None:
    head = b"POST %b HTTP/1.1\r\n" % path + HOST + COOKIE + SAME

    reply = edge.ask(head + b"Content-Length: %d\r\n\r\n" % length)

    assert reply.status == status
    assert edge.web.seen == []


def test_gives_up_on_a_web_that_says_nothing(edge: RunningEdge) -> None:
    async def silent(seen: Seen) -> None:
        await asyncio.Event().wait()

    edge.web.behave = silent

    reply = edge.ask(READ + COOKIE + b"\r\n")

    assert (reply.status, reply.json()["code"]) == (503, "unavailable")
    assert reply.field("retry-after") == "2"


def test_asks_again_on_a_fresh_connection_when_the_pooled_one_is_stale(edge: RunningEdge) -> None:
    edge.ask(READ + COOKIE + b"\r\n")
    answered: Callable[[Seen], object] = edge.mint_answer

    async def close_the_old(seen: Seen) -> None:
        if seen.connection == 1:
            seen.writer.transport.abort()
        else:
            await answered(seen)  # type: ignore[misc]

    edge.web.behave = close_the_old

    assert edge.ask(READ + COOKIE + b"\r\n").status == 200
