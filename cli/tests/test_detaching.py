"""What goes on in the background, and what it says when it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mercato.processes import wait_until

WORK = """
import pathlib, sys
from mercato.detaching import detached

def work(is_up):
    {body}

sys.exit(detached(work, pathlib.Path({log!r})))
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def detach(body: str, log: Path) -> "subprocess.CompletedProcess[str]":
    code = WORK.format(body=body, log=os.fspath(log))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_shows_what_went_wrong_before_it_was_up(log: Path) -> None:
    answer = detach("raise ValueError('nobody expects this')", log)

    assert answer.returncode == 1
    assert "Traceback" in answer.stderr
    assert "nobody expects this" in answer.stderr


def test_logs_what_goes_wrong_afterwards(log: Path) -> None:
    answer = detach("is_up(); raise ValueError('nobody expects this')", log)

    assert (answer.returncode, answer.stderr) == (0, "")
    assert wait_until(lambda: "ValueError: nobody expects this" in log.read_text(), timeout=5)


def test_an_interrupt_before_it_was_up_needs_no_traceback(log: Path) -> None:
    answer = detach("import signal; signal.raise_signal(signal.SIGINT)", log)

    assert (answer.returncode, answer.stderr) == (130, "")
