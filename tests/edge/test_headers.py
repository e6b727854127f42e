"""F1 to F6: what a service hears about a request, it hears from the edge."""

import json

import pytest

IDENTITY = (
    *("X-User-Id", "X-User", "X-User-Name", "X-User-Roles", "X-Roles", "X-Role", "X-Groups", "X-Scopes"),
    *("X-Sub", "X-Email", "X-Is-Admin", "X-Admin", "Remote-User", "X-Remote-User", "X-Authenticated-User"),
    *("X-Consumer-ID", "X-Consumer-Username", "X-Consumer-Custom-ID", "X-Anonymous-Consumer"),
    *("X-Credential-Identifier", "X-Authenticated-Userid", "X-Auth-Request-User", "X-Forwarded-User"),
    *("X-Authentik-Username", "X-Authentik-Groups", "X-Forwarded-Email", "X-Forwarded-Groups"),
    *("X-Forwarded-Client-Cert", "X-JWT-Claims", "X-JWT-Payload", "X-Jwt-Assertion", "X-Amzn-Oidc-Data"),
    *("X-Goog-Authenticated-User-Email", "Cf-Access-Jwt-Assertion", "X-Edge-Key", "X-Internal"),
    *("X-Service-Token", "Proxy-Authorization", "X-Authorization", "X-Original-Authorization", "X-Api-Key"),
    *("Cookie", "Origin", "Referer", "Sec-Fetch-Site", "X-CSRFToken", "HX-Request"),
)

ROUTING = {
    "X-Forwarded-For": "1.2.3.4",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Uri": "/evil",
    "X-Forwarded-Method": "DELETE",
    "X-Forwarded-Server": "evil",
    "X-Forwarded": "for=1.2.3.4",
    "Forwarded": "for=1.2.3.4;host=evil;proto=https",
    "X-Real-IP": "1.2.3.4",
    "X-Client-IP": "1.2.3.4",
    "True-Client-IP": "1.2.3.4",
    "CF-Connecting-IP": "1.2.3.4",
    "X-Cluster-Client-IP": "1.2.3.4",
    "X-Host": "evil",
    "X-Original-Host": "evil",
    "X-HTTP-Host-Override": "evil",
    "X-Original-URL": "/internal/token",
    "X-Rewrite-URL": "/internal/token",
    "X-HTTP-Method-Override": "DELETE",
    "X-HTTP-Method": "DELETE",
    "X-Method-Override": "DELETE",
    "Via": "1.1 mercato, 1.1 mercato",
    "Max-Forwards": "0",
    "SCRIPT-NAME": "/evil",
    "Script-Name": "/evil",
    "Path-Info": "/evil",
    "Proxy": "http://evil:8080",
    "Proxy-Connection": "keep-alive",
    "TE": "trailers",
    "Trailer": "Authorization",
    "Keep-Alive": "timeout=1000",
    "Upgrade": "websocket",
    "HTTP2-Settings": "AAMAAABkAAQAAP__",
    "Early-Data": "1",
    "Traceparent": "00-zz-zz-zz",
    "Baggage": "user=1",
    "Surrogate-Capability": "a",
}

UNREADABLE = {
    "F2 a trailing space": b"X-User-Id : 1",
    "F2 a trailing tab": b"X-User-Id\t: 1",
    "F2 a leading space": b"X-A: b\r\n X-User-Id: 1",
    "F2 a vertical tab before": b"\x0bX-User-Id: 1",
    "F2 a vertical tab after": b"X-User-Id\x0b: 1",
    "F2 a vertical tab in the value": b"X-A: \x0bX-User-Id: 1",
    "F2 a bare CR in the value": b"X-A: b\rX-User-Id: 1",
    "F2 NUL in the name": b"X-User-Id\0: 1",
    "F6 X-Request-ID with a line break": b"X-Request-ID: abcdefgh\rX-User-Id: 1",
    "F6 X-Request-ID with an escape": b"X-Request-ID: abcdefgh\x1b[31m",
    "F6 X-Request-ID with NUL": b"X-Request-ID: abcdefgh\0",
}

UNDERSCORES = {
    "F2 an underscore": b"X_User_Id: 1",
    "F2 an underscore in capitals": b"X_USER_ID: 1",
    "F2 an underscore of many": b"X-User_Id: 1",
    "F2 an underscore in Authorization": b"Authorization_: Bearer a.b.c",
    "F5 SCRIPT_NAME": b"SCRIPT_NAME: /evil",
    "F5 PATH_INFO": b"PATH_INFO: /internal/token",
    "F5 REMOTE_USER": b"REMOTE_USER: admin",
    "F5 wsgi.url_scheme": b"wsgi.url_scheme_: https",
    "E9 X_Host": b"X_Host: evil",
}

TWICE = {
    "D1 two Authorization": b"Authorization: Bearer a.b.c",
    "D1 two Authorization in another case": b"aUTHORIZATION: Bearer a.b.c",
    "D1 another Authorization that is empty": b"Authorization:",
    "F2 two User-Agent": b"User-Agent: a\r\nUser-Agent: b",
    "F2 two Content-Type": b"Content-Type: a/b\r\nContent-Type: c/d",
    "F2 two Idempotency-Key": b"Idempotency-Key: a\r\nIdempotency-Key: b",
    "F6 two X-Request-ID": b"X-Request-ID: abcdefgh\r\nX-Request-ID: abcdefgh",
}

NOMINATED = {
    "F3 Authorization": "close, Authorization",
    "F3 X-Request-ID": "X-Request-ID",
    "F3 X-Forwarded-For": "X-Forwarded-For",
    "F3 all of ours": "Authorization, Host, Via, X-Request-ID, X-Forwarded-For, X-Forwarded-Host",
    "F3 in capitals": "AUTHORIZATION, HOST, VIA",
    "F3 odd commas": ",, authorization ,\tvia,",
    "F3 many": ", ".join(f"x-{number}" for number in range(500)),
}


BAD_REQUEST_IDS = {
    "F6 empty": "",
    "F6 of 7 characters": "abcdefg",
    "F6 of 129": "a" * 129,
    "F6 of 10 KB": "a" * 10_240,
    "F6 with a space": "with a space",
    "F6 with a tab": "with\ta tab",
    "F6 with a semicolon": "semi;colon",
    "F6 with markup": "<script>alert(1)</script>",
    "F6 with an encoded line break": "%0d%0aX-User-Id: 1",
    "F6 non-ASCII": "é" * 8,
}


def get(edge, *lines, path=b"/api/v1/wallet"):
    fields = b"".join(line + b"\r\n" for line in lines)
    return b"GET %b HTTP/1.1\r\n%b%b\r\n" % (path, edge.lines, fields)


def ask(edge, connect, request):
    with connect(edge.port) as wire:
        return wire.ask(request)


def line(name, value):
    return f"{name}: {value}".encode()


def variants(name):
    return [name, name.lower(), name.upper(), name.swapcase()]


@pytest.mark.case("F1")
@pytest.mark.parametrize("name", IDENTITY)
def test_f1_keeps_identity_headers_from_services(edge, connect, name):
    reply = ask(edge, connect, get(edge, line(name, "evil-value")))

    [seen] = edge.seen
    assert (reply.status, seen.head) == (200, edge.head_for(reply))


@pytest.mark.case("F2")
@pytest.mark.parametrize("name", [name for known in IDENTITY[:4] for name in variants(known)])
def test_f2_keeps_them_away_in_any_case_and_number(edge, connect, name):
    reply = ask(edge, connect, get(edge, line(name, "evil-value"), line(name, "evil-value"), line(name, "")))

    [seen] = edge.seen
    assert (reply.status, seen.head) == (200, edge.head_for(reply))


@pytest.mark.case("F2", "F6")
@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_refuses_what_is_no_field(edge, assert_refused, data):
    assert_refused(get(edge, data), "malformed-request", closes=True)


@pytest.mark.case("E9", "F2", "F5")
@pytest.mark.parametrize("data", UNDERSCORES.values(), ids=UNDERSCORES.keys())
def test_refuses_a_name_that_could_be_read_as_another(edge, assert_refused, data):
    assert_refused(get(edge, data), "malformed-request", "A header name has an underscore.", closes=True)


@pytest.mark.case("D1", "F2", "F6")
@pytest.mark.parametrize("data", TWICE.values(), ids=TWICE.keys())
def test_refuses_a_field_that_could_be_read_in_two_ways(edge, assert_refused, data):
    name = data.partition(b":")[0].decode().lower()

    assert_refused(get(edge, data), "malformed-request", f"Two {name} header fields.", closes=True)


@pytest.mark.case("F3")
@pytest.mark.parametrize("value", NOMINATED.values(), ids=NOMINATED.keys())
def test_f3_lets_no_client_take_away_what_the_edge_adds(edge, connect, value):
    reply = ask(edge, connect, get(edge, line("Connection", value)))

    [seen] = edge.seen
    assert (reply.status, seen.head) == (200, edge.head_for(reply))


@pytest.mark.case("F3")
def test_f3_removes_what_a_client_nominates(edge, connect):
    lines = [line("Accept", "text/csv"), line("Range", "bytes=0-1"), line("Connection", "Range")]

    reply = ask(edge, connect, get(edge, *lines))

    [seen] = edge.seen
    assert seen.head == edge.head_for(reply, lines=b"accept: text/csv\r\n")


@pytest.mark.case("E11", "F4", "F5")
@pytest.mark.parametrize(("name", "value"), ROUTING.items(), ids=ROUTING.keys())
def test_f4_writes_forwarding_headers_itself(edge, connect, name, value):
    reply = ask(edge, connect, get(edge, line(name, value)))

    [seen] = edge.seen
    assert (reply.status, seen.head) == (200, edge.head_for(reply))


@pytest.mark.case("E11")
@pytest.mark.parametrize(
    "body", [b"_method=DELETE", b'{"_method": "DELETE"}', b"_method=GET&_charset_=utf-7"]
)
def test_e11_reads_no_method_in_a_body(edge, connect, body):
    start = b"POST /api/v1/wallet?_method=DELETE HTTP/1.1"
    request = start + b"\r\n%bContent-Length: %d\r\n\r\n%b" % (edge.lines, len(body), body)

    reply = ask(edge, connect, request)

    [seen] = edge.seen
    own = edge.token_line + b"content-length: %d\r\n" % len(body)
    assert (reply.status, seen.body) == (200, body)
    assert seen.head == edge.head_for(reply, start, own=own)


def test_sends_exactly_these_bytes_to_a_service(edge, connect):
    lines = [line("Accept", "application/json"), line("X-Request-ID", "known-id-1"), line("Cookie", "a=b")]

    ask(edge, connect, get(edge, *lines))

    [seen] = edge.seen
    assert seen.head == (
        b"GET /api/v1/wallet HTTP/1.1\r\n"
        b"host: %b\r\n"
        b"x-forwarded-host: %b\r\n"
        b"accept: application/json\r\n"
        b"x-forwarded-proto: http\r\n"
        b"via: 1.1 mercato\r\n"
        b"x-request-id: known-id-1\r\n"
        b"x-forwarded-for: 127.0.0.1\r\n"
        b"authorization: %b\r\n"
        b"\r\n"
    ) % (edge.host, edge.host, seen.fields[b"authorization"])


def test_sends_a_token_for_that_service_alone(edge, connect, claims_of):
    ask(edge, connect, get(edge))

    token = edge.seen[0].fields[b"authorization"].removeprefix(b"Bearer ").decode()
    assert token != edge.token
    assert claims_of(token)["aud"] == "wallet"


def test_sends_no_credential_to_the_web_where_a_route_takes_none(edge, connect):
    ask(edge, connect, get(edge, line("Cookie", "sid=a"), path=b"/.well-known/jwks.json"))

    [seen] = edge.web.requests
    assert not {b"authorization", b"cookie"} & set(seen.fields)


def test_shows_its_key_to_the_web_alone(edge, connect):
    ask(edge, connect, get(edge, line("X-Edge-Key", "a" * 40), path=b"/.well-known/jwks.json"))
    ask(edge, connect, get(edge, line("X-Edge-Key", "a" * 40)))

    assert edge.web.requests[0].fields[b"x-edge-key"] == edge.key
    assert b"x-edge-key" not in edge.wallet.requests[0].fields


@pytest.mark.case("F6")
@pytest.mark.parametrize("value", ["abcdefgh", "A.b_c-1234567890", "a" * 128])
def test_f6_keeps_a_good_request_id(edge, connect, value):
    reply = ask(edge, connect, get(edge, line("X-Request-ID", value)))

    [seen] = edge.seen
    assert reply.header("x-request-id") == value
    assert seen.head == edge.head_for(reply)


@pytest.mark.case("F6")
@pytest.mark.parametrize("value", BAD_REQUEST_IDS.values(), ids=BAD_REQUEST_IDS.keys())
def test_f6_replaces_a_bad_request_id(edge, connect, value):
    reply = ask(edge, connect, get(edge, line("X-Request-ID", value)))

    [seen] = edge.seen
    made = reply.header("x-request-id")
    assert made not in {value, ""}
    assert made.isascii()
    assert seen.head == edge.head_for(reply)


@pytest.mark.case("F6")
def test_f6_keeps_its_log_lines_whole(edge, connect, eventually):
    ask(edge, connect, get(edge, line("X-Request-ID", '"},{"a":"b'), line("User-Agent", '\\"\\n{"x":1}\t')))
    ask(edge, connect, get(edge, line("X-Request-ID", "last-one-of-these")))

    eventually(lambda: "last-one-of-these" in edge.log.read_text())

    assert all(isinstance(json.loads(entry), dict) for entry in edge.log.read_text().splitlines())
