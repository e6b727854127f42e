"""A log that has grown too big is set aside when a system starts, and only then."""

import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mercato.home import Home
from mercato.up import up

TOO_BIG = 10 * 1024 * 1024 + 1


@pytest.fixture
def log(home: Home) -> Path:
    log = home.log("wallet")
    log.touch()
    os.truncate(log, TOO_BIG)
    return log


def start(home: Home, port: int) -> Result:
    arguments = ["--only", "wallet", "--port", str(port), "--data", os.fspath(home.data_dir)]
    return CliRunner().invoke(up, arguments)


def test_a_start_sets_a_big_log_aside(home: Home, log: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = start(home, taken.getsockname()[1] - 1)

    assert "is in use" in answer.stderr
    assert not log.exists()
    assert log.with_suffix(".log.1").stat().st_size == TOO_BIG


def test_a_second_start_leaves_the_logs_of_the_first(home: Home, log: Path) -> None:
    with home.lock():
        answer = start(home, 8000)

    assert "already running" in answer.stderr
    assert log.stat().st_size == TOO_BIG
