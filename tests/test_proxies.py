"""Envoy and HAProxy verify our tokens with our published keys, before the services of the running shop."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis.testing.forge import encode, new_key

ROOT = Path(__file__).resolve().parents[1]
ENVOY = ROOT / "deploy" / "envoy" / "envoy.yaml"
HAPROXY = ROOT / "deploy" / "haproxy" / "haproxy.cfg"
PEM_KEYS = ROOT / "deploy" / "haproxy" / "pem_keys.py"
WALLET = "/api/v1/wallet"
PRODUCTS = "/api/v1/products"
# As the shipped files have them: what is elsewhere under test.
PORTS = {8001: "wallet", 8002: "category", 8003: "product", 8004: "variant", 8005: "banner"}


@dataclass(frozen=True)
class Proxy:
    """A proxy that runs. It puts nothing of its own on an answer of a service, and a service's answers have a
    request id.
    """

    url: str
    foreign_audience: int

    def ask(self, path: str, token: str = "", method: str = "GET", **headers: str) -> requests.Response:
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(
            method, f"{self.url}{path}", headers=authorization | headers, timeout=10, allow_redirects=False
        )

    def refuses(self, path: str, token: str = "", status: int = 401, method: str = "GET") -> bool:
        """Whether the proxy itself says no, and asks no service."""
        response = self.ask(path, token, method)
        return (response.status_code, "x-request-id" in response.headers) == (status, False)


def program(name: str) -> str:
    folders = [str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"]
    path = shutil.which(name, path=os.pathsep.join(folders))
    if path is None:
        missing = f"there is no {name}; `make proxies` installs it where it may"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def running(command: list[str], log: Path, port: int, env: dict[str, str] | None = None) -> Iterator[str]:
    """A proxy that is ready when it answers at all; its address."""
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)
    try:
        ends_at = time.monotonic() + 30
        while not answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < ends_at, log.read_text()
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/", timeout=5).status_code == 404
    except requests.ConnectionError:
        return False


@contextmanager
def envoy(system: Any, folder: Path) -> Iterator[Proxy]:
    port = free_port()
    text = ENVOY.read_text().replace("port_value: 10000", f"port_value: {port}")
    for shipped, process in PORTS.items():
        text = text.replace(f"port_value: {shipped}}}", f"port_value: {system.process(process)['port']}}}")
    text = text.replace("port_value: 8000}", f"port_value: {system.port}}}")
    text = text.replace("http://localhost:8000", system.origin)
    text = text.replace("localhost:8000", urlsplit(system.origin).netloc)
    path = folder / "envoy.yaml"
    path.write_text(text)
    options = ["--concurrency", "1", "--disable-hot-restart", "-l", "warning", "-c", str(path)]
    with running([program("envoy"), *options], folder / "envoy.log", port) as url:
        yield Proxy(url, foreign_audience=403)


@contextmanager
def haproxy(system: Any, folder: Path) -> Iterator[Proxy]:
    port = free_port()
    command = [program("haproxy"), "-db", "-f", str(HAPROXY)]
    jwks = f"{system.origin}/.well-known/jwks.json"
    subprocess.run([sys.executable, str(PEM_KEYS), jwks, str(folder)], check=True)
    services = zip(PORTS.values(), AUDIENCES, strict=True)
    env = {
        "PATH": os.environ["PATH"],
        "KEYS": str(folder),
        "BIND": f"127.0.0.1:{port}",
        "MERCATO_ORIGIN": system.origin,
        "MERCATO_HOST": urlsplit(system.origin).netloc,
        **{name.upper(): f"127.0.0.1:{system.process(process)['port']}" for process, name in services},
    }
    with running(command, folder / "haproxy.log", port, env) as url:
        yield Proxy(url, foreign_audience=401)


AUDIENCES = ("wallet", "catalog_category", "catalog_product", "catalog_variant", "banner")
KINDS = {"envoy": envoy, "haproxy": haproxy}


@pytest.fixture(scope="module", params=KINDS)
def proxy(request, system, tmp_path_factory) -> Iterator[Proxy]:
    with KINDS[request.param](system, tmp_path_factory.mktemp(request.param)) as running_proxy:
        yield running_proxy


@pytest.fixture(scope="module")
def token(system) -> str:
    return system.log_in("shopper")["access"]


@pytest.fixture(scope="module")
def aim(system):
    """The forge of this shop, and who the shopper is."""
    return system.aim("wallet")


def minted(aim, audience="wallet", **claims) -> str:
    usual = {"sub": aim.sub, "sid": aim.sid, "scope": aim.scope}
    return aim.forge.mint(audience, **(usual | claims))


def test_lets_a_log_in_of_the_shop_pass_to_the_service(proxy, token, system):
    response = proxy.ask(WALLET, token)

    assert response.status_code == 200
    assert response.json() == system.request("GET", WALLET, token=token).json()


def test_lets_everybody_read_what_is_public(proxy):
    response = proxy.ask(PRODUCTS)

    assert response.status_code == 200
    assert response.json()["data"]


@pytest.mark.parametrize("path", [WALLET, "/api/v1/stock"])
def test_asks_for_a_token_where_one_is_needed(proxy, path):
    assert proxy.refuses(path)


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_asks_for_a_token_where_something_is_written(proxy, method):
    assert proxy.refuses(PRODUCTS, method=method)


@pytest.mark.parametrize("path", [WALLET, PRODUCTS])
def test_refuses_bad_tokens(proxy, aim, path):
    now = int(time.time())
    audience = "wallet" if path == WALLET else "catalog_product"
    good = minted(aim, audience)
    head, payload, signature = good.split(".")
    claims, ours = aim.forge.claims(audience), aim.forge.access.kid
    none = encode({"alg": "none", "kid": ours})
    bad = {
        "old": minted(aim, audience, iat=now - 600, nbf=now - 600, exp=now - 300),
        "without an end": minted(aim, audience, exp=None),
        "of a foreign issuer": minted(aim, audience, iss="https://elsewhere.example"),
        "of a foreign key": aim.forge.sign(claims, key=new_key()),
        "of a foreign key with our kid": aim.forge.sign(claims, key=new_key(), header={"kid": ours}),
        "of a service's key": aim.forge.sign(claims, key=aim.forge.service_key("catalog_variant")),
        "of a refresh key": aim.forge.sign(claims, key=aim.forge.refresh, header={"typ": "rt+jwt"}),
        "of no algorithm": f"{none}.{payload}.",
        "of no algorithm, signed": f"{none}.{payload}.{signature}",
        "of another algorithm": f"{encode({'alg': 'HS256', 'kid': ours})}.{payload}.{signature}",
        "changed": f"{head}.{encode(claims)}.{signature}",
        "no token": "nonsense",
    }

    assert proxy.ask(path, good).status_code == 200
    assert [what for what, token in bad.items() if not proxy.refuses(path, token)] == []


def test_refuses_a_token_for_another_service(proxy, aim):
    assert proxy.refuses(WALLET, minted(aim, "banner"), proxy.foreign_audience)
    assert proxy.refuses(PRODUCTS, minted(aim, "wallet"), proxy.foreign_audience)


def test_takes_no_token_from_the_query(proxy, token):
    assert proxy.refuses(f"{WALLET}?access_token={token}")


@pytest.mark.parametrize("path", ["/", "/account/login/", "/internal/token", "/admin/wallet/", "/metrics"])
def test_knows_no_other_path(proxy, token, path):
    assert proxy.refuses(path, token, 404)


def test_refuses_what_a_path_or_a_name_could_hide(proxy, token):
    assert proxy.refuses("/api/v1/wallet%2f..%2fproducts", token, 400)
    assert proxy.ask(PRODUCTS, x_a="1").status_code in {400, 403}


def test_leaves_the_last_word_to_the_service(proxy, aim):
    response = proxy.ask(WALLET, minted(aim, scope="banner:read"))

    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")
    # By which `refuses` tells whose answer it is.
    assert "x-request-id" in response.headers


def test_ships_a_configuration_for_envoy_that_is_good():
    command = [program("envoy"), "--mode", "validate", "-c", str(ENVOY)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_ships_a_configuration_for_haproxy_that_is_good(tmp_path):
    public = new_key().private_key.public_key()
    for name in ("first.pem", "second.pem"):
        (tmp_path / name).write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    done = subprocess.run(
        [program("haproxy"), "-c", "-f", str(HAPROXY)],
        env={"KEYS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
