"""`mercato status`: every process, and whether it is well."""

import dataclasses
import json
import os
import sys
from dataclasses import dataclass
from typing import Any

import click
import psutil

from mercato import console, state
from mercato.health import is_ready
from mercato.home import Home
from mercato.options import home_option, json_option
from mercato.state import Running

OK = "ok"
NOT_READY = "not ready"
ENDED = "ended"
_COLORS = {OK: "green", NOT_READY: "yellow", ENDED: "red"}


@dataclass(frozen=True)
class ProcessStatus:
    """One process as it is now. `memory_bytes` is its share of real memory with its children's."""

    name: str
    pid: int
    port: int | None
    health: str
    memory_bytes: int


@click.command()
@json_option
@home_option
def status(as_json: bool, home: Home) -> None:
    """Show every process with its port and health. Ends with 0 only when all are well."""
    last = state.read_state(home)
    is_running = home.is_running()
    processes = [_look_at(process) for process in last.processes] if is_running else []
    is_well = is_running and last.phase == state.READY and all(p.health == OK for p in processes)
    if as_json:
        click.echo(json.dumps(_report(home, last, is_running, is_well, processes), indent=2))
    else:
        _print(home, last, is_running, processes)
    sys.exit(0 if is_well else 1)


def _report(
    home: Home, last: state.State, is_running: bool, is_well: bool, processes: list[ProcessStatus]
) -> dict[str, Any]:
    return {
        "running": is_running,
        "healthy": is_well,
        "phase": last.phase if is_running else state.STOPPED,
        "origin": last.origin,
        "port": last.port,
        "supervisor_pid": last.supervisor.pid if is_running and last.supervisor else None,
        "data_dir": os.fspath(home.data_dir),
        "keys_dir": os.fspath(home.keys_dir),
        "processes": [dataclasses.asdict(process) for process in processes],
    }


def _print(home: Home, last: state.State, is_running: bool, processes: list[ProcessStatus]) -> None:
    if not is_running:
        console.out.print("not running")
        return
    console.out.print(f"{last.origin}  ({last.phase})")
    for process in processes:
        health = f"[{_COLORS[process.health]}]{process.health}[/]"
        port = process.port or "-"
        memory = process.memory_bytes / 1024 / 1024
        console.out.print(f"  {process.name:<10}{process.pid:>8}{port:>7}{memory:>8.0f} MB  {health}")
    total = sum(process.memory_bytes for process in processes) / 1024 / 1024
    console.out.print(f"  {'memory':<25}{total:>8.0f} MB")
    console.out.print(f"  data {home.data_dir}\n  keys {home.keys_dir}", markup=False)


def _look_at(entry: Running) -> ProcessStatus:
    process = entry.process()
    if process is None:
        return ProcessStatus(entry.name, entry.pid, entry.port, ENDED, 0)
    health = OK if not entry.ready_url or is_ready(entry.ready_url, trust=entry.trust) else NOT_READY
    return ProcessStatus(entry.name, entry.pid, entry.port, health, _memory(process))


def _memory(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            memory = one.memory_full_info()
        except psutil.Error:
            continue
        # Proportional shares add up; resident sizes would count PostgreSQL's shared buffers many times.
        total += getattr(memory, "pss", memory.rss)
    return total
