"""Whatever bytes stand in the Authorization header, nobody answers with a 5xx."""

from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

BYTES = st.binary(max_size=300)
VALUES = st.one_of(
    BYTES,
    BYTES.map(lambda data: b"Bearer " + data),
    st.text(max_size=100).map(lambda text: b"Bearer " + text.encode("utf-8", "surrogatepass")),
    st.from_regex(rb"Bearer [A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{1,60}\.[A-Za-z0-9_-]{86}", fullmatch=True),
)
ONE_LINE = VALUES.map(lambda value: value.translate(None, b"\r\n"))


class Kept:
    """A connection that is kept as long as the server keeps it."""

    def __init__(self, connect, port):
        self._connect, self._port, self._wire = connect, port, connect(port)

    def ask(self, value):
        head = b"GET /api/v1/wallet HTTP/1.1\r\nHost: localhost:%d\r\nAuthorization: %b\r\n\r\n"
        self._wire.send(head % (self._port, value))
        reply = self._wire.reply()
        if reply is None or reply.status in {400, 431}:
            self.close()
            self._wire = self._connect(self._port)
        return reply

    def close(self):
        self._wire.close()


@pytest.fixture(scope="module", params=["edge", "wallet"])
def kept(request, system, connect):
    with closing(Kept(connect, system.process(request.param)["port"])) as kept:
        yield kept


@pytest.mark.case("D2")
@settings(max_examples=300, deadline=None)
@given(ONE_LINE)
def test_refuses_any_bytes_in_one_line(kept, value):
    assert kept.ask(value).status in {400, 401}


@pytest.mark.case("D2")
@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_answers_no_5xx_to_any_bytes_at_all(system, connect, value):
    head = b"GET /api/v1/wallet HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: %b\r\n\r\n"

    for port in (system.port, system.wallet_port):
        with connect(port) as wire:
            wire.send(head % value)
            wire.finish()
            assert all(reply.status < 500 or reply.status == 505 for reply in wire.replies())
