"""The supervisor, with real processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mercato import stack as stack_module
from mercato.processes import has_ended, last_lines, listens, wait_until
from mercato.stack import NotReady, NotReplaced, PortInUse, ProgramEnded, Stack, refuse_taken_ports
from mercato.topology import Program

MakeProgram = Callable[..., Program]
MakeStack = Callable[..., Stack]

SUPERVISOR = """
import pathlib, sys
from mercato.interrupts import Interrupted
from mercato.stack import Stack
from mercato.topology import Program
stack = Stack([Program(**program) for program in {programs!r}], pathlib.Path({logs!r}))
with stack.interrupts.installed():
    try:
        stack.start()
        print("ready", flush=True)
        stack.watch()
    except Interrupted:
        print("interrupted", flush=True)
    finally:
        stack.stop()
"""


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[MakeStack]:
    made: list[Stack] = []

    def make(*programs: Program, ready_within: float = 20) -> Stack:
        made.append(Stack(programs, tmp_path, ready_within=ready_within))
        return made[-1]

    yield make
    for stack in made:
        stack.stop(patience=1)


def read(notes: Path) -> list[str]:
    return notes.read_text().splitlines()


def test_starts_in_order_and_stops_in_reverse(
    make_stack: MakeStack, make_program: MakeProgram, notes: Path
) -> None:
    stack = make_stack(make_program("edge", tier=1), make_program("web"))

    stack.start()
    stack.stop()

    assert read(notes) == ["web starts", "edge starts", "edge stops", "web stops"]


def test_names_the_port_in_use_and_who_should_have_it(make_program: MakeProgram) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        who = rf"port {port} \(wallet\) is in use by \S+ \(pid {os.getpid()}\)"
        with pytest.raises(PortInUse, match=who):
            refuse_taken_ports([make_program("wallet", port=port)])


def test_says_why_a_program_ended_before_it_was_ready(
    make_stack: MakeStack, make_program: MakeProgram
) -> None:
    stack = make_stack(make_program("wallet", "dies-early"))

    with pytest.raises(ProgramEnded) as caught:
        stack.start()

    assert str(caught.value) == "wallet ended with status 1: stand-in: the reason it cannot start"
    assert caught.value.details == ("something was logged",)


def test_gives_up_on_a_program_that_is_never_ready(make_stack: MakeStack, make_program: MakeProgram) -> None:
    stack = make_stack(make_program("wallet", "never-ready"), ready_within=1.5)

    with pytest.raises(NotReady, match="wallet was not ready within 2 s") as caught:
        stack.start()

    assert "hello" in caught.value.details[-1]


def test_reports_a_program_that_dies_later(make_stack: MakeStack, make_program: MakeProgram) -> None:
    stack = make_stack(make_program("wallet", "dies-when-ready"), make_program("web"))
    stack.start()

    with pytest.raises(ProgramEnded, match="wallet ended with status 3"):
        stack.watch()


def test_says_which_signal_killed_a_program(make_stack: MakeStack, make_program: MakeProgram) -> None:
    stack = make_stack(make_program("wallet"))
    stack.start()
    os.kill(stack.running()[0].pid, signal.SIGKILL)

    with pytest.raises(ProgramEnded, match="wallet was killed by SIGKILL"):
        stack.watch()


def test_says_what_cannot_be_started(make_stack: MakeStack, tmp_path: Path) -> None:
    stack = make_stack(Program("wallet", ("/no/such/program",), {}, tmp_path, (1,), ""))

    with pytest.raises(ProgramEnded, match="wallet cannot be started: /no/such/program: No such file"):
        stack.start()


def test_kills_what_does_not_stop_when_asked(make_stack: MakeStack, make_program: MakeProgram) -> None:
    stack = make_stack(make_program("wallet", "stubborn"))
    stack.start()
    pid = stack.running()[0].pid

    stack.stop(patience=0.3)

    assert not psutil.pid_exists(pid)


def test_leaves_no_worker_behind(make_stack: MakeStack, make_program: MakeProgram, notes: Path) -> None:
    stack = make_stack(make_program("wallet", "has-worker"))
    stack.start()
    worker = psutil.Process(int(next(line for line in read(notes) if "worker" in line).split()[-1]))

    stack.stop()

    assert wait_until(lambda: has_ended(worker), timeout=5)


def test_replaces_a_program_by_one_that_starts_beside_it(
    make_stack: MakeStack, make_program: MakeProgram, notes: Path
) -> None:
    program = make_program("wallet")
    stack = make_stack(program, make_program("web"))
    stack.start()
    before = {process.name: process.pid for process in stack.running()}

    stack.replace(program)

    after = {process.name: process.pid for process in stack.running()}
    assert [line for line in read(notes) if "wallet" in line] == [
        "wallet starts",
        "wallet starts",
        "wallet stops",
    ]
    assert (after.keys(), after["web"]) == (before.keys(), before["web"])
    assert after["wallet"] != before["wallet"]
    assert not psutil.pid_exists(before["wallet"])


def test_what_hangs_gets_no_request_beside_the_one_that_replaces_it(
    make_stack: MakeStack, make_program: MakeProgram
) -> None:
    program = make_program("wallet", "stubborn")
    stack = make_stack(program)
    stack.start()
    old, port = stack.running()[0].pid, program.ports[0]
    heard: list[bool] = []
    stack.on_ready = lambda _name, _seconds: heard.append(listens(old, port))

    stack.replace(program)

    assert heard == [False]


@pytest.mark.parametrize(
    ("manner", "why"), [("dies-early", "ended with status 1"), ("never-listens", "not ready")]
)
def test_keeps_the_old_program_when_the_new_one_cannot_start(
    make_stack: MakeStack, make_program: MakeProgram, manner: str, why: str
) -> None:
    program = make_program("wallet")
    stack = make_stack(program, ready_within=5)
    stack.start()
    before = stack.running()
    worse = make_program("wallet", manner, port=program.ports[0])
    stack.ready_within = 1

    with pytest.raises(NotReplaced, match=f"the old wallet goes on: .*{why}"):
        stack.replace(worse)

    assert stack.running() == before
    assert not has_ended(psutil.Process(before[0].pid))


def test_a_program_sees_only_its_own_environment(
    make_stack: MakeStack, make_program: MakeProgram, tmp_path: Path
) -> None:
    stack = make_stack(make_program("wallet"))
    stack.start()

    said = last_lines(tmp_path / "wallet.log", 1)[0]

    assert set(said.removeprefix("hello ").strip("[]").replace("'", "").split(", ")) <= {"ONLY", "LC_CTYPE"}


def test_one_interrupt_stops_in_order(make_program: MakeProgram, notes: Path, tmp_path: Path) -> None:
    with _Supervisor([make_program("web"), make_program("edge", tier=1)], tmp_path) as supervisor:
        supervisor.send_signal(signal.SIGINT)

        assert supervisor.wait(10) == 0
    assert read(notes)[-2:] == ["edge stops", "web stops"]


def test_a_second_interrupt_kills(make_program: MakeProgram, notes: Path, tmp_path: Path) -> None:
    with _Supervisor([make_program("web", "stubborn")], tmp_path) as supervisor:
        supervisor.send_signal(signal.SIGINT)
        assert wait_until(lambda: "web stops" in read(notes), timeout=5)

        supervisor.send_signal(signal.SIGINT)

        assert supervisor.wait(stack_module.STOPPED_WITHIN / 3) == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children of a dead parent")
def test_nothing_outlives_a_killed_supervisor(make_program: MakeProgram, notes: Path, tmp_path: Path) -> None:
    with _Supervisor([make_program("web"), make_program("wallet")], tmp_path) as supervisor:
        children = psutil.Process(supervisor.pid).children()
        supervisor.kill()

    assert len(children) == 2
    assert wait_until(lambda: all(has_ended(child) for child in children), timeout=5)
    assert sorted(read(notes)[-2:]) == ["wallet stops", "web stops"]


class _Supervisor:
    """Another Python that supervises the programs until it is told otherwise."""

    def __init__(self, programs: list[Program], logs: Path) -> None:
        described = [program.__dict__ | {"cwd": os.fspath(program.cwd)} for program in programs]
        code = SUPERVISOR.format(programs=described, logs=os.fspath(logs))
        self._process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)

    def __enter__(self) -> "subprocess.Popen[bytes]":
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self._process

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + 10
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        self._process.kill()
        self._process.communicate()
