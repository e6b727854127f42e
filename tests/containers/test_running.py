"""The shop in containers, really built and really running: what docker-compose.yml promises holds."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from engine import EngineFailed

from chassis.testing.leaks import leaks

pytestmark = pytest.mark.timeout(1500)

TESTS = Path(__file__).resolve().parents[1]
SERVICES = ("wallet", "catalog-category", "catalog-product", "catalog-variant", "banner")
PROCESSES = ("gateway-edge", "gateway-web", *SERVICES)
SIGNERS = {"gateway-web", "catalog-category", "catalog-product", "catalog-variant"}
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "CI", "MERCATO_TEST_CHROMIUM")
# The one test that goes past the edge, for which no container has a way.
PAST_THE_EDGE = "test_reads_the_same_at_the_wallets_own_port"
# What a shopper does, in a browser.
SHOPPER = "signs_up or repaints or every_entry or forgotten or no_token"

each_process = pytest.mark.parametrize("process", PROCESSES)


@pytest.fixture
def passes(shop, tmp_path):
    """Runs tests of the whole system against the shop in containers, from inside its network."""
    told = tmp_path / "running.json"
    told.write_text(json.dumps({"origin": shop.origin, "logins": shop.logins()}))
    told.chmod(0o600)

    def run(path, *options):
        pytest_here = [sys.executable, "-m", "pytest", "-q", "--tb=short", "--timeout=300", path]
        env = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        done = subprocess.run(
            shop.engine.inside(*pytest_here, *options),
            cwd=TESTS,
            env=env | {"MERCATO_TEST_RUNNING": str(told)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        [counts] = re.findall(r"(?m)^.*\d+ passed.*$", done.stdout)
        assert "skipped" not in counts
        print(f"           {path}: {counts}")

    return run


CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
except OSError as exc:
    print(type(exc).__name__)
else:
    print("connected")
"""
# Another role's database, with the role that the container has.
INTRUDE = """
import pathlib, psycopg2
url = pathlib.Path("/run/secrets/database_url").read_text().strip()
psycopg2.connect(url).close()
psycopg2.connect(url.rpartition("/")[0] + "/wallet")
"""


def reaches(shop, service, address, port):
    answer = shop.execute(service, "python", "-c", CONNECT, address, str(port)).strip()
    # Who is refused has found the way.
    assert answer in {"connected", "TimeoutError", "OSError"}
    return answer == "connected"


def address(shop, service, network):
    return shop.containers[service]["NetworkSettings"]["Networks"][f"mercato_{network}"]["IPAddress"]


def test_passes_the_journey_of_an_api_client(passes):
    passes("test_api_journey.py", "-k", f"not {PAST_THE_EDGE}")


def test_serves_a_browser(passes):
    passes("browser/test_journey.py", "-k", SHOPPER)


def test_ends_every_job_well(shop):
    jobs = {name: one["State"] for name, one in shop.containers.items() if one["State"]["Status"] == "exited"}

    assert jobs.keys() == shop.containers.keys() - {*PROCESSES, "postgres"}
    assert {state["ExitCode"] for state in jobs.values()} == {0}


def test_finds_every_process_healthy(shop):
    states = {name: shop.containers[name]["State"] for name in (*PROCESSES, "postgres")}

    assert {name: state["Health"]["Status"] for name, state in states.items()} == dict.fromkeys(
        states, "healthy"
    )
    assert not any(state["OOMKilled"] for state in states.values())


def test_runs_nothing_as_root(shop):
    ids = {name: shop.containers[name]["Id"] for name in (*PROCESSES, "postgres")}

    users = {
        name: {
            line.split()[1]
            for line in shop.engine.docker("top", ids[name], "-eo", "pid,uid").splitlines()[1:]
        }
        for name in ids
    }

    assert users == {name: {"10001"} for name in PROCESSES} | {"postgres": {"999"}}


@each_process
def test_writes_nowhere_but_where_it_may(shop, process):
    with pytest.raises(EngineFailed, match="Read-only file system"):
        shop.execute(process, "touch", "/srv/file")


@pytest.mark.parametrize("process", sorted(set(PROCESSES) - {"gateway-web"}))
def test_cannot_touch_what_it_verifies_with(shop, process):
    with pytest.raises(EngineFailed, match="Read-only file system"):
        shop.execute(process, "touch", "/keys/public/file")


def test_shares_with_the_services_what_the_web_revokes(shop):
    shop.execute("gateway-web", "test", "-w", "/keys/public")

    shop.execute("wallet", "test", "-s", "/keys/public/revoked.jws")


@pytest.mark.case("C10")
@each_process
def test_holds_a_private_key_where_it_signs_and_nowhere_else(shop, process):
    # What one may not look into does not count; each volume is a place of its own for find.
    search = "find / /keys/private /run/secrets -xdev -name '*-*.pem' 2>/dev/null; true"
    found = shop.execute(process, "sh", "-c", search).split()

    assert {file.startswith("/keys/private/") for file in found} == ({True} if process in SIGNERS else set())


def test_keeps_services_apart(shop):
    wallet = address(shop, "wallet", "wallet")

    assert reaches(shop, "gateway-edge", wallet, 8001)
    assert not reaches(shop, "banner", wallet, 8001)


def test_lets_the_catalogue_talk(shop):
    assert reaches(shop, "catalog-category", "catalog-product", 8003)


def test_keeps_the_edge_from_the_databases(shop):
    postgres = address(shop, "postgres", "wallet-data")

    assert reaches(shop, "wallet", postgres, 5432)
    assert not reaches(shop, "gateway-edge", postgres, 5432)


def test_refuses_the_database_of_another(shop):
    with pytest.raises(EngineFailed, match='permission denied for database "wallet"'):
        shop.execute("banner", "python", "-c", INTRUDE)


def test_listens_outside_at_the_edge_alone(shop):
    listed = subprocess.run(
        shop.engine.inside("cat", "/proc/net/tcp", "/proc/net/tcp6"),
        capture_output=True,
        text=True,
        check=True,
    )
    # Local address and state, of which 0A is that of a listener (proc(5)).
    listeners = {fields[1] for fields in map(str.split, listed.stdout.splitlines()) if fields[3] == "0A"}

    assert listeners == {"0100007F:1F40"}


@each_process
def test_shows_no_secret_of_a_container_to_who_may_only_look(shop, process):
    found = shop.execute(process, "sh", "-c", "cat /run/secrets/*").split()
    secrets = [urlsplit(secret).password or secret for secret in found]
    logs = shop.compose("logs", "--no-color")
    seen = json.dumps(shop.containers[process]) + logs

    assert secrets
    assert [secret for secret in secrets if secret in seen] == []
    assert leaks(logs, secrets) == []


@each_process
def test_logs_json(shop, process):
    lines = shop.compose("logs", "--no-color", "--no-log-prefix", process).splitlines()

    assert lines
    assert {type(json.loads(line)) for line in lines} == {dict}


def test_changes_nothing_when_it_is_brought_up_again(shop):
    def standing():
        ids = [shop.containers[name]["Id"] for name in (*PROCESSES, "postgres")]
        started = shop.engine.docker("inspect", "--format={{.State.StartedAt}}", *ids)
        return started, shop.execute("wallet", "cat", "/keys/public/jwks.json"), shop.logins()

    before = standing()
    shop.up()
    shop.wait_for_seed()

    assert standing() == before
