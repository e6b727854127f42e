"""Processes under test: found, started, weighed and stopped."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil


def find(program: str) -> str | None:
    """Where a program is: beside this Python, on PATH, or where Debian keeps servers."""
    folders = [str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"]
    return shutil.which(program, path=os.pathsep.join(folders))


def said_by(program: str, option: str, pattern: str) -> str | None:
    """What a program says of its version; None when it is not installed."""
    path = find(program)
    if path is None:
        return None
    done = subprocess.run([path, option], capture_output=True, text=True, check=False)
    match = re.search(pattern, done.stdout + done.stderr)
    return match[1] if match else None


@contextlib.contextmanager
def running(command: list[str], port: int, env: Mapping[str, str] | None = None) -> Iterator[psutil.Process]:
    """A process that listens on a port; what it writes to standard output is thrown away."""
    process = subprocess.Popen(command, env=os.environ | dict(env or {}), stdout=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(process: psutil.Process) -> float:
    """What a process and its children have used, user and system."""
    return sum(sum(member.cpu_times()[:2]) for member in _tree(process))


def resident_mb(process: psutil.Process) -> float:
    """What a process and its children hold in memory, in MiB; what they share counts for each."""
    return sum(float(member.memory_info().rss) for member in _tree(process)) / 1_048_576


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    sys.exit(f"bench/edge: {process.args!r} does not listen")
