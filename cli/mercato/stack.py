"""The supervisor: starts programs in order, waits until they are ready, watches them, stops them again."""

import errno
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

from gateway.edge.listening import join, listen_together
from mercato.control import EdgeControl, EdgeIsSilent
from mercato.failures import Failure
from mercato.health import is_ready
from mercato.interrupts import Interrupts
from mercato.processes import last_lines, listens, spawn, wait_until
from mercato.state import Running, describe, kill_group
from mercato.topology import Program

READY_WITHIN = 30.0
STOPPED_WITHIN = 15.0
_HELD_AT_MOST = 20.0
_QUIET_WITHIN = 5.0
_GONE_WITHIN = 2.0
_DEAF_WITHIN = 2.0  # After that.
_DETAILS = 20


class PortInUse(Failure):
    """Something else listens where a program of ours should."""


class NotReady(Failure):
    """A program lives, but does not say that it is ready."""


class ProgramEnded(Failure):
    """A program ended that should have gone on."""


class NotReplaced(Failure):
    """The new process of a program is of no use, so the old one goes on."""


@dataclass
class _Child:
    program: Program
    process: "subprocess.Popen[bytes]"
    log: Path
    written: int  # Bytes that the log had before this start.

    def said(self, count: int) -> list[str]:
        return last_lines(self.log, count, start=self.written)


@dataclass
class _Edge(_Child):
    control: EdgeControl


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
    _retired: list[_Child] = field(default_factory=list)
    _listeners: dict[str, list[socket.socket]] = field(default_factory=dict)

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
        """The processes started so far, for the state file; replaced ones too while they serve somebody."""
        return [
            describe(
                child.program.name,
                child.process.pid,
                child.program.ports[0],
                child.program.ready_url,
                child.program.trust,
            )
            for child in self._children
        ] + [describe(f"old {child.program.name}", child.process.pid) for child in self._retired]

    def replace(self, program: Program) -> float:
        """Start a program again beside the process that runs; once the new one can do the work, end the old.

        No request through the edge fails. Returns for how many seconds those waited, at most, that need this
        program. When the new process cannot start, the old one goes on.

        Raises: NotReplaced, Interrupted; NotReady, ProgramEnded when that shows after the old one has gone.
        """
        old = next(child for child in self._children if child.program.name == program.name)
        began = time.monotonic()
        listeners = self._listeners.get(program.name, [])
        count = len(listeners)
        new = self._spawn(program)
        try:
            self._await_listening(new, began)
            if isinstance(old, _Edge):
                old.control.retire()
            held_at = time.monotonic()
            self._hold(program.holds)
        except Exception as exc:
            self._resume(program.holds)
            self._end(new)
            for listener in listeners[count:]:  # The old one does not know them.
                listener.close()
            del listeners[count:]
            if isinstance(exc, Failure):
                raise NotReplaced(f"the old {program.name} goes on: {exc}", exc.details) from exc
            raise
        if isinstance(old, _Edge):
            self._children.remove(old)
            self._retired.append(old)
            self.on_ready(program.name, time.monotonic() - began)
            self.on_change()
            return 0.0
        try:
            _end_listening(old)
            self._await_ready([new], time.monotonic())
        finally:
            self._resume(program.holds)
            waited = time.monotonic() - held_at
            self._end(old)
        return waited

    def watch(self, others: Callable[[], None] = lambda: None, pause: float = 0.2) -> None:
        """Return never; `others` is called at every look and may raise for what it watches.

        Raises: ProgramEnded, Interrupted.
        """
        while True:
            self.interrupts.check()
            others()
            for child in self._children:
                self._refuse_end(child)
            self._bury()
            time.sleep(pause)

    def stop(self, patience: float = STOPPED_WITHIN) -> None:
        """Stop in reverse order, the higher tiers first; kill what is left after `patience` seconds each,
        or at once when the interrupts have become impatient.
        """
        self.interrupts.begin_stop()
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.close()
        self._listeners.clear()
        everyone = [*self._children, *self._retired]
        for tier in sorted({child.program.tier for child in everyone}, reverse=True):
            self._stop([child for child in everyone if child.program.tier == tier], patience)
        self._children.clear()
        self._retired.clear()

    def _stop(self, children: Sequence[_Child], patience: float) -> None:
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
            if isinstance(child, _Edge):
                child.control.close()

    def _end(self, child: _Child) -> None:
        self._stop([child], STOPPED_WITHIN)
        self._children.remove(child)
        self.on_change()

    def _bury(self) -> None:
        # A retired edge ends by itself when the last of its clients has gone.
        ended = [child for child in self._retired if child.process.poll() is not None]
        for child in ended:
            self._stop([child], 0)
            self._retired.remove(child)
        if ended:
            self.on_change()

    def _spawn(self, program: Program) -> _Child:
        log = self.log_dir / f"{program.name}.log"
        written = log.stat().st_size if log.exists() else 0
        control, env, inherited = None, dict(program.env), []
        if program.listens:
            listeners = self._listen(program.name, program.listens, program.sockets)
            control = EdgeControl()
            inherited = [*listeners, control.descriptor]
            env |= {
                "EDGE_LISTEN_FD": ",".join(map(str, listeners)),
                "EDGE_CONTROL_FD": str(control.descriptor),
            }
        try:
            process = spawn(program.command, log=log, env=env, cwd=program.cwd, inherited=inherited)
        except OSError as exc:
            what = f"{program.name} cannot be started: {program.command[0]}"
            raise ProgramEnded(f"{what}: {exc.strerror}") from exc
        if control:
            control.is_handed_over()
            child: _Child = _Edge(program, process, log, written, control)
        else:
            child = _Child(program, process, log, written)
        self._children.append(child)
        self.on_change()
        return child

    def _listen(self, name: str, address: tuple[str, int], count: int) -> list[int]:
        # They are kept here and inherited, so that whoever connects while processes change is served by the
        # next one: what waits in the queue of a socket that is closed would be refused. That is also why
        # there are never fewer than before; workers share what there is.
        try:
            listeners = self._listeners.setdefault(name, [])
            if not listeners:
                listeners += listen_together(*address, 1)
            while len(listeners) < count:
                listeners.append(join(listeners[0]))
        except OSError as exc:
            raise PortInUse(f"{name} cannot listen on port {address[1]}: {exc.strerror}") from exc
        return [listener.fileno() for listener in listeners]

    def _await_listening(self, child: _Child, began: float) -> None:
        # The old process answers at the same address, so asking there would say nothing about this one.
        while not self._is_listening(child):
            self._refuse_end(child)
            self.interrupts.check()
            if time.monotonic() - began > self.ready_within:
                raise _not_ready(child, self.ready_within)
            time.sleep(0.03)

    def _is_listening(self, child: _Child) -> bool:
        if not isinstance(child, _Edge):
            return listens(child.process.pid, child.program.ports[0])
        with suppress(EdgeIsSilent):
            child.control.look()
            return True
        return False

    def _hold(self, upstreams: tuple[str, ...]) -> None:
        for child in self._edges(upstreams):
            try:
                child.control.hold(upstreams, seconds=_HELD_AT_MOST, quiet_seconds=_QUIET_WITHIN)
            except EdgeIsSilent:
                if child not in self._retired:  # Such a one may just have ended.
                    raise

    def _resume(self, upstreams: tuple[str, ...]) -> None:
        for child in self._edges(upstreams):
            with suppress(EdgeIsSilent):  # Then the hold ends by itself.
                child.control.resume(upstreams)

    def _edges(self, upstreams: tuple[str, ...]) -> list[_Edge]:
        everyone = [*self._children, *self._retired] if upstreams else []
        return [child for child in everyone if isinstance(child, _Edge)]

    def _await_ready(self, children: list[_Child], began: float) -> None:
        waiting = list(children)
        while waiting:
            for child in list(waiting):
                self._refuse_end(child)
                if is_ready(child.program.ready_url, trust=child.program.trust):
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


def _end_listening(child: _Child) -> None:
    # Its last requests may take longer. But one that hangs would go on being handed a part of the new
    # connections, for both listen on the same port, so such a one is killed.
    child.process.terminate()
    if wait_until(lambda: child.process.poll() is not None, _GONE_WITHIN, pause=0.005):
        return
    leader, port = child.process.pid, child.program.ports[0]
    if not wait_until(lambda: not listens(leader, port), _DEAF_WITHIN):
        kill_group(leader)


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
