"""The edge and its rivals, each on one thread before the same upstream, told to check the same things."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from issuer import ALGORITHMS, Issuer, Web, spoil
from processes import find, free_port, running

from gateway.edge.testing import ORIGIN, RawClient

BASELINES: Final = Path(__file__).resolve().parents[1] / "baselines"
PATH: Final = "/api/v1/wallet"
CACHED_PATH: Final = "/api/v1/products"

EDGE: Final = "edge"
ENVOY: Final = "envoy"
HAPROXY: Final = "haproxy"
NGINX: Final = "nginx"
DJANGO: Final = "django_requests"
DJANGO_GRANIAN: Final = "django_requests_granian"

LABELS: Final = {
    EDGE: "Mercato edge",
    ENVOY: "Envoy, jwt_authn with its cache",
    HAPROXY: "HAProxy, jwt_verify",
    NGINX: "nginx, no token checked (the floor)",
    DJANGO: "Django + requests, gunicorn gthread",
    DJANGO_GRANIAN: "Django + requests, granian",
}

# Everything is on; the limits are only so high that one client that asks all the time does not meet them.
UNLIMITED: Final = {
    "EDGE_CONNECTIONS_PER_ADDRESS": "1000000",
    "EDGE_REQUESTS_PER_SECOND": "1000000",
    "EDGE_BURST": "10000000",
    "EDGE_GUESSES_PER_SECOND": "1000000",
    "EDGE_GUESSES_BURST": "10000000",
}


@dataclass(frozen=True)
class Contestant:
    """A proxy under test. remembers: it keeps what it verified, so that it has to see tokens first."""

    name: str
    port: int
    process: psutil.Process
    remembers: bool = False

    @property
    def label(self) -> str:
        return LABELS[self.name]


@contextlib.contextmanager
def upstream(folder: Path) -> Iterator[int]:
    """The service behind all of them; its port."""
    port = free_port()
    with running([_needed("haproxy"), "-db", "-f", _configure("upstream.cfg", folder, port)], port):
        yield port


@contextlib.contextmanager
def edge(
    issuer: Issuer, upstream_port: int, web: Web, env: dict[str, str] | None = None
) -> Iterator[Contestant]:
    """Our own, as it runs in a shop; env: what else it is told."""
    port = free_port()
    told = {
        "MERCATO_ORIGIN": ORIGIN,
        "KEYS_PUBLIC": str(issuer.folder),
        "EDGE_KEY": os.urandom(24).hex(),
        "EDGE_BIND": f"127.0.0.1:{port}",
        "EDGE_METRICS_BIND": f"127.0.0.1:{free_port()}",
        "WALLET_URL": f"http://127.0.0.1:{upstream_port}",
        "CATALOG_PRODUCT_URL": f"http://127.0.0.1:{upstream_port}",
        "WEB_URL": f"http://127.0.0.1:{web.port}",
    }
    with running(
        [sys.executable, "-m", "gateway.edge.main"], port, told | UNLIMITED | (env or {})
    ) as process:
        yield Contestant(EDGE, port, process, remembers=True)


@contextlib.contextmanager
def rivals(
    issuer: Issuer, upstream_port: int, *, leave_out: tuple[str, ...] = ()
) -> Iterator[list[Contestant]]:
    """Those that are installed; the others are named on standard error."""
    folder = issuer.folder
    told = {
        "PYTHONPATH": str(BASELINES),
        "UPSTREAM": f"http://127.0.0.1:{upstream_port}",
        "ISSUER": ORIGIN,
        "JWKS": str(folder / "jwks.json"),
    }
    with contextlib.ExitStack() as stack:
        found = []
        for name in (ENVOY, HAPROXY, NGINX, DJANGO, DJANGO_GRANIAN):
            if name in leave_out:
                continue
            port = free_port()
            command = _command(name, folder, port, upstream_port)
            if command is None:
                print(f"bench/edge: without {LABELS[name]}: it is not installed", file=sys.stderr)
                continue
            process = stack.enter_context(running(command, port, told))
            found.append(Contestant(name, port, process, remembers=name == ENVOY))
        yield found


def expect_refusals(contestant: Contestant, issuer: Issuer) -> None:
    """Whoever lets one of these pass is not comparable."""
    now = int(time.time())
    for algorithm in ALGORITHMS:
        good = issuer.mint(algorithm)
        bad = {
            "without a token": "",
            "with a foreign audience": issuer.mint(algorithm, aud=["banner"]),
            "with a foreign issuer": issuer.mint(algorithm, iss="https://elsewhere.example"),
            "with an old token": issuer.mint(algorithm, iat=now - 600, nbf=now - 600, exp=now - 300),
            "with a broken signature": spoil(good),
        }
        for what, token in bad.items():
            # Envoy says 403 to a foreign audience.
            _expect(contestant, token, {401, 403}, f"{algorithm} {what}")
        _expect(contestant, good, {200}, f"{algorithm} with a good token")


def request(token: str, path: str = PATH) -> bytes:
    """A request as every contestant gets it."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: localhost:8000\r\n{authorization}\r\n".encode()


def show(contestant: Contestant, tokens: list[str]) -> None:
    """Let it see every token once."""
    client = RawClient(contestant.port)
    for first in range(0, len(tokens), 16):
        some = tokens[first : first + 16]
        client.send(b"".join(map(request, some)))
        for _ in some:
            client.read_reply()
    client.close()


def _expect(contestant: Contestant, token: str, wanted: set[int], what: str) -> None:
    client = RawClient(contestant.port)
    client.send(request(token))
    status = client.read_reply().status
    client.close()
    if status not in wanted:
        sys.exit(f"bench/edge: {contestant.label} answers {status} to a request, {what}")


def _command(name: str, folder: Path, port: int, upstream_port: int) -> list[str] | None:
    configuration, program, arguments = {
        ENVOY: ("envoy.yaml", "envoy", ["--concurrency", "1", "-l", "error", "--disable-hot-restart", "-c"]),
        HAPROXY: ("haproxy.cfg", "haproxy", ["-db", "-f"]),
        NGINX: ("nginx.conf", "nginx", ["-c"]),
        DJANGO: (
            "",
            "gunicorn",
            [
                *("django_requests:application", "--worker-class", "gthread", "--workers", "1"),
                *("--threads", "8", "--keep-alive", "75", "--access-logfile", "-", "--log-level", "warning"),
                *("--worker-tmp-dir", str(folder), "--no-control-socket", "--bind", f"127.0.0.1:{port}"),
            ],
        ),
        DJANGO_GRANIAN: (
            "",
            "granian",
            [
                *("django_requests:application", "--interface", "wsgi", "--workers", "1"),
                *("--blocking-threads", "4", "--access-log", "--log-level", "warning"),
                *("--host", "127.0.0.1", "--port", str(port)),
            ],
        ),
    }[name]
    path = find(program)
    if path is None:
        return None
    last = [_configure(configuration, folder, port, upstream_port)] if configuration else []
    return [path, *arguments, *last]


def _configure(name: str, folder: Path, port: int, upstream_port: int = 0) -> str:
    text = (BASELINES / name).read_text()
    values = {"port": port, "upstream": upstream_port, "folder": folder, "origin": ORIGIN}
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    path = folder / name
    path.write_text(text)
    return str(path)


def _needed(program: str) -> str:
    path = find(program)
    if path is None:
        sys.exit(f"bench/edge: {program} is not installed (apt-get install wrk haproxy)")
    return path
