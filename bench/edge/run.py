"""Measures what the edge costs beside HAProxy with jwt_verify: CPU time per authenticated, proxied request.

Both stand before the same upstream, check the same ES256 token (signature, issuer, audience, expiry), set the
same forwarding headers and write an access log. The runs are interleaved, because the machine is never quiet.

    python bench/edge/run.py [--rounds 5] [--seconds 4] [--connections 32]
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.edge.testing import ORIGIN, SUBJECT, Issuer, RawClient, RecordingUpstream, Seen, json_reply

PATH: Final = "/api/v1/wallet"
BODY: Final = '{"balances":[{"currency":"EUR","balance_minor":5000,"held_minor":0,"available_minor":5000}]}'

UPSTREAM_CONFIGURATION: Final = """
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout client 60s
    timeout connect 1s
    timeout server 60s
frontend upstream
    bind 127.0.0.1:{port}
    http-request return status 200 content-type application/json string '{body}'
"""

PROXY_CONFIGURATION: Final = """
global
    nbthread 1
    maxconn 4096
    log stdout format raw local0
defaults
    mode http
    log global
    option httplog
    option forwardfor
    timeout client 60s
    timeout connect 300ms
    timeout server 5s
    timeout http-request 10s
    http-reuse always
frontend proxy
    bind 127.0.0.1:{port}
    unique-id-format %{{+X}}o%ci:%cp_%fi:%fp_%Ts_%rt:%pid
    unique-id-header X-Request-ID
    acl is_wallet path /api/v1/wallet
    acl is_wallet path_beg /api/v1/wallet/
    http-request deny deny_status 404 unless is_wallet
    http-request deny deny_status 405 unless {{ method GET HEAD POST }}
{checks}    http-request del-header Cookie
    http-request set-header X-Forwarded-Proto http
    http-response set-header X-Content-Type-Options nosniff
    default_backend wallet
backend wallet
    server wallet 127.0.0.1:{upstream_port}
"""

CHECKS: Final = """\
    http-request set-var(txn.bearer) http_auth_bearer
    http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
    http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
    http-request set-var(txn.aud) var(txn.bearer),jwt_payload_query('$.aud[0]')
    http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
    http-request set-var(txn.now) date()
    http-request deny deny_status 401 unless {{ var(txn.alg) -m str ES256 }}
    http-request deny deny_status 401 unless {{ var(txn.iss) -m str {origin} }}
    http-request deny deny_status 401 unless {{ var(txn.aud) -m str gateway }}
    http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
    http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,"{public_key}") -m int 1 }}
"""


@dataclass
class Contestant:
    """A proxy under test; the lists hold one figure a round."""

    name: str
    port: int
    process: psutil.Process
    micros: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    p99_millis: list[float] = field(default_factory=list)


class Web:
    """Stands in for the web: answers every Ask with a token signed by the bench's key."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self.upstream = RecordingUpstream(behave=self._mint)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self.upstream.start(), self._loop).result(5)

    async def _mint(self, seen: Seen) -> None:
        audience = json.loads(await seen.read_body())["audience"]
        expires_at = int(time.time()) + 120
        token = self._issuer.mint(aud=audience, exp=expires_at)
        answer = {"token": token, "exp": expires_at, "sub": SUBJECT}
        seen.reply(json_reply(json.dumps(answer).encode()))


def main() -> None:
    """Run the benchmark and print its table."""
    arguments = parse_arguments()
    wrk = find("wrk")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        issuer = Issuer(folder)
        public_key = folder / "public.pem"
        public_key.write_bytes(
            issuer.key.private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        upstream_port = free_port()
        upstream = UPSTREAM_CONFIGURATION.format(port=upstream_port, body=BODY.replace('"', '\\"'))
        stack.enter_context(run_haproxy(folder / "upstream.cfg", upstream, upstream_port))
        checks = CHECKS.format(public_key=public_key, origin=ORIGIN)
        contestants = [
            stack.enter_context(run_edge(issuer, upstream_port)),
            stack.enter_context(
                run_proxy("HAProxy, no token checked (the floor)", folder / "floor.cfg", "", upstream_port)
            ),
            stack.enter_context(
                run_proxy("HAProxy, jwt_verify", folder / "proxy.cfg", checks, upstream_port)
            ),
        ]
        expect_refusal(contestants[0], issuer)
        expect_refusal(contestants[-1], issuer)
        token = issuer.mint(iat=int(time.time()), exp=int(time.time()) + 900)
        for contestant in contestants:
            measure(wrk, contestant, token, arguments, seconds=1)
            clear(contestant)
        for _ in range(arguments.rounds):
            for contestant in contestants:
                measure(wrk, contestant, token, arguments, seconds=arguments.seconds)
        report(contestants)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=32)
    return parser.parse_args()


def find(program: str) -> str:
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if path is None:
        sys.exit(f"bench/edge: {program} is not installed")
    return path


@contextlib.contextmanager
def run_haproxy(path: Path, configuration: str, port: int) -> Iterator[psutil.Process]:
    path.write_text(configuration.lstrip("\n"))
    with running([find("haproxy"), "-db", "-f", str(path)], dict(os.environ), port) as process:
        yield process


@contextlib.contextmanager
def run_proxy(name: str, path: Path, checks: str, upstream_port: int) -> Iterator[Contestant]:
    port = free_port()
    configuration = PROXY_CONFIGURATION.format(port=port, upstream_port=upstream_port, checks=checks)
    with run_haproxy(path, configuration, port) as process:
        yield Contestant(name, port, process)


@contextlib.contextmanager
def run_edge(issuer: Issuer, upstream_port: int) -> Iterator[Contestant]:
    port = free_port()
    environment = os.environ | {
        "MERCATO_ORIGIN": ORIGIN,
        "KEYS_PUBLIC": str(issuer.directory),
        "EDGE_KEY": os.urandom(24).hex(),
        "EDGE_BIND": f"127.0.0.1:{port}",
        "EDGE_METRICS_BIND": f"127.0.0.1:{free_port()}",
        "WALLET_URL": f"http://127.0.0.1:{upstream_port}",
        "WEB_URL": f"http://127.0.0.1:{Web(issuer).upstream.port}",
    }
    with running([sys.executable, "-m", "gateway.edge.main"], environment, port) as process:
        yield Contestant("Mercato edge", port, process)


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str], port: int) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    sys.exit(f"bench/edge: {process.args!r} does not listen")


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def expect_refusal(contestant: Contestant, issuer: Issuer) -> None:
    """A proxy that lets a foreign audience, an old token or a broken signature pass is no contestant."""
    now = int(time.time())
    token = issuer.mint()
    bad_tokens = [
        issuer.mint(aud=["wallet"]),
        issuer.mint(iss="https://evil.example"),
        issuer.mint(iat=now - 400, nbf=now - 400, exp=now - 100),
        token[:-10] + ("A" if token[-10] != "A" else "B") + token[-9:],
    ]
    for bad_token in bad_tokens:
        client = RawClient(contestant.port)
        fields = f"Host: localhost:8000\r\nAuthorization: Bearer {bad_token}\r\n"
        client.send(f"GET {PATH} HTTP/1.1\r\n{fields}\r\n".encode())
        status = client.read_reply().status
        client.close()
        if status != 401:
            sys.exit(f"bench/edge: {contestant.name} let a bad token pass with {status}")


def measure(
    wrk: str, contestant: Contestant, token: str, arguments: argparse.Namespace, *, seconds: int
) -> None:
    before = sum(contestant.process.cpu_times()[:2])
    answer = subprocess.run(
        [
            *(wrk, "--latency", "-t1", f"-c{arguments.connections}", f"-d{seconds}s"),
            *("-H", "Host: localhost:8000", "-H", f"Authorization: Bearer {token}"),
            f"http://127.0.0.1:{contestant.port}{PATH}",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    used = sum(contestant.process.cpu_times()[:2]) - before
    if "Non-2xx" in answer or "Socket errors" in answer:
        sys.exit(f"bench/edge: {contestant.name} failed requests:\n{answer}")
    requests = int(number(r"(\d+) requests in", answer))
    contestant.micros.append(used / requests * 1_000_000)
    contestant.rates.append(number(r"Requests/sec:\s+([\d.]+)", answer))
    contestant.p99_millis.append(millis(answer))


def clear(contestant: Contestant) -> None:
    for figures in (contestant.micros, contestant.rates, contestant.p99_millis):
        figures.clear()


def number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    if match is None:
        sys.exit(f"bench/edge: wrk said something unexpected:\n{text}")
    return float(match[1])


def millis(text: str) -> float:
    match = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    if match is None:
        sys.exit(f"bench/edge: wrk said something unexpected:\n{text}")
    return float(match[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[match[2]]


def report(contestants: list[Contestant]) -> None:
    reference = statistics.median(contestants[-1].micros)
    print("| proxy | CPU µs per request | range | ratio | requests/s | p99 ms | resident MB |")
    print("|---|---|---|---|---|---|---|")
    for contestant in contestants:
        micros = statistics.median(contestant.micros)
        print(
            f"| {contestant.name} | {micros:.1f} | {min(contestant.micros):.1f}-{max(contestant.micros):.1f}"
            f" | {micros / reference:.2f} | {statistics.median(contestant.rates):,.0f}"
            f" | {statistics.median(contestant.p99_millis):.1f}"
            f" | {contestant.process.memory_info().rss / 1_048_576:.0f} |"
        )


if __name__ == "__main__":
    main()
