"""Whatever header fields a client sends: what goes on is allowed, and its own words stand once."""

import pytest
from fuzz_request import HOP_BY_HOP, OWN, PASSING, try_request
from hypothesis import given, settings
from hypothesis import strategies as st

STARTS = (b"GET / HTTP/1.1\r\n", b"GET /.well-known/a HTTP/1.1\r\n", b"GET /api/v1/wallet HTTP/1.1\r\n")
OTHERS = (b"x-user-id", b"forwarded", b"proxy", b"x-real-ip", b"date", b"hx-request", b"x_user", b"via")
LINES = b"Host: localhost:8000\r\nAuthorization: Bearer @TOKEN@\r\n"

cases = st.sampled_from([bytes.lower, bytes.upper, bytes.title, bytes.swapcase])
known = st.sampled_from(sorted({*OWN, *PASSING, *HOP_BY_HOP, *OTHERS} - {b"content-length", b"host"}))
names = st.builds(lambda name, case: case(name), known, cases)
nominations = st.lists(names, min_size=1, max_size=3).map(b", ".join)
values = st.one_of(nominations, st.binary(max_size=8))
fields = st.lists(
    st.one_of(st.tuples(names, values), st.tuples(st.just(b"Connection"), nominations)), max_size=6
)


@pytest.mark.case("F1", "F2", "F3", "F4")
@settings(max_examples=200, deadline=None)
@given(start=st.sampled_from(STARTS), fields=fields)
def test_what_goes_on_is_allowed_and_nominated_by_nobody(start, fields):
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)

    # Which names pass, that ours stand there once, and that each line is one line, is checked there.
    passed = try_request(b"\0" + start + LINES + lines + b"\r\n")

    nominated = {
        token.strip().lower()
        for name, value in fields
        if name.lower() == b"connection"
        for token in value.split(b",")
    }
    for request in passed:
        if not request.startswith(b"POST /internal/token "):
            names = {line.partition(b":")[0] for line in request.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]}
            assert names & nominated <= OWN
