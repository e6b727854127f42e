"""What llhttp accepts and refuses, so that everything the edge must refuse itself is pinned.

A row that changes with a new httptools moves a duty between the parser and our policy: read
`headers.py`, `paths.py` and `upstream.py` before changing it.
"""

from dataclasses import dataclass, field

import httptools
import pytest

HOST = b"Host: a\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


@dataclass
class Events:
    """Everything a parser told, in order."""

    seen: list[object] = field(default_factory=list)

    def on_message_begin(self) -> None:
        self.seen.append("begin")

    def on_url(self, url: bytes) -> None:
        self.seen.append(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.seen.append((name, value))

    def on_headers_complete(self) -> None:
        self.seen.append("head")

    def on_body(self, data: bytes) -> None:
        self.seen.append(b"body:" + data)

    def on_message_complete(self) -> None:
        self.seen.append("end")


def parse_request(data: bytes) -> tuple[Events, httptools.HttpRequestParser]:
    events = Events()
    parser = httptools.HttpRequestParser(events)
    parser.feed_data(data)
    return events, parser


def parse_response(data: bytes) -> tuple[Events, httptools.HttpResponseParser]:
    events = Events()
    parser = httptools.HttpResponseParser(events)
    parser.feed_data(data)
    return events, parser


ACCEPTED_REQUESTS = {
    "HTTP/0.9 with a version": b"GET / HTTP/0.9\r\n" + HOST + b"\r\n",
    "HTTP/0.9 without a version": b"GET /\r\n\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "RTSP/1.0, told as 1.0": b"GET / RTSP/1.0\r\n\r\n",
    "chunked on HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an empty coding before chunked": POST + b"Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n",
    "chunked GET": GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET with a body": GET + b"Content-Length: 1\r\n\r\na",
    "leading zeros in a length": POST + b"Content-Length: 0001\r\n\r\na",
    "absolute form": b"GET http://evil/x HTTP/1.1\r\n" + HOST + b"\r\n",
    "asterisk form": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "TRACE": b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n",
    "PROPFIND": b"PROPFIND / HTTP/1.1\r\n" + HOST + b"\r\n",
    "two spaces before the target": b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
    "delimiters in the target": b'GET /"<>{}|^` HTTP/1.1\r\n' + HOST + b"\r\n",
    "a backslash in the target": b"GET /\\ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a fragment in the target": b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n",
    "dot and empty segments": b"GET /../..//;x HTTP/1.1\r\n" + HOST + b"\r\n",
    "no Host": b"GET / HTTP/1.1\r\n\r\n",
    "two Hosts": GET + b"Host: b\r\n\r\n",
    "two Authorizations": GET + b"Authorization: a\r\nAuthorization: b\r\n\r\n",
    "an underscore in a name": GET + b"X_A: 1\r\n\r\n",
    "every odd token character in a name": GET + b"!#$%&'*+.^`|~: 1\r\n\r\n",
    "a tab within a value": GET + b"X-A: a\tb\r\n\r\n",
    "a byte above ASCII in a value": GET + b"X-A: \xff\r\n\r\n",
    "empty lines before the request": b"\r\n\n" + GET + b"\r\n",
    "a chunk extension": CHUNKED + b"1;a=b\r\na\r\n0\r\n\r\n",
    "a value of 300 kB": GET + b"X-A: " + b"a" * 300_000 + b"\r\n\r\n",
    "a target of 300 kB": b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "1000 headers": GET + b"X-A: a\r\n" * 1000 + b"\r\n",
}

REFUSED_REQUESTS = {
    "HTTP/1.2": b"GET / HTTP/1.2\r\n\r\n",
    "HTTP/3.0": b"GET / HTTP/3.0\r\n\r\n",
    "the HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01",
    "a space after the version": b"GET / HTTP/1.1 \r\n\r\n",
    "a lower-case method": b"get / HTTP/1.1\r\n\r\n",
    "an unknown method": b"TRACK / HTTP/1.1\r\n\r\n",
    "a method of 1 kB": b"A" * 1000 + b" / HTTP/1.1\r\n\r\n",
    "a space before the method": b" GET / HTTP/1.1\r\n\r\n",
    "authority form": b"GET evil:80 HTTP/1.1\r\n\r\n",
    "a relative target": b"GET a/b HTTP/1.1\r\n\r\n",
    "a target that is a query": b"GET ?x HTTP/1.1\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\n\r\n",
    "a tab in the target": b"GET /\t HTTP/1.1\r\n\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\n\r\n",
    "a control in the target": b"GET /\x01 HTTP/1.1\r\n\r\n",
    "DEL in the target": b"GET /\x7f HTTP/1.1\r\n\r\n",
    "a byte above ASCII in the target": b"GET /\xff HTTP/1.1\r\n\r\n",
    "length, then encoding": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "encoding, then length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "the same length twice": POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "a list of lengths": POST + b"Content-Length: 1, 1\r\n\r\na",
    "a signed length": POST + b"Content-Length: +1\r\n\r\na",
    "a negative length": POST + b"Content-Length: -1\r\n\r\na",
    "a hexadecimal length": POST + b"Content-Length: 0x1\r\n\r\na",
    "an underscore in a length": POST + b"Content-Length: 1_0\r\n\r\na",
    "an empty length": POST + b"Content-Length: \r\n\r\n",
    "a length past 64 bits": POST + b"Content-Length: 99999999999999999999\r\n\r\na",
    "chunked, gzip": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "chunked, then identity": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "xchunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n",
    "quoted chunked": POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "an empty encoding": POST + b"Transfer-Encoding: \r\n\r\n",
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a tab before the colon": GET + b"X-A\t: 1\r\n\r\n",
    "a vertical tab before the colon": GET + b"X-A\x0b: 1\r\n\r\n",
    "a vertical tab in a value": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a space in a name": GET + b"X A: 1\r\n\r\n",
    "an empty name": GET + b": 1\r\n\r\n",
    "a line without a colon": GET + b"X-A\r\n\r\n",
    "a byte above ASCII in a name": GET + b"X\xff: 1\r\n\r\n",
    "a quote in a name": GET + b'"x": 1\r\n\r\n',
    "a folded value": GET + b"X-A: 1\r\n 2\r\n\r\n",
    "a value folded with a tab": GET + b"X-A: 1\r\n\t2\r\n\r\n",
    "a space before the first name": b"GET / HTTP/1.1\r\n X: 1\r\n\r\n",
    "a bare CR": GET + b"X-A: a\rX-B: b\r\n\r\n",
    "a bare LF": GET + b"X-A: a\nX-B: b\r\n\r\n",
    "LF alone everywhere": b"GET / HTTP/1.1\nHost: a\n\n",
    "LF alone at the end": GET + b"\n",
    "NUL in a value": GET + b"X-A: a\0b\r\n\r\n",
    "a control in a value": GET + b"X-A: a\x01b\r\n\r\n",
    "DEL in a value": GET + b"X-A: a\x7fb\r\n\r\n",
    "LF after a chunk size": CHUNKED + b"1\na\r\n0\r\n\r\n",
    "LF in a chunk extension": CHUNKED + b"1;a\nb\r\na\r\n0\r\n\r\n",
    "a hexadecimal prefix on a chunk": CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
    "a space after a chunk size": CHUNKED + b"1 \r\na\r\n0\r\n\r\n",
    "a negative chunk": CHUNKED + b"-1\r\na\r\n0\r\n\r\n",
    "a chunk size past 64 bits": CHUNKED + b"fffffffffffffffff\r\na\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"1\r\nab\r\n0\r\n\r\n",
    "data after Connection: close": GET + b"Connection: close\r\n\r\nGET /2 HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("data", ACCEPTED_REQUESTS.values(), ids=ACCEPTED_REQUESTS.keys())
def test_llhttp_accepts_so_the_edge_must_judge(data: bytes) -> None:
    events, _ = parse_request(data)

    assert "end" in events.seen


@pytest.mark.parametrize("data", REFUSED_REQUESTS.values(), ids=REFUSED_REQUESTS.keys())
def test_llhttp_refuses(data: bytes) -> None:
    with pytest.raises(httptools.HttpParserError):
        parse_request(data)


def test_connect_is_an_upgrade() -> None:
    with pytest.raises(httptools.HttpParserUpgrade):
        parse_request(b"CONNECT evil:80 HTTP/1.1\r\n" + HOST + b"\r\n")


def test_trailers_arrive_as_headers_after_the_head() -> None:
    events, _ = parse_request(CHUNKED + b"1\r\na\r\n0\r\nAuthorization: evil\r\n\r\n")

    assert events.seen[-4:] == ["head", b"body:a", (b"Authorization", b"evil"), "end"]


def test_an_upgrade_swallows_the_head_and_leaves_its_body_unparsed() -> None:
    data = (
        POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n\r\n"
    )

    with pytest.raises(httptools.HttpParserUpgrade) as upgrade:
        parse_request(data)

    assert data[upgrade.value.args[0] :].startswith(b"abcGET")


def test_an_upgrade_without_a_nominating_connection_is_none() -> None:
    events, _ = parse_request(GET + b"Upgrade: h2c\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")

    assert events.seen.count("end") == 2


def test_white_space_after_a_value_stays() -> None:
    events, _ = parse_request(GET + b"X-A:  \t a \t \r\n\r\n")

    assert (b"X-A", b"a \t ") in events.seen


ACCEPTED_RESPONSES = {
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "RTSP/1.0": b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "chunked on HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "status 000": b"HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
    "NUL in the reason": b"HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n",
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
}

REFUSED_RESPONSES = {
    "status 99": b"HTTP/1.1 99 OK\r\n\r\n",
    "status 1000": b"HTTP/1.1 1000 OK\r\n\r\n",
    "garbage": b"garbage\r\n\r\n",
    "length and encoding": OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "a bare CR": OK + b"X-A: a\rb\r\n\r\n",
    "a bare LF": OK + b"X-A: a\nX-B: b\r\n\r\n",
    "NUL in a value": OK + b"X-A: a\0\r\n\r\n",
    "a folded value": OK + b"X-A: a\r\n b\r\n\r\n",
    "LF after the status line": b"HTTP/1.1 200 OK\nX-A: b\r\n\r\n",
    "bytes after the message": OK + b"Content-Length: 0\r\n\r\nEXTRA",
    "a body on 204": b"HTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\nabc",
    "data after Connection: close": OK + b"Connection: close\r\nContent-Length: 0\r\n\r\nabc",
    "101 without Upgrade": b"HTTP/1.1 101 Switching\r\n\r\nabc",
}


@pytest.mark.parametrize("data", ACCEPTED_RESPONSES.values(), ids=ACCEPTED_RESPONSES.keys())
def test_llhttp_accepts_a_response_so_the_edge_must_judge(data: bytes) -> None:
    events, _ = parse_response(data)

    assert events.seen[-1] == "end"


@pytest.mark.parametrize("data", REFUSED_RESPONSES.values(), ids=REFUSED_RESPONSES.keys())
def test_llhttp_refuses_a_response(data: bytes) -> None:
    with pytest.raises(httptools.HttpParserError):
        parse_response(data)


def test_101_raises_an_upgrade() -> None:
    with pytest.raises(httptools.HttpParserUpgrade):
        parse_response(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nabc")


def test_a_reply_to_head_eats_the_next_reply() -> None:
    events, _ = parse_response(OK + b"Content-Length: 4\r\n\r\n" + b"HTTP")

    assert b"body:HTTP" in events.seen


def test_an_interim_reply_ends_like_a_final_one() -> None:
    events, _ = parse_response(b"HTTP/1.1 103 Early\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n")

    assert events.seen.count("end") == 2


def test_a_reply_until_close_never_ends() -> None:
    events, _ = parse_response(OK + b"\r\nabc")

    assert events.seen[-1] == b"body:abc"


def test_a_second_reply_in_one_read_is_parsed_too() -> None:
    events, _ = parse_response((OK + b"Content-Length: 0\r\n\r\n") * 2)

    assert events.seen.count("end") == 2


def test_trailers_of_a_reply_arrive_as_headers() -> None:
    events, _ = parse_response(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nSet-Cookie: a=b\r\n\r\n")

    assert (b"Set-Cookie", b"a=b") in events.seen[events.seen.index("head") :]


def test_keep_alive_is_told_in_the_head_only() -> None:
    _, parser = parse_response(OK + b"Content-Length: 0\r\n\r\n")

    assert parser.should_keep_alive() is False
