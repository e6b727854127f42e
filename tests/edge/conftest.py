"""An edge by itself, between a client that sends any bytes and upstreams that write down every byte."""

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

import pytest

from chassis.problems import CATALOGUE
from chassis.testing.forge import Forge, write_keys
from chassis.testing.leaks import leaks

SUBJECT = "00000000-0000-7000-8000-000000000001"
MAX_LIFETIME_SECONDS = 900
EDGE_KEY = secrets.token_urlsafe(36)
SERVE = (
    "from chassis.serve import serve; serve('echo:application', bind=('127.0.0.1', {}), workers=1, threads=2)"
)
# All of it comes from one address, and bad tokens by the hundred.
ROOMY = dict.fromkeys(
    ("EDGE_REQUESTS_PER_SECOND", "EDGE_BURST", "EDGE_GUESSES_PER_SECOND", "EDGE_GUESSES_BURST"), "1000000"
)
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Recorded:
    """A request as an upstream got it."""

    head: bytes
    body: bytes

    @property
    def line(self) -> bytes:
        return self.head.split(b"\r\n", 1)[0]

    @property
    def fields(self) -> dict[bytes, bytes]:
        """The fields by their names in lower case, each of which must be there once."""
        lines = self.head.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]
        pairs = [line.split(b": ", 1) for line in lines]
        fields = {name.lower(): value for name, value in pairs}
        assert len(fields) == len(pairs), "a field came twice"
        return fields


class Recorder:
    """An upstream that writes down what it reads and answers as it is told.

    It understands plain HTTP/1.1 only: a line ends with CR LF, Content-Length tells the body.
    """

    def __init__(self, answer: Callable[[Recorded], bytes]) -> None:
        self.requests: list[Recorded] = []
        self.connections = 0
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def forget(self) -> None:
        """Begin with nothing on record."""
        self.requests.clear()
        self.connections = 0

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as file, suppress(OSError):
            while request := self._read(file):
                self.requests.append(request)
                connection.sendall(self._answer(request))

    def _read(self, file: BinaryIO) -> Recorded | None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = file.readline()
            if not line:
                return None
            head += line
        return Recorded(head, file.read(int(Recorded(head, b"").fields.get(b"content-length", 0))))


@dataclass(frozen=True)
class Edge:
    """A running edge. lines are the header lines of a good request: Host and Authorization; minted are the
    tokens that the web gave last, by the bearer and the audience that it was asked for.
    """

    port: int
    forge: Forge
    token: str
    wallet: Recorder
    categories: Recorder
    web: Recorder
    log: Path
    minted: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def key(self) -> bytes:
        return EDGE_KEY.encode()

    @property
    def host(self) -> bytes:
        return f"localhost:{self.port}".encode()

    @property
    def lines(self) -> bytes:
        return b"Host: %b\r\nAuthorization: Bearer %b\r\n" % (self.host, self.token.encode())

    @property
    def seen(self) -> list[Recorded]:
        """What reached any upstream, but for the edge's own questions to the web."""
        return [
            request
            for upstream in (self.wallet, self.categories, self.web)
            for request in upstream.requests
            if not request.line.startswith(b"POST /internal/token ")
        ]

    @property
    def is_untouched(self) -> bool:
        """Whether no upstream was asked anything, or even connected to."""
        upstreams = (self.wallet, self.categories, self.web)
        return not any(upstream.requests or upstream.connections for upstream in upstreams)

    @property
    def token_line(self) -> bytes:
        """The line with the token for the wallet."""
        return b"authorization: Bearer %b\r\n" % self.minted[self.token, "wallet"].encode()

    def head_for(
        self,
        reply: Any,
        line: bytes = b"GET /api/v1/wallet HTTP/1.1",
        lines: bytes = b"",
        own: bytes | None = None,
        *,
        host: bytes = b"",
    ) -> bytes:
        """The whole head that a service must have got where the client got this reply. lines: those of the
        client that pass; own: those at the end, if not the token for the wallet alone.
        """
        return (
            b"%b\r\nhost: %b\r\nx-forwarded-host: %b\r\n%bx-forwarded-proto: http\r\nvia: 1.1 mercato\r\n"
            b"x-request-id: %b\r\nx-forwarded-for: 127.0.0.1\r\n%b\r\n"
        ) % (
            line,
            host or self.host,
            host or self.host,
            lines,
            reply.header("x-request-id").encode(),
            self.token_line if own is None else own,
        )


def reply(body: bytes, *, is_head: bool = False) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head if is_head else head + body


def answer_as_service(request: Recorded) -> bytes:
    return reply(b"{}", is_head=request.line.startswith(b"HEAD "))


def answer_as_web(forge: Forge, minted: dict[tuple[str, str], str]) -> Callable[[Recorded], bytes]:
    """Mints tokens as the web does; says {} to everything else."""

    def answer(request: Recorded) -> bytes:
        if not request.line.startswith(b"POST /internal/token "):
            return answer_as_service(request)
        question = json.loads(request.body)
        claims = read_claims(question["bearer"])
        token = forge.mint(question["audience"], sub=claims["sub"], scope=claims["scope"])
        minted[question["bearer"], question["audience"]] = token
        answer = {"token": token, "exp": read_claims(token)["exp"], "sub": claims["sub"]}
        return reply(json.dumps(answer).encode())

    return answer


def read_claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def environment(port: int, public: Path, ports: dict[str, int]) -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
        "MERCATO_ORIGIN": f"http://localhost:{port}",
        "EDGE_BIND": f"127.0.0.1:{port}",
        "EDGE_METRICS_BIND": f"127.0.0.1:{free_port()}",
        "EDGE_KEY": EDGE_KEY,
        "KEYS_PUBLIC": str(public),
        **ROOMY,
        **{name: f"http://127.0.0.1:{port}" for name, port in ports.items()},
    }


@contextmanager
def started(
    edge: Edge, ports: dict[str, int], connect: Callable[..., Any], eventually: Any
) -> Iterator[Edge]:
    """The edge as a process of its own, whose services listen on these ports."""
    with edge.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.edge.main"],
            env=environment(edge.port, edge.forge.keys_dir / "public", ports),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: is_ready(connect, edge) or process.poll() is not None)
        assert process.poll() is None, edge.log.read_text()
        yield edge
    finally:
        process.terminate()
        process.wait(20)
    assert leaks(edge.log.read_text(), [EDGE_KEY]) == []


def new_edge(folder: Path, wallet: Recorder) -> Edge:
    """What is known of an edge before it runs."""
    port = free_port()
    write_keys(folder / "keys", services={"catalog_variant": "listings:write catalog:exists"})
    forge = Forge(folder / "keys", issuer=f"http://localhost:{port}")
    # As long as an access token may live, so that the tests end before it does.
    token = forge.mint(
        "gateway", sub=SUBJECT, scope="wallet:read wallet:admin", exp=int(time.time()) + MAX_LIFETIME_SECONDS
    )
    minted: dict[tuple[str, str], str] = {}
    categories, web = Recorder(answer_as_service), Recorder(answer_as_web(forge, minted))
    return Edge(port, forge, token, wallet, categories, web, folder / "edge.log", minted)


@pytest.fixture(scope="session")
def running_edge(tmp_path_factory, connect, eventually) -> Iterator[Edge]:
    edge = new_edge(tmp_path_factory.mktemp("edge"), Recorder(answer_as_service))
    upstreams = {"WALLET_URL": edge.wallet, "CATALOG_CATEGORY_URL": edge.categories, "WEB_URL": edge.web}
    with started(edge, {name: upstream.port for name, upstream in upstreams.items()}, connect, eventually):
        yield edge
    for upstream in upstreams.values():
        upstream.close()


def is_ready(connect: Callable[..., Any], edge: Edge) -> bool:
    try:
        with connect(edge.port) as wire:
            return wire.ask(b"GET /readyz HTTP/1.1\r\nHost: %b\r\n\r\n" % edge.host).status == 200
    except OSError:
        return False


class Tap:
    """Hands on every byte to a port, and keeps those that went there."""

    def __init__(self, port: int) -> None:
        self.sent = bytearray()
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._target)) as far:
            back = Thread(target=self._carry, args=(far, near, bytearray()), daemon=True)
            back.start()
            self._carry(near, far, self.sent)
            back.join()

    def _carry(self, source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                kept += data
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@dataclass(frozen=True)
class Chain:
    """An edge before a service that runs as services do and writes down what it understood."""

    edge: Edge
    tap: Tap
    service_port: int
    told: Path

    def understood(self) -> list[dict[str, Any]]:
        """What the service understood since clear()."""
        return [json.loads(line) for line in self.told.read_text().splitlines()]

    def clear(self) -> None:
        self.told.write_text("")
        self.tap.sent.clear()


@pytest.fixture(scope="session")
def chain(tmp_path_factory, connect, eventually) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp("chain")
    told, port = folder / "told", free_port()
    told.write_text("")
    service = subprocess.Popen(
        [sys.executable, "-c", SERVE.format(port)],
        env=dict(os.environ) | {"ECHO_TOLD": str(told), "PYTHONPATH": str(Path(__file__).parent)},
    )
    tap = Tap(port)
    edge = new_edge(folder, Recorder(answer_as_service))
    ports = {"WALLET_URL": tap.port, "CATALOG_CATEGORY_URL": edge.categories.port, "WEB_URL": edge.web.port}
    try:
        eventually(lambda: is_listening(port), 20)
        with started(edge, ports, connect, eventually):
            yield Chain(edge, tap, port, told)
    finally:
        service.terminate()
        service.wait(20)
        for upstream in (tap, edge.wallet, edge.categories, edge.web):
            upstream.close()


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@pytest.fixture
def claims_of() -> Callable[[str], dict[str, Any]]:
    """Reads the claims of a token without checking it."""
    return read_claims


@pytest.fixture
def edge(running_edge: Edge) -> Edge:
    """The edge, with nothing on record."""
    for upstream in (running_edge.wallet, running_edge.categories, running_edge.web):
        upstream.forget()
    return running_edge


@pytest.fixture
def assert_refused(edge: Edge, connect: Callable[..., Any]) -> Callable[..., None]:
    """Sends what must be refused: all of the answer is that, and nobody hears of it."""

    def check(
        data: bytes,
        code: str,
        detail: str = "",
        *,
        fields: tuple[tuple[str, str], ...] = (),
        closes: bool = False,
    ) -> None:
        status, title = CATALOGUE[code]
        with connect(edge.port) as wire:
            wire.send(data)
            reply = wire.reply()
            wire.send(b"GET /livez HTTP/1.1\r\n\r\n")
            following = wire.reply()

        (date, _), *others = reply.fields
        document = {"type": f"/problems/{code}", "title": title, "status": status, "code": code}
        request_id = {"request_id": reply.header("x-request-id")}
        assert reply.json() == document | ({"detail": detail} if detail else {}) | request_id
        assert (reply.status, date) == (status, "date")
        assert others == [
            ("content-type", "application/problem+json"),
            ("content-length", str(len(reply.body))),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("x-request-id", reply.header("x-request-id")),
            ("cache-control", "no-store"),
            *fields,
            *([("connection", "close")] if closes else []),
        ]
        assert following is None if closes else following.status == 200
        assert edge.is_untouched

    return check
