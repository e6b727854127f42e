"""What the tests of the command line share."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mercato.home import Home
from mercato.topology import Program

STAND_IN = Path(__file__).with_name("stand_in.py")
MakeProgram = Callable[..., Program]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where the stand-ins write what happens to them."""
    return tmp_path / "notes"


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Ports that nobody listened on a moment ago."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture
def make_program(notes: Path, tmp_path: Path, free_port: Callable[[], int]) -> MakeProgram:
    """A stand-in under the supervisor, with the manners of stand_in.py."""

    def make(name: str, *manners: str, port: int | None = None, tier: int = 0) -> Program:
        port = port or free_port()
        command = (sys.executable, os.fspath(STAND_IN), str(port), os.fspath(notes), name, *manners)
        ready_url = f"http://127.0.0.1:{port}/readyz"
        return Program(name, command, {"ONLY": "this"}, tmp_path, (port,), ready_url, tier)

    return make


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of its own, with keys and all."""
    home = Home.at(tmp_path / "data")
    home.prepare()
    return home
