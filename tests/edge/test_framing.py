"""G1 to G8: no disagreement about where a request ends, and no second request hidden in the first."""

import pytest

HIDDEN = b"GET /api/v1/wallet/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def post(edge, rest, version=b"1.1"):
    return b"POST /api/v1/wallet/adjustments HTTP/%b\r\n%bContent-Type: application/json\r\n%b" % (
        version,
        edge.lines,
        rest,
    )


BOTH = {
    "G1 length, then chunked": b"Content-Length: 6\r\nTransfer-Encoding: chunked",
    "G1 length of all, then chunked": b"Content-Length: 61\r\nTransfer-Encoding: chunked",
    "G1 length zero, then chunked": b"Content-Length: 0\r\nTransfer-Encoding: chunked",
    "G2 chunked, then length": b"Transfer-Encoding: chunked\r\nContent-Length: 4",
    "G2 chunked, then length in capitals": b"TRANSFER-ENCODING: CHUNKED\r\nCONTENT-LENGTH: 4",
}

LENGTHS = {
    "G4 the same twice": b"Content-Length: 2\r\nContent-Length: 2",
    "G4 two": b"Content-Length: 2\r\nContent-Length: 61",
    "G4 two in one": b"Content-Length: 2, 2",
    "G4 a sign": b"Content-Length: +2",
    "G4 negative": b"Content-Length: -2",
    "G4 hexadecimal": b"Content-Length: 0x2",
    "G4 an underscore": b"Content-Length: 0_2",
    "G4 a fraction": b"Content-Length: 2.0",
    "G4 a space inside": b"Content-Length: 0 2",
    "G4 a semicolon": b"Content-Length: 2;a",
    "G4 empty": b"Content-Length:",
    "G4 a vertical tab": b"Content-Length: \x0b2",
    "G4 Arabic digits": b"Content-Length: \xd9\xa2",
    "G4 past 64 bits": b"Content-Length: 18446744073709551618",
    "G4 a space before the colon": b"Content-Length : 2",
    "G4 an underscore in its name": b"Content_Length: 2",
}

CODINGS = {
    "G3 xchunked": b"Transfer-Encoding: xchunked",
    "G3 chunked, identity": b"Transfer-Encoding: chunked, identity",
    "G3 identity": b"Transfer-Encoding: identity",
    "G3 identity, chunked": b"Transfer-Encoding: identity, chunked",
    "G3 gzip, chunked": b"Transfer-Encoding: gzip, chunked",
    "G3 chunked twice in one": b"Transfer-Encoding: chunked, chunked",
    "G3 chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "G3 chunked and identity": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "G3 identity and chunked": b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
    "G3 space before the colon": b"Transfer-Encoding : chunked",
    "G3 tab before the colon": b"Transfer-Encoding\t: chunked",
    "G3 vertical tab before the colon": b"Transfer-Encoding\x0b: chunked",
    "G3 vertical tab after the colon": b"Transfer-Encoding: \x0bchunked",
    "G3 NUL after chunked": b"Transfer-Encoding: chunked\0",
    "G3 quoted": b'Transfer-Encoding: "chunked"',
    "G3 with a parameter": b"Transfer-Encoding: chunked;a=b",
    "G3 empty": b"Transfer-Encoding:",
    "G3 a comma": b"Transfer-Encoding: ,",
    "G3 a comma before": b"Transfer-Encoding: , chunked",
    "G3 a folded line": b"Transfer-Encoding:\r\n chunked",
    "G3 a folded line before": b"X-A: b\r\n Transfer-Encoding: chunked",
    "G3 an underscore": b"Transfer_Encoding: chunked",
    "G3 a bare CR before": b"X-A: b\rTransfer-Encoding: chunked",
    "G3 a bare LF before": b"X-A: b\nTransfer-Encoding: chunked",
    "G3 a space before the name": b" Transfer-Encoding: chunked",
    "G3 non-ASCII": b"Transfer-Encoding: chun\xebked",
}

CHUNKS = {
    "G7 an extension with a bare LF": b"2;a\n{}\r\n0\r\n\r\n",
    "G7 an extension with a bare CR": b"2;a\rb\r\n{}\r\n0\r\n\r\n",
    "G7 size ended by a bare LF": b"2\n{}\r\n0\r\n\r\n",
    "G7 size ended by a bare CR": b"2\r{}\r\n0\r\n\r\n",
    "G7 data ended by a bare LF": b"2\r\n{}\n0\r\n\r\n",
    "G7 data ended by nothing": b"2\r\n{}0\r\n\r\n",
    "G7 more data than its size": b"2\r\n{}}\r\n0\r\n\r\n",
    "G7 less data than its size": b"5\r\n{}\r\n0\r\n\r\n",
    "G7 size past 64 bits": b"10000000000000002\r\n{}\r\n0\r\n\r\n",
    "G7 size with 0x": b"0x2\r\n{}\r\n0\r\n\r\n",
    "G7 size with a sign": b"+2\r\n{}\r\n0\r\n\r\n",
    "G7 negative size": b"-2\r\n{}\r\n0\r\n\r\n",
    "G7 size with an underscore": b"0_2\r\n{}\r\n0\r\n\r\n",
    "G7 size after a space": b" 2\r\n{}\r\n0\r\n\r\n",
    "G7 size of no digits": b"\r\n{}\r\n0\r\n\r\n",
    "G7 size that is no number": b"g\r\n{}\r\n0\r\n\r\n",
    "G7 an extension without a semicolon": b"2 a\r\n{}\r\n0\r\n\r\n",
    "G7 NUL in an extension": b"2;\0\r\n{}\r\n0\r\n\r\n",
    "G7 last chunk ended by a bare LF": b"2\r\n{}\r\n0\n\n",
    "G8 a trailer with a bare LF": b"2\r\n{}\r\n0\r\nX-A: b\n\r\n",
    "G8 a trailer folded": b"2\r\n{}\r\n0\r\nX-A: b\r\n c\r\n\r\n",
    "G8 a trailer without a colon": b"2\r\n{}\r\n0\r\nX-A\r\n\r\n",
}

GET = b"GET /api/v1/wallet HTTP/1.1\r\n"

# {lines} stands for the header lines of a good request.
LINES = {
    "G7 a bare LF everywhere": GET.replace(b"\r", b"") + b"{lines}\n",
    "G7 a bare LF after the request line": GET.replace(b"\r", b"") + b"{lines}\r\n",
    "G7 a bare CR after the request line": GET.replace(b"\n", b"") + b"{lines}\r\n",
    "G7 a bare LF at the end": GET + b"{lines}\n",
    "G7 NUL in a header": GET + b"{lines}X-A: \0\r\n\r\n",
    "G7 a header without a name": GET + b"{lines}: a\r\n\r\n",
    "G7 a header without a colon": GET + b"{lines}X-A\r\n\r\n",
    "G7 a space in a header's name": GET + b"{lines}X A: b\r\n\r\n",
    "G7 non-ASCII in a header's name": GET + b"{lines}X-\xc3\xa9: b\r\n\r\n",
    "G7 a folded first header": GET + b" X-A: b\r\n{lines}\r\n",
    "G7 a space before the method": b" " + GET + b"{lines}\r\n",
    "G7 a tab in the request line": GET.replace(b" ", b"\t") + b"{lines}\r\n",
    "G7 HTTP/0.9": b"GET /api/v1/wallet\r\n",
    "G7 HTTP/1.2": GET.replace(b"1.1", b"1.2") + b"{lines}\r\n",
    "G7 HTTP/1.10": GET.replace(b"1.1", b"1.10") + b"{lines}\r\n",
    "G7 HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "G7 http in lower case": GET.replace(b"HTTP", b"http") + b"{lines}\r\n",
    "G7 TLS": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(32),
}


def assert_refused(edge, wire, statuses=(400,)):
    replies = wire.replies()

    assert [reply.status in statuses for reply in replies] == [True]
    assert replies[0].code
    assert replies[0].header("connection") == "close"
    assert edge.seen == []


@pytest.mark.case("G1", "G2")
@pytest.mark.parametrize("lines", BOTH.values(), ids=BOTH.keys())
def test_refuses_both_a_length_and_chunks(edge, connect, lines):
    with connect(edge.port) as wire:
        wire.send(post(edge, lines + b"\r\n\r\n0\r\n\r\n" + HIDDEN))

        assert_refused(edge, wire)


@pytest.mark.case("G4")
@pytest.mark.parametrize("line", LENGTHS.values(), ids=LENGTHS.keys())
def test_refuses_a_length_in_doubt(edge, connect, line):
    with connect(edge.port) as wire:
        wire.send(post(edge, line + b"\r\n\r\n{}" + HIDDEN))

        assert_refused(edge, wire)


@pytest.mark.case("G3")
@pytest.mark.parametrize("line", CODINGS.values(), ids=CODINGS.keys())
@pytest.mark.parametrize("beside", [b"", b"Content-Length: 5\r\n"], ids=["alone", "with a length"])
def test_refuses_any_transfer_coding_but_chunked(edge, connect, line, beside):
    with connect(edge.port) as wire:
        wire.send(post(edge, beside + line + b"\r\n\r\n0\r\n\r\n" + HIDDEN))

        assert_refused(edge, wire, (400, 501))


@pytest.mark.case("G7", "G8")
@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS.keys())
def test_refuses_malformed_chunks(edge, connect, chunks):
    with connect(edge.port) as wire:
        wire.send(post(edge, CHUNKED + chunks + HIDDEN))

        assert_refused(edge, wire)


@pytest.mark.case("G7")
@pytest.mark.parametrize("data", LINES.values(), ids=LINES.keys())
def test_refuses_lines_that_two_servers_could_split_differently(edge, connect, data):
    with connect(edge.port) as wire:
        wire.send(data.replace(b"{lines}", edge.lines) + HIDDEN)

        assert_refused(edge, wire, (400, 505))


@pytest.mark.case("G5")
def test_g5_refuses_chunks_on_http_1_0(edge, connect):
    with connect(edge.port) as wire:
        wire.send(post(edge, CHUNKED + b"0\r\n\r\n" + HIDDEN, version=b"1.0"))

        assert_refused(edge, wire)


@pytest.mark.case("G6")
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize(
    "rest",
    [b"Content-Length: 61\r\n\r\n" + HIDDEN, CHUNKED + b"0\r\n\r\n" + HIDDEN],
    ids=["G6 a length", "G6 chunks"],
)
def test_refuses_a_body_where_none_belongs(edge, connect, method, rest):
    with connect(edge.port) as wire:
        wire.send(b"%b /api/v1/wallet HTTP/1.1\r\n%b%b" % (method, edge.lines, rest))
        [reply] = list(iter(lambda: wire.reply(is_head=method == b"HEAD"), None))

    assert (reply.status, reply.header("connection"), edge.seen) == (400, "close", [])


@pytest.mark.case("G8")
def test_drops_trailers(edge, connect):
    trailers = b"Authorization: Bearer a.b.c\r\nX-User-Id: 1\r\nHost: evil\r\n"
    with connect(edge.port) as wire:
        reply = wire.ask(post(edge, CHUNKED + b"2\r\n{}\r\n0\r\n" + trailers + b"\r\n"))

    [seen] = edge.seen
    assert (reply.status, seen.body) == (200, b"{}")
    assert seen.fields[b"host"] == edge.host
    assert seen.fields[b"content-length"] == b"2"
    assert seen.fields[b"authorization"].startswith(b"Bearer ey")
    assert b"x-user-id" not in seen.fields


@pytest.mark.case("G8")
@pytest.mark.parametrize("line", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
def test_refuses_trailers_that_speak_of_lengths(edge, connect, line):
    with connect(edge.port) as wire:
        wire.send(post(edge, CHUNKED + b"2\r\n{}\r\n0\r\n" + line + b"\r\n\r\n" + HIDDEN))

        assert_refused(edge, wire)


@pytest.mark.case("G7")
def test_takes_what_follows_an_enormous_chunk_size_for_its_data(edge, connect):
    with connect(edge.port) as wire:
        wire.send(post(edge, CHUNKED + b"ffffffffffffffff\r\n{}\r\n0\r\n\r\n" + HIDDEN))
        wire.finish()

        assert wire.replies() == []

    assert edge.seen == []


@pytest.mark.parametrize(
    "line",
    [
        b"GET  /api/v1/wallet HTTP/1.1",
        b"GET /api/v1/wallet  HTTP/1.1",
        # llhttp speaks this too, and tells nobody which of the two it read.
        b"GET /api/v1/wallet RTSP/1.1",
    ],
)
def test_writes_the_request_line_anew(edge, connect, line):
    with connect(edge.port) as wire:
        wire.ask(line + b"\r\n" + edge.lines + b"\r\n")

    assert [seen.line for seen in edge.seen] == [b"GET /api/v1/wallet HTTP/1.1"]


@pytest.mark.parametrize("extension", [b"", b";a", b";a=b", b';a="b\tc"'])
def test_sends_chunks_on_with_their_length(edge, connect, extension):
    with connect(edge.port) as wire:
        reply = wire.ask(post(edge, CHUNKED + b"01%b\r\n{\r\n1\r\n}\r\n000\r\n\r\n" % extension))

    [seen] = edge.seen
    assert (reply.status, seen.body, seen.fields[b"content-length"]) == (200, b"{}", b"2")
    assert b"transfer-encoding" not in seen.fields


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c", b"TLS/1.0"])
def test_upgrades_to_nothing(edge, connect, protocol):
    upgrade = b"Connection: Upgrade\r\nUpgrade: %b\r\n\r\n" % protocol
    with connect(edge.port) as wire:
        wire.send(GET + edge.lines + upgrade + b"GET /nowhere HTTP/1.1\r\n" + edge.lines + b"\r\n")
        statuses = [wire.reply().status, wire.reply().status]

    [seen] = edge.seen
    assert statuses == [200, 404]
    assert not {b"connection", b"upgrade"} & set(seen.fields)


def test_refuses_an_upgrade_with_a_body(edge, connect):
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 61\r\n\r\n"
    with connect(edge.port) as wire:
        wire.send(post(edge, upgrade + HIDDEN))

        assert_refused(edge, wire)


def test_answers_pipelined_requests_in_order_and_keeps_them_apart(edge, connect):
    with connect(edge.port) as wire:
        wire.send(
            post(edge, b"Content-Length: 2\r\n\r\n{}") + b"GET /nowhere HTTP/1.1\r\n" + edge.lines + b"\r\n"
        )
        statuses = [wire.reply().status, wire.reply().status]

    assert statuses == [200, 404]
    assert [seen.body for seen in edge.seen] == [b"{}"]


def test_takes_nothing_more_after_connection_close(edge, connect):
    with connect(edge.port) as wire:
        wire.send(GET + edge.lines + b"Connection: close\r\n\r\n" + HIDDEN)
        replies = wire.replies()

    assert [reply.status for reply in replies] == [200]
    assert len(edge.seen) == 1
