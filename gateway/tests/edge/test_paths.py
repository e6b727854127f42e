"""Canonical targets."""

from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.edge.paths import NotCanonical, canonical_path
from gateway.routes import RouteTable

CANONICAL = [
    b"/",
    b"/api/v1/wallet",
    b"/api/v1/wallet/",
    b"/api/v1/wallet/transactions/018f4e2a-0000-7000-8000-000000000001",
    b"/.well-known/jwks.json",
    b"/a.b/c~d_e-f!$&'()*+,=:@",
    b"/caf%C3%A9",
    b"/a%20b",
    b"/user%40example.com",
]

NOT_CANONICAL = [
    b"",
    b"*",
    b"api/v1/wallet",
    b"//evil.com/x",
    b"/api//wallet",
    b"/api/v1/wallet//",
    b"/./a",
    b"/a/.",
    b"/a/..",
    b"/api/v1/wallet/../auth",
    b"/api/v1/wallet/..%2fauth",
    b"/api/v1/wallet/%2e%2e/auth",
    b"/api/v1/wallet/.%2e/auth",
    b"/api/v1/wallet/..%252fauth",
    b"/%c0%ae%c0%ae/auth",
    b"/api/v1/wallet/..;/auth",
    b"/api/v1/wallet;x=1",
    b"/api/v1/wallet/..\\auth",
    b"/api/v1/wallet/%5cauth",
    b"/api/v1/wallet%00",
    b"/api/v1/wallet%0d%0aX-User-Id:1",
    b"/api/v1/wallet%7f",
    b"/api/v1/wallet%20",
    b"/api/v1/wallet%C2%A0",
    b"/api/v1/wallet.",
    b"/api/v1/w%61llet",
    b"/api/v1/products/a%2Fb",
    b"/a%",
    b"/a%2",
    b"/a%zz",
    b"/a#b",
    b'/"<>{}|^`',
    b"/a[1]",
    b"/\xc3\xa9",
    b"/a b",
    b"http://evil/x",
    b"evil:80",
    b"/a?b#c",
    b"/a?b\\c",
    b"/a?b%",
    b"/a?b|c",
    b"/a?\xff",
]

encoded = st.integers(0, 255).map(lambda byte: b"%%%02X" % byte)
pieces = st.one_of(st.sampled_from([b"/", b".", b"..", b"a", b"api", b"v1", b"wallet", b";", b"\\"]), encoded)
targets = st.lists(pieces, max_size=12).map(lambda parts: b"/" + b"".join(parts))


@pytest.mark.parametrize("target", CANONICAL)
def test_takes(target: bytes) -> None:
    assert canonical_path(target) == target


@pytest.mark.case("E1", "E2", "E3", "E4", "E5", "E6", "E7", "E10")
@pytest.mark.parametrize("target", NOT_CANONICAL)
def test_refuses(target: bytes) -> None:
    with pytest.raises(NotCanonical):
        canonical_path(target)


def test_leaves_the_query_alone() -> None:
    assert canonical_path(b"/a?next=/b/../c;d&e=%2F%00?") == b"/a"


def test_judges_a_long_path_of_dots_at_once() -> None:
    with pytest.raises(NotCanonical):
        canonical_path(b"/a" + b".a" * 2000 + b"." * 4000)


@pytest.mark.case("E2", "E3")
@given(targets)
@example(b"/api/v1/wallet/%2e%2e/auth")
def test_what_it_takes_it_takes_again_and_no_decoding_moves_it(target: bytes) -> None:
    try:
        path = canonical_path(target)
    except NotCanonical:
        return

    assert canonical_path(path) == path
    segments = unquote(path.decode()).split("/")
    assert not {".", ".."} & set(segments)
    assert segments.count("") <= 2


@pytest.mark.case("E2", "E3")
@given(targets)
def test_a_decoding_server_sees_the_same_route(target: bytes) -> None:
    table = RouteTable()
    try:
        path = canonical_path(target)
    except NotCanonical:
        return

    assert table.find(path) == table.find(unquote(path.decode()).encode())


@given(st.binary(max_size=200))
def test_never_fails_otherwise(target: bytes) -> None:
    try:
        path = canonical_path(target)
    except NotCanonical:
        return

    assert target.startswith(path)
