"""G1 to G8: no disagreement about where a request ends, and no second request hidden in the first."""

import pytest
from smuggling import BOTH, CHUNKED, CHUNKS, CODINGS, GET, HIDDEN, LENGTHS, LINES, post


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
