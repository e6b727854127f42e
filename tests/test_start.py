"""A process that lacks something says so in one line and ends with status 1; it never half-starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from chassis.testing.forge import write_keys

ROOT = Path(__file__).resolve().parents[1]
EDGE = [sys.executable, "-m", "gateway.edge.main"]
WEB = [sys.executable, "gateway/manage.py", "serve"]
WALLET = [sys.executable, "wallet/manage.py", "serve"]
CATEGORY = [sys.executable, "catalog_category/manage.py", "serve"]


@pytest.fixture
def complete(tmp_path):
    write_keys(tmp_path, services={})
    return {
        "PATH": "/usr/bin:/bin",
        "KEYS_PUBLIC": str(tmp_path / "public"),
        "KEYS_PRIVATE": str(tmp_path / "private" / "gateway"),
        "EDGE_KEY": "e" * 40,
        "EDGE_BIND": "127.0.0.1:0",
        "EDGE_METRICS_BIND": "127.0.0.1:0",
        "GATEWAY_SECRET_KEY": "g" * 60,
        "WALLET_SECRET_KEY": "w" * 60,
        "GATEWAY_DATABASE_URL": f"postgresql://app@/gateway?host={tmp_path}",
        "WALLET_DATABASE_URL": f"postgresql://app@/wallet?host={tmp_path}",
        "GATEWAY_OWNER_DATABASE_URL": f"postgresql://owner@/gateway?host={tmp_path}",
        "CATALOG_CATEGORY_SECRET_KEY": "c" * 60,
        "CATALOG_CATEGORY_DATABASE_URL": f"postgresql://app@/catalog_category?host={tmp_path}",
        "WALLET_OWNER_DATABASE_URL": f"postgresql://owner@/wallet?host={tmp_path}",
    }


def start(command, env):
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


def assert_refused(done, named):
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert named in done.stderr


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (EDGE, "KEYS_PUBLIC"),
        (EDGE, "EDGE_KEY"),
        (WALLET, "KEYS_PUBLIC"),
        (WALLET, "WALLET_SECRET_KEY"),
        (WALLET, "WALLET_DATABASE_URL"),
        (CATEGORY, "KEYS_PUBLIC"),
        (CATEGORY, "KEYS_PRIVATE"),
        (CATEGORY, "CATALOG_CATEGORY_SECRET_KEY"),
        (CATEGORY, "CATALOG_CATEGORY_DATABASE_URL"),
        (WEB, "KEYS_PUBLIC"),
        (WEB, "KEYS_PRIVATE"),
        (WEB, "EDGE_KEY"),
        (WEB, "GATEWAY_SECRET_KEY"),
        (WEB, "GATEWAY_DATABASE_URL"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1].split("/")[0].replace("-m", "edge"),
)
def test_refuses_to_start_without_a_setting(complete, command, name):
    del complete[name]

    assert_refused(start(command, complete), name)


@pytest.mark.parametrize("command", [EDGE, WEB, WALLET, CATEGORY], ids=["edge", "web", "wallet", "category"])
def test_refuses_to_start_without_usable_keys(complete, command):
    (Path(complete["KEYS_PUBLIC"]) / "jwks.json").write_text('{"keys": []}')

    assert_refused(start(command, complete), "no usable keys")


@pytest.mark.parametrize(("command", "name"), [(WEB, "gateway"), (WALLET, "wallet")], ids=["web", "wallet"])
def test_refuses_to_start_without_its_database(complete, command, name):
    assert_refused(start(command, complete), f"cannot use the database {name}")


def test_refuses_to_sign_without_a_private_key(complete):
    for path in Path(complete["KEYS_PRIVATE"]).glob("*.pem"):
        path.unlink()

    assert_refused(start(WEB, complete), "exactly one active access key")


@pytest.mark.parametrize("command", [EDGE, WEB, WALLET, CATEGORY], ids=["edge", "web", "wallet", "category"])
def test_refuses_a_public_origin_without_tls(complete, command):
    complete["MERCATO_ORIGIN"] = "http://shop.example"

    assert_refused(start(command, complete), "MERCATO_ORIGIN")
