"""Starting and stopping the real system, politely and otherwise."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from terminal import Mercato, environment, free_base

from mercato.health import is_ready
from mercato.postgres import provide, temporary_cluster

WALLET_OFFSET = 1


@pytest.fixture
def running(mercato: Mercato) -> Mercato:
    if not is_ready(f"http://127.0.0.1:{mercato.port}/readyz"):
        mercato.stop()
        answer = mercato.up()
        assert answer.returncode == 0, answer.stderr
    return mercato


@pytest.fixture
def stopped(mercato: Mercato) -> Mercato:
    mercato.stop()
    return mercato


@pytest.fixture
def foreground(stopped: Mercato) -> Iterator["subprocess.Popen[str]"]:
    command = [*stopped.command("up", "--port", str(stopped.port)), "--data", os.fspath(stopped.data_dir)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stderr is not None
    while "Ctrl-C" not in (line := process.stderr.readline()):
        assert line, "ended before it was up"
    yield process
    process.kill()
    process.communicate()


def test_migrates_without_a_running_system(stopped: Mercato) -> None:
    assert stopped("migrate").returncode == 0
    assert not stopped.status()["running"]


def test_stops_everything(running: Mercato) -> None:
    pids = running.processes().values()

    answer = running("down")

    assert answer.returncode == 0
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    assert running("status").returncode == 1


def test_stopping_what_does_not_run_is_no_failure(stopped: Mercato) -> None:
    assert stopped("down").returncode == 0


def test_the_second_start_has_nothing_left_to_do(running: Mercato, stopped: Mercato) -> None:
    answer = stopped.up()

    assert answer.returncode == 0
    assert "migrated" not in answer.stderr
    assert "static files" not in answer.stderr
    assert "demo data" not in answer.stderr


def test_ctrl_c_stops_everything(foreground: "subprocess.Popen[str]", mercato: Mercato) -> None:
    pids = mercato.processes().values()

    foreground.send_signal(signal.SIGINT)

    assert foreground.wait(20) == 0
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def test_one_dead_process_ends_the_system(foreground: "subprocess.Popen[str]", mercato: Mercato) -> None:
    pids = mercato.processes()
    os.kill(pids["wallet"], signal.SIGKILL)

    _, complaint = foreground.communicate(timeout=20)

    assert foreground.returncode == 1
    assert "wallet was killed by SIGKILL" in complaint
    assert not [pid for pid in pids.values() if psutil.pid_exists(pid)]


def test_a_dead_database_ends_the_system(foreground: "subprocess.Popen[str]", mercato: Mercato) -> None:
    os.kill(mercato.processes()["postgres"], signal.SIGKILL)

    _, complaint = foreground.communicate(timeout=20)

    assert foreground.returncode == 1
    assert "PostgreSQL ended" in complaint


def test_starts_again_after_the_supervisor_was_killed(
    foreground: "subprocess.Popen[str]", mercato: Mercato
) -> None:
    foreground.kill()
    foreground.wait()

    answer = mercato.up()

    assert answer.returncode == 0, answer.stderr
    assert mercato.status()["healthy"]


def test_the_wallet_alone_verifies_without_the_gateway(running: Mercato) -> None:
    token = running.token("shopper")
    running("down")

    running.up("--only", "wallet")

    assert running.processes().keys() == {"postgres", "wallet"}
    assert running.wallet(token, running.port + WALLET_OFFSET).status_code == 200


def test_uses_a_database_from_the_environment(tmp_path: Path) -> None:
    mercato = Mercato(tmp_path / "data", free_base())
    with temporary_cluster() as cluster:
        provide(cluster, "ledger", owner_password="o", app_password="a")
        urls = {
            variable: cluster.url(user=f"ledger_{role}", password=role[0], database="ledger")
            for variable, role in (("WALLET_DATABASE_URL", "app"), ("WALLET_OWNER_DATABASE_URL", "owner"))
        }
        answer = mercato.up("--only", "wallet", **urls)
        processes = mercato.processes()
        mercato("down")

    assert answer.returncode == 0, answer.stderr
    assert processes.keys() == {"wallet"}
    assert not (mercato.data_dir / "postgres").exists()


def test_says_when_the_database_from_the_environment_is_not_there(tmp_path: Path) -> None:
    url = "postgresql://wallet:s3cret@127.0.0.1:1/wallet"

    answer = Mercato(tmp_path / "data", free_base()).up("--only", "wallet", WALLET_DATABASE_URL=url)

    assert answer.returncode == 1
    assert "no connection to the database" in answer.stderr
    assert "s3cret" not in answer.stderr


@pytest.mark.parametrize("origin", ["http://shop.example", "localhost:8000", "ftp://localhost"])
def test_refuses_an_origin_that_is_none(tmp_path: Path, origin: str) -> None:
    answer = Mercato(tmp_path / "data", free_base()).up(MERCATO_ORIGIN=origin)

    assert answer.returncode == 1
    assert "MERCATO_ORIGIN" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_keys_can_be_made_listed_and_checked(tmp_path: Path) -> None:
    mercato = Mercato(tmp_path / "data", 1)

    made = mercato("keys", "init")

    assert "gateway           access" in made.stdout
    assert mercato("keys", "list").stdout == made.stdout
    assert mercato("keys", "check").stdout == "all well\n"


def test_says_what_is_wrong_with_the_keys(tmp_path: Path) -> None:
    answer = Mercato(tmp_path / "data", 1)("keys", "check")

    assert answer.returncode == 1
    assert "does not exist" in answer.stderr
