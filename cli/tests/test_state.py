"""What is left of an earlier run, told from what only looks like it."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from mercato import state
from mercato.home import Home
from mercato.state import Running, State


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_reads_what_it_wrote(home: Home) -> None:
    written = State(
        "ready", "http://localhost:1", 1, state.this_process("me"), (Running("web", 1, 2.0, 3, "u"),)
    )

    state.write_state(home, written)

    assert state.read_state(home) == written


def test_without_a_file_the_system_is_stopped(home: Home) -> None:
    assert state.read_state(home) == State()


def test_ends_a_leftover(process: "subprocess.Popen[bytes]") -> None:
    leftover = state.describe("web", process.pid)

    assert state.end_leftovers([leftover]) == ["web"]

    assert process.wait(5) == -signal.SIGTERM


def test_leaves_a_stranger_with_the_same_number_alone(process: "subprocess.Popen[bytes]") -> None:
    stale = dataclasses.replace(state.describe("web", process.pid), created=1.0)

    assert state.end_leftovers([stale]) == []

    assert psutil.pid_exists(process.pid)
    assert process.poll() is None


def test_knows_itself() -> None:
    assert state.this_process("me").pid == os.getpid()
    assert state.this_process("me").process() is not None
