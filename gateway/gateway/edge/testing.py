"""For tests of the wire: a running edge, upstreams that record what reaches them, and a raw client."""

import asyncio
import contextlib
import io
import json
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import uvloop
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.keys import SigningKey, public_jwk
from chassis.tokens import sign
from gateway.edge.certificate import Certificate
from gateway.edge.config import Address, Configuration, Limits, Times
from gateway.edge.main import Edge
from gateway.edge.observe import Journal

T = TypeVar("T")

ORIGIN: Final = "http://localhost:8000"
EDGE_KEY: Final = "edge-key-for-tests-0123456789abcdef"
SUBJECT: Final = "018f4e2a-0000-7000-8000-000000000001"

QUICK: Final = Times(
    connect=0.3,
    queue=0.3,
    head=0.3,
    body=0.3,
    idle=1.0,
    write=0.5,
    total=3.0,
    ask=0.5,
    pooled=5.0,
    open=0.4,
    stream=1.5,
    stream_idle=0.4,
    linger=0.3,
    drain=2.0,
    tick=0.02,
)
"""Times that a test can wait for."""

ROOMY: Final = Limits(
    failures=1_000_000,
    connections_per_address=1_000_000,
    requests_per_second=1_000_000,
    burst=1_000_000,
    guesses_per_second=1_000_000,
    guesses_burst=1_000_000,
)
"""No test runs into a limit or a breaker that it does not mean."""

QUOTA: Final = 'ratelimit-policy: "client";q=1000000;w=1\r\nratelimit: "client";r=999999;t=0\r\n'
"""What every client is told that it has left of them."""


class Issuer:
    """Signs tokens with a key of its own, which it publishes in a directory."""

    def __init__(self, directory: Path) -> None:
        """Write jwks.json."""
        private_key = ec.generate_private_key(ec.SECP256R1())
        jwk = public_jwk(private_key, holder="gateway")
        self.directory = directory
        self.key = SigningKey(jwk["kid"], "ES256", private_key)
        (directory / "jwks.json").write_text(json.dumps({"keys": [jwk]}))

    def mint(self, **claims: Any) -> str:
        """A user's access token for the gateway, with the claims given; without those that are None."""
        now = int(time.time())
        usual = {
            "iss": ORIGIN,
            "aud": ["gateway", "wallet"],
            "sub": SUBJECT,
            "client_id": "tests",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": uuid.uuid4().hex,
            "sid": uuid.uuid4().hex,
            "scope": "wallet:read wallet:write",
            "roles": ["customer"],
            "auth_time": now,
            "amr": ["pwd"],
            "token_type": "access",
        }
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        return sign(said, self.key, "at+jwt")


@dataclass
class Seen:
    """A request that reached an upstream, and the means to answer it."""

    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    connection: int
    body: bytes = b""

    @property
    def start(self) -> str:
        """The request line without its version."""
        return self.head.split(b"\r\n", 1)[0].decode().rpartition(" ")[0]

    def values(self, name: str) -> list[str]:
        """All values of a header field."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        fields = [line.partition(": ") for line in lines if line]
        return [value for key, _, value in fields if key.lower() == name.lower()]

    def line(self, name: str) -> bytes:
        """The line of a header field that must be there once, for what a test cannot foresee."""
        (value,) = self.values(name)
        return f"{name}: {value}\r\n".encode("latin-1")

    async def read_body(self) -> bytes:
        """The whole body, which must come with its length."""
        length = int((self.values("content-length") or ["0"])[0])
        self.body = await self.reader.readexactly(length)
        return self.body

    def reply(self, data: bytes) -> None:
        """Answer with these bytes."""
        self.writer.write(data)


Behavior = Callable[[Seen], Awaitable[None]]


def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Wait for it; roomily, because the machine of a test may be busy. TimeoutError when it never comes."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not come to that")
        time.sleep(0.005)


def json_reply(body: bytes = b'{"ok":true}', status: str = "200 OK", extra: bytes = b"") -> bytes:
    """A reply that any route may give."""
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n".encode()
        + extra
        + b"\r\n"
        + body
    )


async def answer_json(seen: Seen) -> None:
    """Read the body and answer with a little JSON."""
    await seen.read_body()
    seen.reply(json_reply())


@dataclass
class RecordingUpstream:
    """A service made of bytes: it records what reaches it and behaves as it is told."""

    behave: Behavior = answer_json
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    server: asyncio.Server | None = None
    tls: ssl.SSLContext | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self.server is not None:
            self.server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                seen = Seen(head, reader, writer, number)
                self.seen.append(seen)
                await self.behave(seen)
                await writer.drain()
        writer.transport.abort()


class RawClient:
    """A client that sends exactly the bytes it is given."""

    def __init__(self, port: int, *, receive_buffer: int = 0, address: str = "127.0.0.1") -> None:
        """receive_buffer: bytes that the kernel takes before anything is read, 0 for its own choice;
        address: of this client.
        """
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(5)
        try:
            self.socket.bind((address, 0))
            self.socket.connect(("127.0.0.1", port))
        except OSError:
            self.socket.close()
            raise
        self._buffer = b""

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def read_reply(self, *, is_head: bool = False) -> "RawReply":
        """One reply, framed by its length, its chunks, or the end."""
        head = self._until(b"\r\n\r\n")
        reply = RawReply(head, b"")
        length = reply.field("content-length")
        if is_head or reply.status in {100, 204, 304}:
            return reply
        if reply.field("transfer-encoding") == "chunked":
            return RawReply(head, b"".join(self._chunks()))
        return RawReply(head, self._exactly(int(length)) if length is not None else self.read_all())

    def read_all(self) -> bytes:
        """Everything until the other side closes."""
        data, self._buffer = self._buffer, b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(65536):
                data += piece
        return data

    def is_closed(self) -> bool:
        """Whether the other side closes, within the time-out, without a further byte."""
        return self.read_all() == b""

    def close(self) -> None:
        """Close."""
        self.socket.close()

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._until(b"\r\n"), 16):
            yield self._exactly(size + 2)[:-2]
        self._until(b"\r\n")

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._receive()
        head, _, self._buffer = self._buffer.partition(mark)
        return head + mark

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._receive()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _receive(self) -> None:
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError(f"closed in the middle of {self._buffer[:200]!r}")
        self._buffer += piece


@dataclass(frozen=True)
class RawReply:
    """A reply as it came."""

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.head.split(b" ", 2)[1])

    def field(self, name: str) -> str | None:
        """The only value of a header field, or None."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        values = [value for line in lines for key, _, value in [line.partition(": ")] if key.lower() == name]
        if len(values) > 1:
            raise ValueError(f"{name} stands {len(values)} times")
        return values[0] if values else None

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class RunningEdge:
    """An edge with its upstreams, on an event loop in a thread of its own."""

    def __init__(
        self,
        issuer: Issuer,
        *,
        times: Times = QUICK,
        limits: Limits | None = None,
        trusted_proxies: int = 0,
        tls: Certificate | None = None,
        wallet: tuple[ssl.SSLContext, Address] | None = None,
        people_per_address: int = 1,
    ) -> None:
        """Start everything; the web mints until it is told to behave otherwise.

        wallet: how it speaks TLS, and where the edge thinks that it is, but for the port.
        """
        self.issuer = issuer
        self._tls = tls
        self.wallet = RecordingUpstream(tls=wallet[0] if wallet else None)
        self._wallet_address = wallet[1] if wallet else Address("127.0.0.1", 0)
        self.categories = RecordingUpstream()
        self.products = RecordingUpstream()
        self.variants = RecordingUpstream()
        self.banners = RecordingUpstream()
        self.web = RecordingUpstream(behave=self.mint_answer)
        self._upstreams = {
            "wallet": self.wallet,
            "catalog_category": self.categories,
            "catalog_product": self.products,
            "catalog_variant": self.variants,
            "banner": self.banners,
            "web": self.web,
        }
        self.minted: list[str] = []
        """The tokens that the web gave."""
        self.log = io.BytesIO()
        self._clients: list[RawClient] = []
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.edge = self.run(self._start(times, limits or ROOMY, trusted_proxies, people_per_address))
        self.port = self.edge.port

    @property
    def arrived(self) -> list[Seen]:
        """All that reached any upstream: the web's come last, and questions for tokens are among them."""
        return [seen for upstream in self._upstreams.values() for seen in upstream.seen]

    @property
    def dialed(self) -> int:
        """How many connections there have been to upstreams."""
        return sum(upstream.connections for upstream in self._upstreams.values())

    def head_for(self, reply: "RawReply", start: str, lines: bytes = b"", own: bytes = b"") -> bytes:
        """The whole head that a service must have got where the client got this reply. lines: those of the
        client that pass; own: those that the edge adds at the end.
        """
        return (
            b"%b HTTP/1.1\r\nhost: localhost:8000\r\nx-forwarded-host: localhost:8000\r\n%b"
            b"x-forwarded-proto: http\r\nvia: 1.1 mercato\r\n"
            b"x-request-id: %b\r\nx-forwarded-for: 127.0.0.1\r\n%b\r\n"
        ) % (start.encode(), lines, (reply.field("x-request-id") or "").encode(), own)

    @property
    def token_line(self) -> bytes:
        """The line with the token that the web gave last."""
        return b"authorization: Bearer %b\r\n" % self.minted[-1].encode()

    def begin(self, coroutine: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run something on the edge's loop without waiting."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something on the edge's loop and wait for it."""
        return self.begin(coroutine).result(10)

    def client(self, **options: Any) -> RawClient:
        """A new connection, closed with the edge."""
        self._clients.append(RawClient(self.port, **options))
        return self._clients[-1]

    def ask(self, data: bytes, *, is_head: bool = False) -> RawReply:
        """Send bytes on a connection of their own and read one reply."""
        client = self.client()
        client.send(data)
        reply = client.read_reply(is_head=is_head)
        client.close()
        return reply

    async def mint_answer(self, seen: Seen) -> None:
        """Answer like the web: a token for one audience on /internal/token, JSON elsewhere."""
        body = await seen.read_body()
        if seen.start != "POST /internal/token":
            seen.reply(json_reply())
            return
        expires_at = int(time.time()) + 120
        token = self.issuer.mint(aud=json.loads(body)["audience"], exp=expires_at)
        self.minted.append(token)
        answer = {"token": token, "exp": expires_at, "sub": SUBJECT}
        seen.reply(json_reply(json.dumps(answer).encode()))

    def close(self) -> None:
        """Stop everything."""
        for client in self._clients:
            client.close()
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        await self.edge.drain()
        for upstream in self._upstreams.values():
            await upstream.stop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _start(self, times: Times, limits: Limits, trusted_proxies: int, people: int) -> Edge:
        for upstream in self._upstreams.values():
            await upstream.start()
        addresses = {name: Address("127.0.0.1", upstream.port) for name, upstream in self._upstreams.items()}
        addresses["wallet"] = replace(self._wallet_address, port=self.wallet.port)
        configuration = Configuration(
            origin=ORIGIN,
            bind=("127.0.0.1", 0),
            metrics_bind=("127.0.0.1", 0),
            keys_public=self.issuer.directory,
            edge_key=EDGE_KEY,
            upstreams=addresses,
            trusted_proxies=trusted_proxies,
            tls=self._tls,
            people_per_address=people,
            times=times,
            limits=limits,
        )
        edge = Edge(configuration, journal=Journal(self.log))
        await edge.start()
        return edge
