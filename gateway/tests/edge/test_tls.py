"""TLS on both sides: handshakes, endings, slow clients, new certificates, and services that speak it."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chassis.testing.certificates import Authority
from gateway.edge.certificate import Certificate
from gateway.edge.config import Address, Limits
from gateway.edge.testing import QUICK, ROOMY, RawClient, RunningEdge, Seen, json_reply, until

HOST = b"Host: localhost:8000\r\n"
INDEX = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
LAST = b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
WALLET = b"GET /api/v1/wallet HTTP/1.1\r\n" + HOST

StartEdge = Callable[..., RunningEdge]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def certificate(authority: Authority, tmp_path: Path) -> Certificate:
    return Certificate(*authority.issue(tmp_path, "localhost"))


class TLSClient(RawClient):
    """Sends bytes through TLS and trusts the test's authority alone."""

    def __init__(
        self, port: int, authority: Authority, *, alpn: tuple[str, ...] = (), **options: Any
    ) -> None:
        super().__init__(port, **options)
        context = ssl.create_default_context(cafile=authority.file)
        if alpn:
            context.set_alpn_protocols(alpn)
        self.plain = self.socket
        self.tls = context.wrap_socket(self.plain, server_hostname="localhost", suppress_ragged_eofs=False)
        self.socket = self.tls

    @property
    def serial(self) -> object:
        found = self.tls.getpeercert()
        assert found is not None
        return found["serialNumber"]


def test_keeps_a_connection_and_answers_in_order(
    start_edge: StartEdge, authority: Authority, certificate: Certificate
) -> None:
    edge = start_edge(tls=certificate)
    client = TLSClient(edge.port, authority)
    client.send(INDEX * 20)

    statuses = [client.read_reply().status for _ in range(20)]
    client.close()

    assert statuses == [200] * 20
    assert client.tls.version() is None


def test_speaks_http_1_1_and_nothing_older_than_tls_1_2(
    start_edge: StartEdge, authority: Authority, certificate: Certificate
) -> None:
    edge = start_edge(tls=certificate)

    client = TLSClient(edge.port, authority, alpn=("h2", "http/1.1"))
    chosen = client.tls.selected_alpn_protocol()
    client.close()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(authority.file)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        old.minimum_version = ssl.TLSVersion.TLSv1

    assert chosen == "http/1.1"
    with (
        socket.create_connection(("127.0.0.1", edge.port)) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        old.wrap_socket(plain, server_hostname="localhost")


def test_a_client_that_speaks_no_tls_is_turned_away(start_edge: StartEdge, certificate: Certificate) -> None:
    edge = start_edge(tls=certificate)
    client = edge.client()
    client.send(INDEX)

    said = client.read_all()

    assert b"HTTP" not in said
    assert edge.web.seen == []


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00"])
def test_a_handshake_that_never_ends_is_cut(
    start_edge: StartEdge, certificate: Certificate, said: bytes
) -> None:
    edge = start_edge(tls=certificate)
    client = edge.client()
    client.send(said)

    began = time.monotonic()

    assert client.is_closed()
    assert time.monotonic() - began < 3  # asyncio would wait for a minute.


def test_handshakes_count_as_connections(
    start_edge: StartEdge, authority: Authority, certificate: Certificate
) -> None:
    edge = start_edge(tls=certificate, limits=Limits(connections=2), times=replace(QUICK, head=2.0))
    silent = [edge.client(), edge.client()]

    with pytest.raises((ssl.SSLError, OSError)):
        TLSClient(edge.port, authority)
    silent[0].close()
    until(lambda: _is_served(edge, authority))

    assert not edge.edge.shared.clients


def test_handshakes_count_as_connections_of_their_address(
    start_edge: StartEdge, authority: Authority, certificate: Certificate
) -> None:
    limits = replace(ROOMY, connections_per_address=2)
    edge = start_edge(tls=certificate, limits=limits, times=replace(QUICK, head=2.0))
    kept, silent = TLSClient(edge.port, authority), edge.client()

    with pytest.raises((ssl.SSLError, OSError)):
        TLSClient(edge.port, authority)
    other = TLSClient(edge.port, authority, address="127.0.0.2")
    other.send(LAST)

    assert other.read_reply().status == 200
    for client in (kept, silent, other):
        client.close()
    until(lambda: len(edge.edge.shared.addresses) == 0)
    assert _is_served(edge, authority)


def _is_served(edge: RunningEdge, authority: Authority) -> bool:
    try:
        client = TLSClient(edge.port, authority)
    except OSError:
        return False
    client.send(LAST)
    status = client.read_reply().status
    client.close()
    until(lambda: not edge.edge.shared.clients)
    return status == 200


def test_bodies_pass_both_ways_whole(
    start_edge: StartEdge, authority: Authority, certificate: Certificate, bearer: bytes
) -> None:
    async def echo(seen: Seen) -> None:
        seen.reply(json_reply(await seen.read_body()))

    edge = start_edge(tls=certificate)
    edge.wallet.behave = echo
    body = b'"' + b"a" * 900_000 + b'"'
    client = TLSClient(edge.port, authority)
    head = b"POST /api/v1/wallet/adjustments HTTP/1.1\r\n" + HOST + bearer
    client.send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    reply = client.read_reply()
    client.close()

    assert (reply.status, reply.body == body) == (200, True)


def test_a_slow_reader_gets_all_and_the_service_waits_for_it(
    start_edge: StartEdge, authority: Authority, certificate: Certificate
) -> None:
    async def answer(seen: Seen) -> None:
        seen.reply(json_reply(body))
        await seen.writer.drain()
        drained.append(True)

    body = b'"' + b"a" * 30_000_000 + b'"'
    drained: list[bool] = []
    edge = start_edge(tls=certificate, times=replace(QUICK, write=5.0, total=20.0))
    edge.web.behave = answer
    client = TLSClient(edge.port, authority, receive_buffer=16_384)
    client.send(LAST)
    time.sleep(0.5)

    was_drained = bool(drained)
    received = sum(map(len, iter(lambda: client.tls.recv(65536), b"")))
    client.close()

    assert not was_drained
    assert received > len(body)


def test_the_end_of_a_connection_is_said(
    start_edge: StartEdge, authority: Authority, certificate: Certificate
) -> None:
    edge = start_edge(tls=certificate)
    client = TLSClient(edge.port, authority)
    client.send(LAST)

    client.read_reply()

    assert client.tls.recv(1) == b""  # With close_notify; a bare end would be an error here.
    client.close()


@pytest.mark.parametrize("sent", [b"", INDEX[:20], WALLET + b"Content-Length: 9\r\n\r\n{}"])
def test_a_client_may_go_without_a_word(
    start_edge: StartEdge, authority: Authority, certificate: Certificate, sent: bytes
) -> None:
    edge = start_edge(tls=certificate)
    client = TLSClient(edge.port, authority)
    client.send(sent)
    until(lambda: len(edge.edge.shared.clients) == 1)

    client.plain = socket.socket(fileno=client.tls.detach())
    client.plain.close()

    until(lambda: not edge.edge.shared.clients)
    assert edge.wallet.seen == []


def test_a_client_that_ends_its_half_ends_the_connection(
    start_edge: StartEdge, authority: Authority, certificate: Certificate
) -> None:
    edge = start_edge(tls=certificate)
    client = TLSClient(edge.port, authority)

    client.plain = client.tls.unwrap()

    assert client.plain.recv(1) == b""
    client.plain.close()


def test_a_client_that_does_not_answer_the_end_is_cut(
    start_edge: StartEdge, authority: Authority, certificate: Certificate
) -> None:
    edge = start_edge(tls=certificate)
    client = TLSClient(edge.port, authority)
    client.send(LAST)
    client.read_reply()

    until(lambda: not edge.edge.shared.clients)
    client.close()


def test_a_drain_does_not_wait_for_handshakes(start_edge: StartEdge, certificate: Certificate) -> None:
    edge = start_edge(tls=certificate, times=replace(QUICK, head=30.0, drain=10.0))
    silent = edge.client()
    until(lambda: edge.edge.has_clients)

    began = time.monotonic()
    edge.run(edge.edge.drain())

    assert time.monotonic() - began < 5
    assert silent.is_closed()


def test_new_connections_get_a_new_certificate_and_old_ones_stay(
    start_edge: StartEdge, authority: Authority, certificate: Certificate, tmp_path: Path
) -> None:
    edge = start_edge(tls=certificate)
    kept = TLSClient(edge.port, authority)
    before = kept.serial

    authority.issue(tmp_path, "localhost")
    until(lambda: _serial(edge, authority) != before)
    kept.send(LAST)

    assert kept.read_reply().status == 200
    kept.close()


@pytest.mark.parametrize("spoiled", ["cert.pem", "key.pem"])
def test_a_bad_certificate_changes_nothing_but_the_log(
    start_edge: StartEdge,
    authority: Authority,
    certificate: Certificate,
    tmp_path: Path,
    spoiled: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    edge = start_edge(tls=certificate)
    before = _serial(edge, authority)

    (tmp_path / spoiled).write_text("nothing")
    until(lambda: "The new certificate cannot be used." in caplog.text)
    after_spoiling = _serial(edge, authority)
    authority.issue(tmp_path, "localhost")
    certificate.reload()

    assert after_spoiling == before
    assert _serial(edge, authority) != before


def test_files_that_are_gone_for_a_moment_change_nothing(
    start_edge: StartEdge,
    authority: Authority,
    certificate: Certificate,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    edge = start_edge(tls=certificate)
    before = _serial(edge, authority)

    (tmp_path / "cert.pem").unlink()
    time.sleep(0.7)

    assert _serial(edge, authority) == before
    assert caplog.records == []


def _serial(edge: RunningEdge, authority: Authority) -> object:
    client = TLSClient(edge.port, authority)
    serial = client.serial
    client.close()
    return serial


@pytest.mark.parametrize(("name", "status"), [("localhost", 200), ("wallet.example", 502)])
def test_a_service_must_show_a_certificate_for_its_name(
    start_edge: StartEdge, authority: Authority, bearer: bytes, tmp_path: Path, name: str, status: int
) -> None:
    issued = authority.issue(tmp_path, name)
    its = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    its.load_cert_chain(*issued)
    trusting = ssl.create_default_context(cafile=authority.file)
    edge = start_edge(wallet=(its, Address("localhost", 0, trusting)))

    reply = edge.ask(WALLET + bearer + b"\r\n")

    assert reply.status == status
    assert bool(edge.wallet.seen) is (status == 200)


def test_a_service_of_an_unknown_authority_gets_no_request(
    start_edge: StartEdge, authority: Authority, bearer: bytes, tmp_path: Path
) -> None:
    its = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    its.load_cert_chain(*authority.issue(tmp_path, "localhost"))
    edge = start_edge(wallet=(its, Address("localhost", 0, ssl.create_default_context())))

    reply = edge.ask(WALLET + bearer + b"\r\n")

    assert (reply.status, edge.wallet.seen) == (502, [])
