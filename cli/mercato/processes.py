"""Start child processes that cannot outlive the program that started them."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: dlopen in the child of a program with threads may deadlock.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


@dataclass(frozen=True)
class Identity:
    """The user and group a child runs as."""

    uid: int
    gid: int


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    identity: Identity | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    inherited: Sequence[int] = (),
) -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own with its output appended to `log` (made 0600).

    On Linux the kernel sends `death_signal` to the child when the calling thread ends, however it ends.
    Call it from a thread that lives as long as the child shall, in practice the main thread. The child has
    the descriptors in `inherited` under the same numbers, and no others of ours.

    Raises: OSError when the program cannot be started.
    """
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(
            [os.fspath(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            user=identity.uid if identity else None,
            group=identity.gid if identity else None,
            extra_groups=[] if identity else None,
            start_new_session=True,
            pass_fds=inherited,
            preexec_fn=_die_with_parent(death_signal),
        )
    finally:
        os.close(output)


def last_lines(log: Path, count: int, *, start: int = 0) -> list[str]:
    """The last `count` lines written to `log` after byte `start`; empty when there is no such file."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(start, end - 64 * 1024))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return []


def listens(leader: int, port: int) -> bool:
    """Whether a process or a child of its listens on a TCP port."""
    try:
        process = psutil.Process(leader)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return False
    return any(_listens(member, port) for member in family)


def has_ended(process: psutil.Process) -> bool:
    """Whether a process is over, also when nobody has asked for its status yet.

    In a container whose first process reaps nobody, an orphan stays a zombie for ever.
    """
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def wait_until(condition: Callable[[], bool], timeout: float, pause: float = 0.05) -> bool:
    """Whether the condition came true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        connections = process.net_connections("tcp")
    except psutil.Error:
        return False
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in connections
    )


def _die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if _LIBC is None:
        return None
    libc, parent, number = _LIBC, os.getpid(), int(death_signal)

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number)
        # The parent may have died before the line above; then nothing would ever tell us.
        if os.getppid() != parent:
            os._exit(1)

    return in_child
