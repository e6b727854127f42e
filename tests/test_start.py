"""A process that lacks something says so in one line and ends with status 1; it never half-starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from chassis.testing.forge import write_keys
from mercato import topology

ROOT = Path(__file__).resolve().parents[1]
SERVICES = tuple(service.name for service in topology.SERVICES)
PROCESSES = {"edge": [sys.executable, "-m", "gateway.edge.main"]} | {
    service: [sys.executable, f"{service}/manage.py", "serve"] for service in SERVICES
}
REQUIRED = dict.fromkeys(SERVICES, ("KEYS_PUBLIC", "_SECRET_KEY", "_DATABASE_URL")) | {
    "edge": ("KEYS_PUBLIC", "EDGE_KEY")
}
REQUIRED["gateway"] += ("KEYS_PRIVATE", "EDGE_KEY")
REQUIRED["catalog_category"] += ("KEYS_PRIVATE",)
REQUIRED["catalog_product"] += ("KEYS_PRIVATE", "_MEDIA")
REQUIRED["catalog_variant"] += ("KEYS_PRIVATE",)
REQUIRED["banner"] += ("_MEDIA",)
SETTINGS = [
    (process, f"{process.upper()}{name}" if name.startswith("_") else name)
    for process, names in REQUIRED.items()
    for name in names
]

ASKING = ("catalog_category", "catalog_product", "catalog_variant")
KEYS = [("gateway", "access"), ("gateway", "refresh"), *((service, "service") for service in ASKING)]

each_process = pytest.mark.parametrize("process", PROCESSES)


@pytest.fixture
def complete(tmp_path, process):
    """All that any process could ask for, with the private keys of this one."""
    write_keys(tmp_path, services=dict.fromkeys(ASKING, "catalog:exists"))
    return {
        "PATH": "/usr/bin:/bin",
        "KEYS_PUBLIC": str(tmp_path / "public"),
        "KEYS_PRIVATE": str(tmp_path / "private" / process),
        "EDGE_KEY": "e" * 40,
        "EDGE_BIND": "127.0.0.1:0",
        "EDGE_METRICS_BIND": "127.0.0.1:0",
        **{f"{service.upper()}_SECRET_KEY": service.ljust(60, "s") for service in SERVICES},
        **{f"{service.upper()}_DATABASE_URL": url(service, "app", tmp_path) for service in SERVICES},
        **{f"{service.upper()}_OWNER_DATABASE_URL": url(service, "owner", tmp_path) for service in SERVICES},
        "CATALOG_PRODUCT_MEDIA": str(tmp_path),
        "BANNER_MEDIA": str(tmp_path),
    }


def url(service, role, folder):
    return f"postgresql://{role}@/{service}?host={folder}"


def start(command, env):
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


def assert_refused(done, named):
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert named in done.stderr


@pytest.mark.case("L4")
@pytest.mark.parametrize(("process", "name"), SETTINGS)
def test_refuses_to_start_without_a_setting(complete, process, name):
    del complete[name]

    assert_refused(start(PROCESSES[process], complete), name)


@pytest.mark.case("L4")
@each_process
def test_refuses_to_start_without_usable_keys(complete, process):
    (Path(complete["KEYS_PUBLIC"]) / "jwks.json").write_text('{"keys": []}')

    assert_refused(start(PROCESSES[process], complete), "no usable keys")


@pytest.mark.parametrize("process", SERVICES)
def test_refuses_to_start_without_its_database(complete, process):
    assert_refused(start(PROCESSES[process], complete), f"cannot use the database {process} as app: ")


@pytest.mark.parametrize(("process", "kind"), KEYS)
def test_refuses_to_start_without_a_key_to_sign_with(complete, process, kind):
    [key] = Path(complete["KEYS_PRIVATE"]).glob(f"{kind}-*.pem")
    key.unlink()

    assert_refused(start(PROCESSES[process], complete), f"exactly one active {kind} key")


@pytest.mark.case("L4")
@each_process
def test_refuses_a_public_origin_without_tls(complete, process):
    complete["MERCATO_ORIGIN"] = "http://shop.example"

    assert_refused(start(PROCESSES[process], complete), "MERCATO_ORIGIN")
