"""G9: a proxy in front, the edge and a service behind it take the same bytes for the same one request."""

import base64
import os
import shutil
import socket
import subprocess
from contextlib import suppress
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from smuggling import BOTH, CHUNKED, CHUNKS, CODINGS, FAMILIES, HIDDEN, LENGTHS, LINES

HAPROXY = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
CONFIGURATION = """
defaults
    mode http
    timeout connect 2s
    timeout client 1s
    timeout server 5s
frontend front
    bind 127.0.0.1:{front}
    default_backend edge
backend edge
    server edge 127.0.0.1:{edge}
"""


def attacks(lines):
    """All of G1 to G8, as whole connections."""
    made = {name: post_of(lines, line + b"\r\n\r\n0\r\n\r\n") for name, line in BOTH.items()}
    made |= {name: post_of(lines, line + b"\r\n\r\n{}") for name, line in LENGTHS.items()}
    for beside in (b"", b"Content-Length: 5\r\n"):
        for name, line in CODINGS.items():
            made[f"{name} {len(beside)}"] = post_of(lines, beside + line + b"\r\n\r\n0\r\n\r\n")
    made |= {name: post_of(lines, CHUNKED + chunks) for name, chunks in CHUNKS.items()}
    made |= {name: data.replace(b"{lines}", lines) for name, data in (LINES | FAMILIES).items()}
    return {name: data + HIDDEN for name, data in made.items()}


def post_of(lines, rest):
    return b"POST /api/v1/wallet/adjustments HTTP/1.1\r\n%bContent-Type: application/json\r\n%b" % (
        lines,
        rest,
    )


@pytest.fixture(scope="module")
def haproxy(chain, tmp_path_factory, connect, eventually):
    """The port of a HAProxy in front of the edge."""
    if HAPROXY is None:
        missing = "haproxy is not installed; the edge by itself is tried all the same"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    file = tmp_path_factory.mktemp("haproxy") / "haproxy.cfg"
    file.write_text(CONFIGURATION.format(front=port, edge=chain.edge.port))
    process = subprocess.Popen([HAPROXY, "-db", "-f", file], stderr=subprocess.DEVNULL)
    eventually(lambda: is_open(connect, port))
    yield port
    process.terminate()
    process.wait(10)


def is_open(connect, port):
    with suppress(OSError), connect(port):
        return True
    return False


def understood(chain, connect, port, data):
    """What the service took the bytes for, when everybody has closed."""
    chain.clear()
    with connect(port) as wire:
        wire.send(data)
        with suppress(OSError):
            wire.finish()
        with suppress(OSError, ValueError, IndexError):
            wire.replies()
    return chain.understood()


def sent(chain):
    """What the edge sent to the service, as a strict reader takes it: heads and bodies."""
    found, rest = [], bytes(chain.tap.sent)
    while rest:
        head, mark, rest = rest.partition(b"\r\n\r\n")
        lengths = [line[16:] for line in head.split(b"\r\n") if line.startswith(b"content-length: ")]
        assert mark
        assert b"transfer-encoding" not in head
        assert len(lengths) < 2
        size = int(lengths[0]) if lengths else 0
        found.append((head, rest[:size]))
        rest = rest[size:]
    return found


def assert_one_at_most(chain, told, name):
    bodies = [base64.b64decode(each["body"]) for each in told]
    assert [body for _, body in sent(chain)] == bodies, name
    assert not [each for each in told if "hidden" in each["path"]], name
    assert len(told) <= 1, name


@pytest.mark.case("G1", "G2", "G3", "G4", "G6", "G7", "G8", "G9")
def test_a_service_takes_no_attack_for_two_requests(chain, connect):
    for name, data in attacks(chain.edge.lines).items():
        told = understood(chain, connect, chain.edge.port, data)

        assert_one_at_most(chain, told, name)


@pytest.mark.case("G9")
def test_a_service_behind_two_proxies_takes_no_attack_for_two_requests(chain, connect, haproxy):
    for name, data in attacks(chain.edge.lines).items():
        told = understood(chain, connect, haproxy, data)

        assert_one_at_most(chain, told, name)


def test_two_proxies_pass_a_sound_request(chain, connect, haproxy):
    told = understood(chain, connect, haproxy, post_of(chain.edge.lines, CHUNKED + b"2\r\n{}\r\n0\r\n\r\n"))

    assert [(each["method"], base64.b64decode(each["body"])) for each in told] == [("POST", b"{}")]


@pytest.mark.case("E10", "F3", "G9")
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_service_understands_what_the_edge_understood(chain, connect, data):
    method, target, fields, body = data.draw(requests)
    head = b"%b %b HTTP/1.1\r\n%bConnection: close\r\n" % (method, target, chain.edge.lines)
    head += b"".join(b"%b: %b\r\n" % field for field in fields)
    framing = data.draw(st.sampled_from([with_length, with_chunks])) if method == b"POST" else with_nothing

    told = understood(chain, connect, chain.edge.port, head + framing(body))

    assume(told)  # What the edge refuses is not its business here, and nothing of it went out:
    assert len(told) == len(sent(chain)) == 1
    path, _, query = target.partition(b"?")
    assert told[0]["method"].encode() == method
    assert told[0]["path"].encode("latin-1") == unquote_to_bytes(path)
    assert told[0]["query"].encode("latin-1") == query
    assert base64.b64decode(told[0]["body"]) == (body if method == b"POST" else b"")
    for name, value in fields:
        passes = name.lower() in PASSING
        assert told[0]["fields"].get(name.decode().lower()) == (value.decode("latin-1") if passes else None)


def test_no_value_arrives_that_a_service_reads_as_nothing(chain, connect):
    request = b"GET /api/v1/wallet HTTP/1.1\r\n%bConnection: close\r\nUser-Agent: caf\xe9\r\n\r\n"

    with connect(chain.service_port) as wire:
        told = wire.ask(request % chain.edge.lines).json()
    passed = understood(chain, connect, chain.edge.port, request % chain.edge.lines)

    assert told["fields"]["user-agent"] == ""
    assert passed == sent(chain) == []


# What granian 2 takes when nobody stands before it. The edge refuses all of it, and never the reverse.
TAKEN_BY_THE_SERVICE = {
    *(
        "G1 length, then chunked",
        "G2 chunked, then length",
        "G4 the same twice",
        "G4 an underscore in its name",
    ),
    *("G3 gzip, chunked 0", "G3 identity, chunked 0", "G3 chunked twice 0", "G3 a bare LF before 0"),
    *("G7 a bare LF everywhere", "G7 an extension with a bare LF", "G7 data ended by a bare LF"),
    *("G7 NUL in an extension", "G8 a trailer folded", "0.TE", "TE.0", "absolute-form"),
}


def test_the_edge_is_the_wall(chain, connect):
    made = {name: attacks(chain.edge.lines)[name] for name in TAKEN_BY_THE_SERVICE}

    taken = {name for name in made if understood(chain, connect, chain.service_port, made[name])}
    passed = {name for name in made if understood(chain, connect, chain.edge.port, made[name])}

    assert (taken, passed) == (TAKEN_BY_THE_SERVICE, set())


def with_length(body):
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def with_chunks(body):
    chunks = b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in body)
    return b"Transfer-Encoding: chunked\r\n\r\n%b0\r\nX-Trailer: a\r\n\r\n" % chunks


def with_nothing(_body):
    return b"\r\n"


PASSING = [b"accept", b"accept-language", b"if-none-match", b"range", b"idempotency-key", b"user-agent"]
NEVER = [
    b"X-User-Id",
    b"Proxy",
    b"TE",
    b"X-Forwarded-User",
    b"Cookie",
    b"Keep-Alive",
    b"Upgrade-Insecure-Requests",
]
names = st.sampled_from([*PASSING, *map(bytes.upper, PASSING), *NEVER])
# What stands around a value means nothing. Others than ASCII: see the test of them.
values = st.text(
    st.sampled_from("	 !\"#%&'(),/:;<=>?@[]^`{|}~abcXYZ019-_.*+$"), min_size=1, max_size=20
).map(lambda text: text.strip(" 	").encode() or b"a")
targets = st.lists(
    st.sampled_from(
        [b"a", b"b%20c", b"%C3%A9", b"/", b"?", b"=", b"&", b"%2F", b"..", b"~", b"+", b"%", b"@", b":"]
    ),
    max_size=8,
).map(lambda parts: b"/api/v1/wallet/x" + b"".join(parts))
requests = st.tuples(
    st.sampled_from([b"GET", b"HEAD", b"POST"]),
    targets,
    st.lists(st.tuples(names, values), max_size=5, unique_by=lambda field: field[0].lower()),
    st.binary(max_size=40),
)
