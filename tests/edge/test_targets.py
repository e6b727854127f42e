"""E1 to E10: one spelling for a path, one host, and what was checked is what is sent on."""

import pytest

PATHS = {
    "E1 dots": b"/api/v1/wallet/../auth",
    "E1 dots at the end": b"/api/v1/wallet/..",
    "E1 dots at the start": b"/../api/v1/wallet",
    "E1 one dot": b"/api/v1/./wallet",
    "E1 one dot at the end": b"/api/v1/wallet/.",
    "E1 three dots": b"/api/v1/wallet/...",
    "E2 encoded slash": b"/api/v1/wallet/..%2fauth",
    "E2 encoded slash in capitals": b"/api/v1/wallet/..%2Fauth",
    "E2 encoded dots": b"/api/v1/wallet/%2e%2e/auth",
    "E2 encoded dots in capitals": b"/api/v1/wallet/%2E%2E/auth",
    "E2 one encoded dot": b"/api/v1/wallet/.%2e/auth",
    "E2 the other encoded dot": b"/api/v1/wallet/%2e./auth",
    "E3 encoded twice": b"/api/v1/wallet/..%252fauth",
    "E3 dots encoded twice": b"/api/v1/wallet/%252e%252e/auth",
    "E3 overlong dots": b"/api/v1/wallet/%c0%ae%c0%ae/auth",
    "E3 overlong slash": b"/api/v1/wallet/..%c0%afauth",
    "E3 full-width dots": b"/api/v1/wallet/%ef%bc%8e%ef%bc%8e/../auth",
    "E4 a path parameter": b"/api/v1/wallet/..;/auth",
    "E4 a path parameter with a name": b"/api/v1/wallet;a=b/transactions",
    "E4 encoded semicolon": b"/api/v1/wallet/..%3b/auth",
    "E4 a backslash": b"/api/v1/wallet/..\\auth",
    "E4 encoded backslash": b"/api/v1/wallet/..%5cauth",
    "E5 another host": b"//evil.com/x",
    "E5 three slashes": b"///api/v1/wallet",
    "E5 an empty segment": b"/api//v1/wallet",
    "E5 an empty segment inside": b"/api/v1/wallet//admin",
    "E5 an empty segment at the end": b"/api/v1/wallet//",
    "E5 a trailing dot": b"/api/v1/wallet.",
    "E5 a trailing dot inside": b"/api/v1./wallet",
    "E5 a trailing space": b"/api/v1/wallet%20",
    "E5 a leading space": b"/api/v1/%20wallet",
    "E6 NUL": b"/api/v1/wallet%00",
    "E6 NUL before an ending": b"/api/v1/wallet%00.json",
    "E6 a line break": b"/api/v1/wallet%0d%0aX-User-Id:1",
    "E6 DEL": b"/api/v1/wallet%7f",
    "E6 a bell": b"/api/v1/wallet%07",
    "E6 not UTF-8": b"/api/v1/wallet/%ff",
    "E6 an encoded letter": b"/api/v1/%77allet",
    "E6 half an encoding": b"/api/v1/wallet/%2",
    "E6 no encoding": b"/api/v1/wallet/%zz",
    "E6 a line separator": b"/api/v1/wallet/%e2%80%a8",
    "E6 a right-to-left mark": b"/api/v1/wallet/%e2%80%ae",
    "E7 an encoded slash in an id": b"/api/v1/wallet/transactions/a%2fb",
    "E10 a URL in an id": b"/api/v1/wallet/transactions/http:%2f%2fevil.com",
    "E10 a raw URL in an id": b"/api/v1/wallet/transactions/http://evil.com",
    "E10 an encoded question mark": b"/api/v1/wallet/transactions/a%3fb",
    "E10 an encoded number sign": b"/api/v1/wallet/transactions/a%23b",
    "E10 a number sign": b"/api/v1/wallet#a",
    "E10 a number sign in the query": b"/api/v1/wallet?a=b#c",
    "E10 a quote in the query": b'/api/v1/wallet?a="',
    "E10 angle brackets in the query": b"/api/v1/wallet?a=<b>",
    "E10 a backslash in the query": b"/api/v1/wallet?a=\\",
    "E10 half an encoding in the query": b"/api/v1/wallet?a=%2",
    "E8 another origin": b"http://evil.com/api/v1/wallet",
    "E8 another scheme": b"https://evil.com/",
    "E8 no scheme of ours": b"file:///etc/passwd",
    "E8 an address inside": b"http://169.254.169.254/latest/meta-data",
    "E8 an asterisk": b"*",
}

NO_TARGETS = {
    "E6 a raw tab": b"/api/v1/\twallet",
    "E6 a raw non-ASCII byte": b"/api/v1/wallet/\xe9",
    "E8 authority form": b"evil.com:80",
    "E8 a relative path": b"api/v1/wallet",
    "E8 a query alone": b"?a=b",
}

NOT_FOUND = {
    "E6 in capitals": b"/API/V1/Wallet",
    "E6 one capital": b"/api/v1/Wallet",
    "E5 a longer name": b"/api/v1/wallets",
    "E5 a shorter name": b"/api/v1/walle",
    "E5 internal": b"/internal/token",
    "E5 metrics": b"/metrics",
    "E13 an admin of nobody": b"/admin/",
    "E13 a service's own metrics below its admin": b"/admin/wallets/metrics",
    "E13 internal behind a page": b"/internal",
}

HOSTS = {
    "E9 another": b"Host: evil",
    "E9 two in one": b"Host: a,b",
    "E9 ours and another in one": b"Host: {host}, evil",
    "E9 the wallet's port": b"Host: 127.0.0.1:8001",
    "E9 the wallet's name": b"Host: wallet:8000",
    "E9 missing": b"",
    "E9 empty": b"Host:",
    "E9 with user information": b"Host: a@{host}",
    "E9 as user information": b"Host: {host}@evil",
    "E9 an IPv6 zone": b"Host: [::1%25eth0]:{port}",
    "E9 IPv6 without brackets": b"Host: ::1:{port}",
    "E9 without its port": b"Host: localhost",
    "E9 another port": b"Host: localhost:1",
    "E9 two ports": b"Host: {host}:80",
    "E9 a port with a sign": b"Host: localhost:+{port}",
    "E9 a port with a zero": b"Host: localhost:0{port}",
    "E9 a trailing dot": b"Host: localhost.:{port}",
    "E9 a suffix": b"Host: {host}.evil.com",
    "E9 a prefix": b"Host: evil.{host}",
    "E9 a path": b"Host: {host}/evil",
    "E9 a scheme": b"Host: http://{host}",
    "E9 a space inside": b"Host: {host} evil",
    "E9 a tab inside": b"Host: {host}\tevil",
    "E9 non-ASCII": b"Host: localh\xc3\xb6st:{port}",
    "E9 all addresses": b"Host: 0.0.0.0:{port}",
    "E9 127.1": b"Host: 127.1:{port}",
}

TWO_HOSTS = {
    "E9 the same twice": b"Host: {host}\r\nHost: {host}",
    "E9 ours, then another": b"Host: {host}\r\nHost: evil",
    "E9 another, then ours": b"Host: evil\r\nHost: {host}",
}

PASSED = {
    "E10 an encoded space": b"/api/v1/wallet/transactions/a%20b",
    "E10 encoded letters of other scripts": b"/api/v1/wallet/transactions/%C3%A9",
    "E10 encoded in lower case": b"/api/v1/wallet/transactions/%c3%a9",
    "E10 a scheme in an id": b"/api/v1/wallet/transactions/http:evil.com",
    "E10 a host in an id": b"/api/v1/wallet/@evil.com",
    "E10 user information in an id": b"/api/v1/wallet/transactions/a:b@evil.com:80",
    "E10 a URL in the query": b"/api/v1/wallet/transactions?next=http://evil.com/../x&a=//b",
    "E10 an encoded URL in the query": b"/api/v1/wallet/transactions?next=http%3A%2F%2Fevil.com%2F%2e%2e",
    "E10 all that a query may hold": b"/api/v1/wallet?a=-._~!$&'()*+,;=:@/?%00%0d%0a",
    "E10 an empty query": b"/api/v1/wallet?",
    "E10 two question marks": b"/api/v1/wallet??",
    "E10 all that a path may hold": b"/api/v1/wallet/-_~!$&'()*+,=:@a.b",
    "E10 a trailing slash": b"/api/v1/wallet/",
    "E10 hidden": b"/api/v1/wallet/.well-known",
}

NOT_ALLOWED = {"E12 TRACE": b"TRACE", "E12 PROPFIND": b"PROPFIND", "E12 DELETE": b"DELETE"}

NO_METHODS = {
    "E12 in lower case": b"get",
    "E12 unknown": b"TRACK",
    "E12 of 1 KB": b"G" * 1024,
    "E12 with a trailing character": b"GETX",
}

NOT_CANONICAL = "The path is not in its canonical form."


def get(edge, target, method=b"GET"):
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, edge.lines)


def ask(edge, connect, request):
    with connect(edge.port) as wire:
        return wire.ask(request)


@pytest.mark.case("E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E10")
@pytest.mark.parametrize("target", PATHS.values(), ids=PATHS.keys())
def test_refuses_a_target_that_is_not_canonical(edge, assert_refused, target):
    assert_refused(get(edge, target), "malformed-request", NOT_CANONICAL)


@pytest.mark.case("E6", "E8")
@pytest.mark.parametrize("target", NO_TARGETS.values(), ids=NO_TARGETS.keys())
def test_refuses_what_is_no_target(edge, assert_refused, target):
    assert_refused(get(edge, target), "malformed-request", closes=True)


@pytest.mark.case("E8")
def test_refuses_its_own_origin_in_absolute_form(edge, assert_refused):
    assert_refused(get(edge, b"http://%b/api/v1/wallet" % edge.host), "malformed-request", NOT_CANONICAL)


@pytest.mark.case("E5", "E6", "E13")
@pytest.mark.parametrize("target", NOT_FOUND.values(), ids=NOT_FOUND.keys())
def test_knows_no_other_path(edge, assert_refused, target):
    assert_refused(get(edge, target), "not-found")


@pytest.mark.case("E13")
def test_asks_at_an_admin_who_it_is(edge, assert_refused):
    challenge = ("www-authenticate", 'Cookie realm="mercato"')

    assert_refused(get(edge, b"/admin/wallet/"), "authentication-required", fields=(challenge,))


@pytest.mark.case("E12")
@pytest.mark.parametrize("method", NOT_ALLOWED.values(), ids=NOT_ALLOWED.keys())
def test_names_the_methods_it_allows(edge, assert_refused, method):
    allow = ("allow", "GET, HEAD, POST, OPTIONS")

    assert_refused(get(edge, b"/api/v1/wallet", method), "method-not-allowed", fields=(allow,))


@pytest.mark.case("E12")
@pytest.mark.parametrize("method", NO_METHODS.values(), ids=NO_METHODS.keys())
def test_refuses_what_is_no_method(edge, assert_refused, method):
    assert_refused(get(edge, b"/api/v1/wallet", method), "malformed-request", closes=True)


@pytest.mark.case("E8", "E12")
@pytest.mark.parametrize("target", [b"evil.com:443", b"/api/v1/wallet"])
def test_is_no_tunnel(edge, assert_refused, target):
    assert_refused(get(edge, target, b"CONNECT"), "malformed-request", "This is no tunnel.", closes=True)


def get_at(edge, line):
    host = line.replace(b"{host}", edge.host).replace(b"{port}", b"%d" % edge.port)
    lines = [host, *edge.lines.split(b"\r\n")[1:]] if host else edge.lines.split(b"\r\n")[1:]
    return b"GET /api/v1/wallet HTTP/1.1\r\n%b\r\n" % b"\r\n".join(lines)


@pytest.mark.case("E9")
@pytest.mark.parametrize("line", HOSTS.values(), ids=HOSTS.keys())
def test_refuses_a_host_that_is_not_its_own(edge, assert_refused, line):
    assert_refused(get_at(edge, line), "malformed-request", "The Host is not this origin's.")


@pytest.mark.case("E9")
@pytest.mark.parametrize("line", TWO_HOSTS.values(), ids=TWO_HOSTS.keys())
def test_refuses_two_hosts(edge, assert_refused, line):
    assert_refused(get_at(edge, line), "malformed-request", "Two host header fields.", closes=True)


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "[::1]"])
def test_sends_the_host_on_as_it_came(edge, connect, name):
    host = f"{name}:{edge.port}".encode()

    reply = ask(edge, connect, get(edge, b"/api/v1/wallet").replace(edge.host, host))

    [seen] = edge.seen
    assert reply.status == 200
    assert seen.head == edge.head_for(reply, host=host)


@pytest.mark.case("E10")
@pytest.mark.parametrize("target", PASSED.values(), ids=PASSED.keys())
def test_sends_a_canonical_target_on_byte_for_byte(edge, connect, target):
    reply = ask(edge, connect, get(edge, target))

    [seen] = edge.seen
    assert reply.status == 200
    assert seen.head == edge.head_for(reply, b"GET %b HTTP/1.1" % target)


@pytest.mark.parametrize("path", [b"/livez", b"/readyz"])
@pytest.mark.parametrize("host", [b"evil", b"10.0.0.1:8000"])
def test_answers_a_probe_under_any_host(edge, connect, path, host):
    reply = ask(edge, connect, b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (path, host))

    assert reply.status == 200
    assert edge.seen == []


@pytest.mark.case("G11")
@pytest.mark.parametrize(
    ("rest", "code"),
    [
        (b"GET /api/v1/wallet?%b HTTP/1.1\r\n\r\n" % (b"a" * 10_000), "uri-too-long"),
        (b"GET /%b HTTP/1.1\r\n\r\n" % (b"a" * 10_000), "uri-too-long"),
        (b"GET /api/v1/wallet HTTP/1.1\r\nX-A: %b\r\n\r\n" % (b"a" * 20_000), "headers-too-large"),
        (b"GET /api/v1/wallet HTTP/1.1\r\n%b\r\n" % (b"X-A: b\r\n" * 300), "headers-too-large"),
        (b"POST /api/v1/wallet HTTP/1.1\r\nContent-Length: 104857600\r\n\r\n", "content-too-large"),
    ],
    ids=["a long query", "a long path", "a long header", "many headers", "a long body"],
)
def test_refuses_what_is_too_large(edge, connect, rest, code):
    line, _, headers = rest.partition(b"\r\n")

    with connect(edge.port) as wire:
        wire.send(line + b"\r\n" + edge.lines + headers)
        [reply] = wire.replies()

    assert reply.code == code
    assert edge.seen == []
