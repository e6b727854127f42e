"""D2 to D7: a credential stands in one place; where none is needed a bad one is still refused."""

import json

import pytest

from chassis.problems import CHALLENGE, REFUSED_CHALLENGE
from chassis.testing.attacks import ATTACKS, Aim, Answer

PATH = b"/api/v1/categories"
READS = [b"GET", b"HEAD"]
WRITES = [b"POST", b"PATCH", b"DELETE"]
ANSWERS = {Answer.REFUSED, Answer.FORBIDDEN, Answer.MALFORMED, Answer.TOO_LARGE}

NONE = {
    "D7 no Authorization": b"",
    "D7 an empty Authorization": b"Authorization:\r\n",
    "D7 an Authorization of white space": b"Authorization: \t \r\n",
    "D7 an empty Authorization in capitals": b"AUTHORIZATION:\r\n",
    "D7 a cookie": b"Cookie: __Host-sid=a; sid=a; access_token=a\r\n",
}

BAD = {
    "D6 no token": b"Bearer",
    "D6 no scheme": b"a.b.c",
    "D6 no signature": b"Bearer eyJhbGciOiJub25lIn0.e30.",
    "D6 another scheme": b"Basic YTpi",
    "D6 null": b"null",
    "D6 a bearer called null": b"Bearer null",
    "D6 a bearer called undefined": b"Bearer undefined",
    "D6 non-ASCII": b"Bearer \xff",
    "D6 a comma": b",",
    "D6 a quoted nothing": b'""',
    "D6 a no-break space": b"\xa0",
}

ELSEWHERE = {
    "D3 a cookie": b"Cookie: access_token=%b\r\n",
    "D3 a cookie called so": b"Cookie: Authorization=Bearer %b\r\n",
    "D3 X-Access-Token": b"X-Access-Token: %b\r\n",
    "D3 X-Authorization": b"X-Authorization: Bearer %b\r\n",
    "D3 Proxy-Authorization": b"Proxy-Authorization: Bearer %b\r\n",
    "D3 Sec-WebSocket-Protocol": b"Sec-WebSocket-Protocol: bearer, %b\r\n",
}

BODIES = [
    (b"application/x-www-form-urlencoded", b"access_token=%b"),
    (b"application/json", b'{"access_token": "%b", "Authorization": "Bearer"}'),
]

MISSPELLED = [
    b"Bearer {token}, Bearer {token}",
    b"Bearer {token},",
    b"Bearer {token} x",
    b"Bearer  {token}",
    b"Bearer\t{token}",
    b"Bearer={token}",
    b"Bearer: {token}",
    b'Bearer "{token}"',
    b'Bearer token="{token}"',
    b"Bearer",
    b"Basic {token}",
    b"Token {token}",
    b"{token}",
    b"Bearer Bearer {token}",
]

SESSION = b"abcdefghijklmnopqrstuvwxyz012345"
CHALLENGED = (("www-authenticate", CHALLENGE),)
REFUSED = (("www-authenticate", REFUSED_CHALLENGE),)

of_refused_tokens = pytest.mark.parametrize(
    "case", [case for case in ATTACKS if case.edge in ANSWERS], ids=lambda case: f"D6 {case.label}"
)


def request(edge, method, lines=b"", query=b""):
    return b"%b %b%b HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n%b\r\n" % (
        method,
        PATH,
        b"?" + query if query else b"",
        edge.host,
        lines,
    )


def get_wallet(edge, lines):
    return b"GET /api/v1/wallet HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (edge.host, lines)


def line_of(method, query=b""):
    return b"%b %b%b HTTP/1.1" % (method, PATH, query)


def ask(edge, connect, method, lines=b"", query=b""):
    with connect(edge.port) as wire:
        return wire.ask(request(edge, method, lines, query), is_head=method == b"HEAD")


def authorization(edge, **claims):
    return b"Authorization: Bearer %b\r\n" % edge.forge.mint("gateway", **claims).encode()


def lines_of(parts):
    fields = [("Authorization", value) for value in parts.authorization] + list(parts.headers)
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")


@pytest.mark.case("D7")
@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("lines", NONE.values(), ids=NONE.keys())
def test_d7_serves_a_read_without_a_credential(edge, connect, method, lines):
    reply = ask(edge, connect, method, lines)

    [seen] = edge.seen
    assert (reply.status, seen.head) == (200, edge.head_for(reply, line_of(method), own=b""))
    assert edge.web.requests == []


@pytest.mark.case("D7")
@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("lines", NONE.values(), ids=NONE.keys())
def test_d7_refuses_a_write_without_a_credential(edge, assert_refused, method, lines):
    data = request(edge, method, lines)

    assert_refused(data, "authentication-required", fields=CHALLENGED, closes=True)


@pytest.mark.case("D6")
@pytest.mark.parametrize("method", [b"GET", *WRITES])
@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_d6_takes_no_bad_credential_for_none(edge, assert_refused, method, value):
    data = request(edge, method, b"Authorization: %b\r\n" % value)

    assert_refused(data, "invalid-token", fields=REFUSED, closes=True)


@pytest.mark.case("D6")
@of_refused_tokens
def test_d6_takes_no_attack_on_a_token_for_none(edge, connect, case):
    parts = case.build(Aim(edge.forge, "gateway", scope="catalog:write"))

    replies = [ask(edge, connect, method, lines_of(parts)) for method in (b"GET", b"DELETE")]

    assert [(reply.status, reply.code) for reply in replies] == [case.edge.value] * 2
    assert [reply.header("connection") for reply in replies] == ["close"] * 2
    assert edge.is_untouched


@pytest.mark.case("D3")
@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("place", [b"access_token=", b"jwt=", b"Authorization=Bearer%20"])
def test_finds_no_token_in_a_query(edge, connect, method, place):
    token = edge.forge.mint("gateway", scope="catalog:write").encode()

    reply = ask(edge, connect, method, query=place + token)

    [seen] = edge.seen
    assert seen.head == edge.head_for(reply, line_of(method, b"?" + place + token), own=b"")
    assert edge.web.requests == []


@pytest.mark.case("D3")
@pytest.mark.parametrize("lines", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_d3_reads_a_token_in_no_other_field(edge, connect, assert_refused, lines):
    lines = lines % edge.token.encode()

    assert_refused(get_wallet(edge, lines), "authentication-required", fields=CHALLENGED)
    reply = ask(edge, connect, b"GET", lines)

    [seen] = edge.seen
    assert seen.head == edge.head_for(reply, line_of(b"GET"), own=b"")


@pytest.mark.case("D3")
@pytest.mark.parametrize(("media_type", "body"), BODIES)
def test_d3_reads_a_token_in_no_body(edge, assert_refused, media_type, body):
    body %= edge.token.encode()
    start = b"POST /api/v1/wallet/adjustments HTTP/1.1\r\nHost: %b\r\n" % edge.host
    lines = b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n" % (media_type, len(body))

    assert_refused(start + lines + body, "authentication-required", fields=CHALLENGED)


@pytest.mark.case("D2")
@pytest.mark.parametrize("value", MISSPELLED)
def test_d2_takes_no_other_spelling(edge, assert_refused, value):
    lines = b"Authorization: %b\r\n" % value.replace(b"{token}", edge.token.encode())

    assert_refused(get_wallet(edge, lines), "invalid-token", fields=REFUSED)


@pytest.mark.case("D2")
@pytest.mark.parametrize("value", [b"bearer %b", b"BEARER %b", b"\t Bearer %b \t"])
def test_d2_takes_the_scheme_in_any_case(edge, connect, value):
    with connect(edge.port) as wire:
        reply = wire.ask(get_wallet(edge, b"Authorization: %b\r\n" % value % edge.token.encode()))

    [seen] = edge.seen
    assert (reply.status, seen.head) == (200, edge.head_for(reply))


@pytest.mark.case("D4")
def test_d4_serves_whom_the_bearer_names(edge, connect):
    token = edge.forge.mint("gateway", scope="wallet:read")
    lines = b"Cookie: sid=%b\r\nAuthorization: Bearer %b\r\n" % (SESSION, token.encode())

    with connect(edge.port) as wire:
        reply = wire.ask(get_wallet(edge, lines))

    [asked], [seen] = edge.web.requests, edge.seen
    assert json.loads(asked.body) == {"bearer": token, "audience": "wallet"}
    own = b"authorization: Bearer %b\r\n" % edge.minted[token, "wallet"].encode()
    assert (reply.status, seen.head) == (200, edge.head_for(reply, own=own))


@pytest.mark.case("D5")
@pytest.mark.parametrize("value", BAD.values(), ids=BAD.keys())
def test_d5_lets_no_session_make_up_for_a_bad_bearer(edge, assert_refused, value):
    lines = b"Cookie: sid=%b\r\nAuthorization: %b\r\n" % (SESSION, value)

    assert_refused(get_wallet(edge, lines), "invalid-token", fields=REFUSED)


@pytest.mark.case("B11")
@pytest.mark.parametrize("method", [b"GET", *WRITES])
def test_refuses_a_service_as_a_user(edge, connect, method):
    claims = edge.forge.service_claims("gateway", "svc:gateway", "catalog:write")
    token = edge.forge.sign(claims).encode()

    reply = ask(edge, connect, method, b"Authorization: Bearer %b\r\n" % token)

    assert (reply.status, reply.code) == (403, "insufficient-scope")
    assert edge.seen == edge.web.requests == []


def test_shows_a_service_nothing_of_a_token_without_rights_there(edge, connect):
    reply = ask(edge, connect, b"GET", authorization(edge, scope="wallet:read wallet:admin"))

    [seen] = edge.seen
    assert reply.status == 200
    assert b"authorization" not in seen.fields


@pytest.mark.parametrize("scope", ["", "catalog:read", "catalog:admin", "wallet:admin", "catalog:writer"])
@pytest.mark.parametrize("method", WRITES)
def test_refuses_a_write_without_its_scope(edge, connect, method, scope):
    reply = ask(edge, connect, method, authorization(edge, scope=scope))

    assert (reply.status, reply.code) == (403, "insufficient-scope")
    assert edge.seen == []


@pytest.mark.parametrize("method", READS + WRITES)
def test_sends_an_editor_on_with_a_token_for_that_service_alone(edge, connect, claims_of, method):
    reply = ask(edge, connect, method, authorization(edge, scope="catalog:write"))

    [seen] = edge.categories.requests
    token = seen.fields[b"authorization"].removeprefix(b"Bearer ").decode()
    assert reply.status == 200
    assert claims_of(token)["aud"] == "catalog_category"


def test_keeps_a_token_to_the_request_it_came_with(edge, connect):
    plain = b"GET %b HTTP/1.1\r\nHost: %b\r\n" % (PATH, edge.host)
    with connect(edge.port) as wire:
        wire.send(plain + authorization(edge, scope="catalog:write") + b"\r\n" + plain + b"\r\n")
        statuses = [wire.reply().status for _ in range(2)]

    assert statuses == [200, 200]
    assert [b"authorization" in seen.fields for seen in edge.categories.requests] == [True, False]


def test_sends_exactly_these_bytes_for_nobody(edge, connect):
    wishes = b"Accept-Language: de\r\nX-Request-ID: known-id-1\r\n"

    ask(edge, connect, b"GET", wishes + b"Authorization:\r\nX-User-Id: 1\r\nCookie: a=b\r\n")

    [seen] = edge.seen
    assert seen.head == (
        b"GET /api/v1/categories HTTP/1.1\r\n"
        b"host: %b\r\n"
        b"x-forwarded-host: %b\r\n"
        b"accept-language: de\r\n"
        b"x-forwarded-proto: http\r\n"
        b"via: 1.1 mercato\r\n"
        b"x-request-id: known-id-1\r\n"
        b"x-forwarded-for: 127.0.0.1\r\n"
        b"\r\n"
    ) % (edge.host, edge.host)
