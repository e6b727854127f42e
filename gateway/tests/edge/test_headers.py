"""Which header fields pass, and which heads are unsafe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge import headers
from gateway.edge.headers import (
    DATA,
    DATA_LEAVING,
    MEDIA,
    PAGE,
    PUBLIC,
    BadHead,
    BadReply,
    Fields,
    Head,
    Passes,
)


def read(*fields: tuple[bytes, bytes], method: bytes = b"POST", version: str = "1.1") -> Head:
    return headers.read_head(method, version, fields, is_upgrade=False)


def passed(*fields: tuple[bytes, bytes], kind: tuple[Passes, ...] = headers.TO_API) -> list[bytes]:
    return headers.request_lines(read(*fields), kind)


def replied(*fields: tuple[bytes, bytes], kind: headers.ReplyKind = DATA) -> list[bytes]:
    usual: Fields = [(b"Content-Type", b"application/json"), *fields]
    return headers.reply_lines(usual, kind, has_body=True, origin=b"https://shop.example")


@pytest.mark.parametrize(
    "name",
    [
        *("accept", "Accept-Language", "content-type", "If-None-Match", "RANGE", "idempotency-key"),
        *("User-Agent", "webhook-signature"),
    ],
)
def test_passes_to_services(name: str) -> None:
    assert passed((name.encode(), b"a")) == [name.lower().encode() + b": a\r\n"]


@pytest.mark.case("F1", "F4")
@pytest.mark.parametrize(
    "name",
    [
        *(
            "X-User-Id",
            "X-User",
            "X-Roles",
            "X-Consumer-Id",
            "X-Authentik-Groups",
            "Remote-User",
            "X-Is-Admin",
        ),
        *("Cookie", "Origin", "Referer", "Sec-Fetch-Site", "X-CSRFToken", "HX-Request"),
        *(
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "X-Forwarded-Port",
            "X-Forwarded-Prefix",
        ),
        *("Forwarded", "X-Real-IP", "X-Original-URL", "X-Rewrite-URL", "Via", "X-Edge-Key", "X-Request-ID"),
        *("Script-Name", "Proxy", "X-HTTP-Method-Override", "X-Method-Override", "traceparent"),
        *("Authorization", "Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "Proxy-Authorization"),
    ],
)
def test_never_passes_to_services(name: str) -> None:
    assert passed((name.encode(), b"a")) == []


@pytest.mark.parametrize("name", ["Cookie", "Origin", "Referer", "Sec-Fetch-Site", "X-CSRFToken", "HX-New"])
def test_passes_to_pages(name: str) -> None:
    assert passed((name.encode(), b"a"), kind=headers.TO_WEB) == [name.lower().encode() + b": a\r\n"]


@pytest.mark.case("F3")
def test_drops_what_connection_nominates() -> None:
    assert passed((b"Accept", b"a"), (b"Connection", b"close, ACCEPT")) == []


def test_strips_white_space_around_a_value() -> None:
    assert passed((b"Accept", b"\t a \t")) == [b"accept: a\r\n"]


def test_keeps_a_list_that_stands_twice() -> None:
    assert passed((b"Accept", b"a"), (b"Accept", b"b")) == [b"accept: a\r\n", b"accept: b\r\n"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([(b"X_A", b"1")], "malformed-request"),
        ([(b"SCRIPT_NAME", b"/x")], "malformed-request"),
        ([(b"Host", b"a"), (b"Host", b"a")], "malformed-request"),
        ([(b"Authorization", b"a"), (b"authorization", b"b")], "malformed-request"),
        ([(b"Content-Length", b"1"), (b"Content-Length", b"1")], "malformed-request"),
        ([(b"Content-Type", b"a"), (b"Content-Type", b"b")], "malformed-request"),
        ([(b"Idempotency-Key", b"a"), (b"Idempotency-Key", b"b")], "malformed-request"),
        ([(b"Content-Length", b"1"), (b"Transfer-Encoding", b"chunked")], "malformed-request"),
        ([(b"Content-Length", b"+1")], "malformed-request"),
        ([(b"Transfer-Encoding", b"gzip, chunked")], "not-implemented"),
        ([(b"Transfer-Encoding", b", chunked")], "not-implemented"),
        ([(b"Content-Encoding", b"gzip")], "unsupported-media-type"),
        ([(b"Expect", b"a-pony")], "expectation-failed"),
        ([(b"A", b"a")] * 101, "headers-too-large"),
        ([(b"A", b"a" * 16_384)], "headers-too-large"),
    ],
)
def test_refuses(fields: list[tuple[bytes, bytes]], code: str) -> None:
    with pytest.raises(BadHead) as refusal:
        read(*fields)

    assert refusal.value.code == code


@pytest.mark.parametrize("version", ["0.9", "2.0", "1.2"])
def test_refuses_other_versions(version: str) -> None:
    with pytest.raises(BadHead) as refusal:
        read(version=version)

    assert refusal.value.code == "http-version-not-supported"


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("field", [(b"Content-Length", b"1"), (b"Transfer-Encoding", b"chunked")])
def test_refuses_a_body_on(method: bytes, field: tuple[bytes, bytes]) -> None:
    with pytest.raises(BadHead):
        read(field, method=method)


def test_refuses_chunks_on_http_1_0() -> None:
    with pytest.raises(BadHead):
        read((b"Transfer-Encoding", b"chunked"), version="1.0")


def test_refuses_a_body_with_an_upgrade() -> None:
    with pytest.raises(BadHead):
        headers.read_head(b"POST", "1.1", [(b"Content-Length", b"1")], is_upgrade=True)


def test_takes_100_fields_of_16_kib() -> None:
    field = (b"A", b"a" * (16 * 1024 // 100 - 5))

    assert read(*[field] * 100).content_length == 0


def test_takes_an_empty_length_on_get() -> None:
    assert read((b"Content-Length", b"0"), method=b"GET").content_length == 0


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_close_ends_keep_alive(version: str) -> None:
    assert not read((b"Connection", b"foo, Close"), version=version).keep_alive


def test_http_1_0_is_never_kept_alive() -> None:
    assert not read((b"Connection", b"keep-alive"), version="1.0").keep_alive


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=40)), max_size=120))
def test_any_fields_are_read_or_refused(fields: list[tuple[bytes, bytes]]) -> None:
    try:
        head = read(*fields)
    except BadHead:
        return

    assert len(headers.request_lines(head, headers.TO_API)) <= len(fields)


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Trailer", "TE", "Proxy-Authenticate"),
        *("Server", "X-Powered-By", "Alt-Svc", "Strict-Transport-Security", "Via", "X-Request-ID"),
        *("Set-Cookie", "Access-Control-Allow-Origin", "Content-Security-Policy", "X-Content-Type-Options"),
        *("Content-Length", "X-Edge-Key", "Refresh", "Clear-Site-Data"),
    ],
)
def test_an_api_reply_never_passes(name: str) -> None:
    assert replied((name.encode(), b"a")) == replied()


@pytest.mark.parametrize("name", ["ETag", "Cache-Control", "Vary", "Date", "Retry-After", "WWW-Authenticate"])
def test_an_api_reply_passes(name: str) -> None:
    assert name.lower().encode() + b": a\r\n" in replied((name.encode(), b"a"))


def test_an_api_reply_is_sandboxed() -> None:
    assert replied()[-3:-1] == [
        b"x-content-type-options: nosniff\r\n",
        b"content-security-policy: default-src 'none'; sandbox\r\n",
    ]


def test_drops_what_a_reply_nominates() -> None:
    assert replied((b"X-Hop", b"1"), (b"Connection", b"x-hop")) == replied()


def test_a_page_sets_cookies() -> None:
    assert b"set-cookie: a=b\r\n" in replied((b"Set-Cookie", b"a=b"), kind=PAGE)


def test_a_public_document_sets_no_cookie() -> None:
    assert replied((b"Set-Cookie", b"a=b"), kind=PUBLIC) == replied(kind=PUBLIC)


def test_a_public_document_says_which_origins_may_read_it() -> None:
    assert b"access-control-allow-origin: *\r\n" in replied(
        (b"Access-Control-Allow-Origin", b"*"), kind=PUBLIC
    )


@pytest.mark.case("H3")
@pytest.mark.parametrize("kind", [PAGE, DATA], ids=["a page", "data"])
def test_nothing_else_may_be_read_by_other_origins(kind: headers.ReplyKind) -> None:
    assert replied((b"Access-Control-Allow-Origin", b"*"), kind=kind) == replied(kind=kind)


@pytest.mark.case("H7")
@pytest.mark.parametrize("kind", [b"text/html", b"image/svg+xml", b"", b"application/json, text/html"])
def test_refuses_a_reply_of_type(kind: bytes) -> None:
    with pytest.raises(BadReply):
        headers.reply_lines([(b"Content-Type", kind)], DATA, has_body=True, origin=b"https://shop.example")


@pytest.mark.case("H7")
@pytest.mark.parametrize("kind", [b"image/svg+xml", b"text/html", b"application/json", b"image/png", b""])
def test_refuses_media_of_type(kind: bytes) -> None:
    with pytest.raises(BadReply):
        headers.reply_lines([(b"Content-Type", kind)], MEDIA, has_body=True, origin=b"https://shop.example")


@pytest.mark.parametrize("kind", [b"image/webp", b"image/jpeg", b"application/problem+json"])
def test_takes_media_of_type(kind: bytes) -> None:
    fields = [(b"Content-Type", kind)]

    lines = headers.reply_lines(fields, MEDIA, has_body=True, origin=b"https://shop.example")

    assert b"x-content-type-options: nosniff\r\n" in lines


def test_lets_a_route_that_may_lead_away_do_so() -> None:
    away = (b"Location", b"https://other.example/")

    assert b"location: https://other.example/\r\n" in replied(away, kind=DATA_LEAVING)


def test_takes_a_reply_without_type_and_body() -> None:
    assert headers.reply_lines([], DATA, has_body=False, origin=b"https://shop.example")


def test_lets_nobody_keep_a_reply_that_does_not_say_who_may() -> None:
    assert b"cache-control: no-store\r\n" in replied()


def test_leaves_a_reply_its_own_word_on_who_may_keep_it() -> None:
    lines = replied((b"Cache-Control", b"public, max-age=30"))

    assert [line for line in lines if line.startswith(b"cache-control")] == [
        b"cache-control: public, max-age=30\r\n"
    ]


@pytest.mark.parametrize("location", [b"/a", b"https://shop.example/a"])
def test_passes_a_redirect_within_the_origin(location: bytes) -> None:
    assert b"location: " + location + b"\r\n" in replied((b"Location", location))


@pytest.mark.case("E14")
@pytest.mark.parametrize(
    "location",
    [b"http://169.254.169.254/", b"file:///etc/passwd", b"//evil", b"/\\evil", b"https://shop.example.evil/"],
)
def test_refuses_a_redirect_elsewhere(location: bytes) -> None:
    with pytest.raises(BadReply):
        replied((b"Location", location))


@pytest.mark.parametrize("line", [b"a: b\r\nc: d\r\n", b"a: b\nc: d\r\n", b"a: b\rc\r\n", b"a: \0\r\n", b"a"])
def test_joins_whole_lines_only(line: bytes) -> None:
    with pytest.raises(ValueError, match="one line"):
        headers.join_lines([b"ok: 1\r\n", line])


@pytest.mark.parametrize(
    "value",
    [
        *(b"text/plain; charset=hex", b"text/plain;CHARSET=unicode_escape", b'text/plain; charset="utf-16"'),
        *(b"text/plain; charset=iso-8859-1", b"text/plain; charset=utf-8; charset=hex", b"a/b; charset =hex"),
        *(b"text/plain; a*=x''y'%41", b"text/plain; charset*=hex''%41", b"text/plain;a *=b", b"*/*"),
        *(b'text/plain; charset="h\\ex"', b"text/plain; charset", b"a/b; charset=utf-8;\xa0charset=hex"),
    ],
)
def test_refuses_text_that_is_not_utf_8(value: bytes) -> None:
    with pytest.raises(BadHead) as refused:
        read((b"Content-Type", value))

    assert refused.value.code == "unsupported-media-type"


@pytest.mark.parametrize(
    "value",
    [
        *(b"text/plain; charset=utf-8", b"application/json;charset=UTF-8", b'text/plain; Charset="utf8" '),
        *(b"multipart/form-data; boundary=a'()+_,-./:=?", b"a/b; c=d; charset=utf-8; e=f", b""),
    ],
)
def test_takes_utf_8(value: bytes) -> None:
    assert passed((b"Content-Type", value)) == [b"content-type: " + value.strip() + b"\r\n"]


@pytest.mark.case("E14", "F7")
@pytest.mark.parametrize("kind", [DATA, PUBLIC, headers.ADMIN])
@pytest.mark.parametrize("where", [b"/\t/evil.example", b"/a\tb", b"/ /evil.example", b"/\x01", b"/a\x7f"])
def test_refuses_a_redirect_with_bytes_that_browsers_leave_out(kind: headers.ReplyKind, where: bytes) -> None:
    # A browser reads /<tab>/evil.example as //evil.example, which is another site (URL Standard 4.1).
    with pytest.raises(BadReply):
        replied((b"Location", where), kind=kind)
