"""What the tests of the command line share."""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from terminal import Mercato, free_base

from chassis.testing.leaks import leaks_of_logs, secrets_in
from chassis.testing.sharing import making
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


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first start leaves behind. Tests start from copies, for it takes most of a minute.

    MERCATO_TEST_SEEDED names where it is kept, for several runs to share that minute.
    """
    kept = os.environ.get("MERCATO_TEST_SEEDED")
    mercato = Mercato(Path(kept) if kept else tmp_path_factory.mktemp("seeded") / "data", free_base())
    with making(mercato.data_dir) as is_missing:
        if is_missing:
            answer = mercato.up()
            assert answer.returncode == 0, answer.stderr
            mercato.stop()
    return mercato.data_dir


@pytest.fixture(scope="module")
def mercato(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mercato]:
    """A seeded system, stopped, that the tests of one module share."""
    data_dir = shutil.copytree(seeded, tmp_path_factory.mktemp("home") / "data")
    mercato = Mercato(data_dir, free_base())
    yield mercato
    mercato.stop()
    secrets = [secret for path in data_dir.glob("*.json") for secret in secrets_in(path)]
    assert leaks_of_logs(data_dir, secrets) == []
