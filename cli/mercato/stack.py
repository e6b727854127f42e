"""The supervisor: starts programs in order, waits until they are ready, watches them, stops them again."""

import errno
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

from mercato.failures import Failure
from mercato.health import is_ready
from mercato.interrupts import Interrupts
from mercato.processes import last_lines, spawn
from mercato.state import Running, describe, kill_group
from mercato.topology import Program

READY_WITHIN = 30.0
STOPPED_WITHIN = 15.0
_DETAILS = 20


class PortInUse(Failure):
    """Something else listens where a program of ours should."""


class NotReady(Failure):
    """A program lives, but does not say that it is ready."""


class ProgramEnded(Failure):
    """A program ended that should have gone on."""


@dataclass
class _Child:
    program: Program
    process: "subprocess.Popen[bytes]"
    log: Path
    written: int  # Bytes that the log had before this start.

    def said(self, count: int) -> list[str]:
        return last_lines(self.log, count, start=self.written)


@dataclass
class Stack:
    """The programs of one system, stopped at the end of a `with`. For the main thread only.

    `on_change` is called whenever a process was started; `on_ready` with the name and the seconds it took.
    """

    programs: Sequence[Program]
    log_dir: Path
    interrupts: Interrupts = field(default_factory=Interrupts)
    on_change: Callable[[], None] = lambda: None
    on_ready: Callable[[str, float], None] = lambda _name, _seconds: None
    ready_within: float = READY_WITHIN
    _children: list[_Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start tier by tier, each when the one before is ready; within a tier all at once.

        Raises: NotReady, ProgramEnded, Interrupted; what was started stays for stop().
        """
        for tier in sorted({program.tier for program in self.programs}):
            members = [program for program in self.programs if program.tier == tier]
            began = time.monotonic()
            children = [self._spawn(program) for program in members]
            self._await_ready(children, began)

    def running(self) -> list[Running]:
        """The processes started so far, for the state file."""
        return [
            describe(child.program.name, child.process.pid, child.program.ports[0], child.program.ready_url)
            for child in self._children
        ]

    def watch(self, others: Callable[[], None] = lambda: None, pause: float = 0.2) -> None:
        """Return never; `others` is called at every look and may raise for what it watches.

        Raises: ProgramEnded, Interrupted.
        """
        while True:
            self.interrupts.check()
            others()
            for child in self._children:
                self._refuse_end(child)
            time.sleep(pause)

    def stop(self, patience: float = STOPPED_WITHIN) -> None:
        """Stop in reverse order, the higher tiers first; kill what is left after `patience` seconds each,
        or at once when the interrupts have become impatient.
        """
        self.interrupts.begin_stop()
        for tier in sorted({child.program.tier for child in self._children}, reverse=True):
            children = [child for child in self._children if child.program.tier == tier]
            for child in children:
                child.process.terminate()
            deadline = time.monotonic() + patience
            while any(child.process.poll() is None for child in children):
                if self.interrupts.are_impatient or time.monotonic() > deadline:
                    break
                time.sleep(0.02)
            for child in children:
                # The leader may have left workers behind, even when it ended well.
                kill_group(child.process.pid)
                child.process.wait()
        self._children.clear()

    def _spawn(self, program: Program) -> _Child:
        log = self.log_dir / f"{program.name}.log"
        written = log.stat().st_size if log.exists() else 0
        try:
            process = spawn(program.command, log=log, env=program.env, cwd=program.cwd)
        except OSError as exc:
            what = f"{program.name} cannot be started: {program.command[0]}"
            raise ProgramEnded(f"{what}: {exc.strerror}") from exc
        child = _Child(program, process, log, written)
        self._children.append(child)
        self.on_change()
        return child

    def _await_ready(self, children: list[_Child], began: float) -> None:
        waiting = list(children)
        while waiting:
            for child in list(waiting):
                self._refuse_end(child)
                if is_ready(child.program.ready_url):
                    waiting.remove(child)
                    self.on_ready(child.program.name, time.monotonic() - began)
            self.interrupts.check()
            if waiting and time.monotonic() - began > self.ready_within:
                raise _not_ready(waiting[0], self.ready_within)
            time.sleep(0.03)

    def _refuse_end(self, child: _Child) -> None:
        code = child.process.poll()
        if code is None:
            return
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        said = child.said(_DETAILS)
        reason = f": {said[-1]}" if said else ""
        raise ProgramEnded(f"{child.program.name} {how}{reason}", said[:-1])


def refuse_taken_ports(programs: Iterable[Program]) -> None:
    """Check every port before anything is started.

    Raises: PortInUse naming the port, who should have it, and who has it.
    """
    for program in programs:
        for port in program.ports:
            if _is_taken(port):
                who = f"port {port} ({program.name}) is in use{_holder_of(port)}"
                raise PortInUse(f"{who}; choose others with --port")


def _not_ready(child: _Child, seconds: float) -> NotReady:
    text = f"{child.program.name} was not ready within {seconds:.0f} s at {child.program.ready_url}"
    return NotReady(f"{text}; the end of {child.log}:", child.said(_DETAILS))


def _is_taken(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as exc:
            if exc.errno in (errno.EADDRINUSE, errno.EACCES):
                return True
            raise
    return False


def _holder_of(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr or not connection.pid:
                continue
            if connection.laddr.port == port:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        return ""
    return ""
