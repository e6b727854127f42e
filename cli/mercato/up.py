"""`mercato up`: the whole system on this machine, with one command."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import click

from chassis.env import ConfigurationError
from mercato import console, state
from mercato.assembly import assemble, credentials_of, default_port, ensure_keys
from mercato.databases import POSTGRES, Databases, open_databases
from mercato.detaching import detached
from mercato.failures import Failure
from mercato.home import Home
from mercato.interrupts import INTERRUPTED, Interrupted, Interrupts
from mercato.jobs import run_jobs
from mercato.logins import print_logins
from mercato.migrations import migrations
from mercato.options import home_option
from mercato.personas import read_logins, refuse_to_publish
from mercato.restarting import Restarts
from mercato.seed import seed_with_progress
from mercato.seeding import is_seeded
from mercato.stack import Stack, refuse_taken_ports
from mercato.state import State
from mercato.static_files import static_files
from mercato.topology import EDGE, System, allows_demo, chosen_processes, needed_services, wants_demo

_HIGHEST_OFFSET = 11
_BIGGEST_LOG = 10 * 1024 * 1024  # bytes


@click.command()
@click.option("--detach", is_flag=True, help="Return when everything is ready, and leave it running.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535 - _HIGHEST_OFFSET),
    help="The edge's port (default 8000); the services use the ports after it.",
)
@click.option(
    "--only",
    metavar="A,B",
    default="",
    help="Only these processes: edge, web, gateway (both), wallet, category, product, variant, banner.",
)
@home_option
def up(detach: bool, port: int | None, only: str, home: Home) -> None:
    """Start everything: database, services, gateway; the first time also keys, tables and demo data."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    home.prepare()
    start = _Start(home, default_port() if port is None else port, chosen_processes(names))
    if detach:
        sys.exit(detached(start.run, home.log("mercato")))
    sys.exit(start.run(lambda: console.note("\nCtrl-C stops it. Elsewhere: mercato status, mercato logs -f")))


@dataclass
class _Start:
    """One call of `mercato up`."""

    home: Home
    port: int
    processes: set[str]

    def run(self, is_up: Callable[[], None]) -> int:
        """Start, tell that it is up, watch, stop. Returns the exit status."""
        interrupts = Interrupts()
        was_up = False

        def tell() -> None:
            nonlocal was_up
            was_up = True
            is_up()

        try:
            with interrupts.installed(), self.home.lock():
                self._run(interrupts, tell)
        except Failure as exc:
            console.complain(exc)
            return 1
        except ConfigurationError as exc:
            console.err.print(str(exc), markup=False)
            return 1
        except Interrupted:
            console.note("stopped")
            return 0 if was_up else INTERRUPTED
        return 0

    def _run(self, interrupts: Interrupts, tell: Callable[[], None]) -> None:
        _clear_leftovers(self.home)
        _turn_over_logs(self.home)
        ensure_keys(self.home)
        credentials = credentials_of(self.home)
        draft = assemble(self.home, credentials, Databases.unknown(), self.port)
        refuse_to_publish(self.home, draft.origin)
        refuse_taken_ports(draft.programs(self.processes))
        stack = Stack([], self.home.log_dir, interrupts=interrupts, on_ready=console.step)
        record = _Record(self.home, State(origin=draft.origin, port=self.port), stack)
        services = needed_services(self.processes)
        opened = open_databases(
            self.home,
            credentials,
            services,
            on_ready=console.step,
            check=interrupts.check,
            is_impatient=lambda: interrupts.are_impatient,
        )
        with record.kept(), opened as databases:
            record.databases = databases
            system = assemble(self.home, credentials, databases, self.port)
            stack.programs = system.programs(self.processes)
            jobs = [*migrations(system, services), *static_files(system, services)]
            run_jobs(self.home, jobs, only_when_needed=True, on_ready=console.step, check=interrupts.check)
            with stack, record.stopping():
                stack.start()
                self._seed_once(system, interrupts)
                record.is_up()
                self._announce(system)
                tell()
                restarts = Restarts(self.home, stack, lambda: system.programs(self.processes))

                def look() -> None:
                    databases.refuse_end()
                    restarts.look()

                stack.watch(look)

    def _seed_once(self, system: System, interrupts: Interrupts) -> None:
        is_whole = self.processes == chosen_processes([])
        if not is_whole or not wants_demo(system.origin) or is_seeded(system):
            return
        began = time.monotonic()
        seed_with_progress(system, check=interrupts.check)
        console.step("demo data", time.monotonic() - began)

    def _announce(self, system: System) -> None:
        running = ", ".join(sorted(self.processes))
        where = system.origin if EDGE in self.processes else f"{running} (no edge)"
        console.out.print(f"\nMercato is running: [bold]{where}[/bold]\n")
        if EDGE in self.processes and allows_demo(system.origin):
            print_logins(read_logins(self.home))


@dataclass
class _Record:
    """Keeps the state file true from the first process to the last."""

    home: Home
    state: State
    stack: Stack
    databases: Databases | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        self.stack.on_change = lambda: self.write(state.STARTING)
        self.write(state.STARTING)
        try:
            yield
        finally:
            state.write_state(self.home, replace(self.state, phase=state.STOPPED))

    def is_up(self) -> None:
        self.stack.on_change = lambda: self.write(state.READY)
        self.write(state.READY)

    @contextmanager
    def stopping(self) -> Iterator[None]:
        try:
            yield
        finally:
            self.write(state.STOPPING)

    def write(self, phase: str) -> None:
        processes = self.stack.running()
        cluster = self.databases.cluster if self.databases else None
        if cluster is not None and cluster.process is not None:
            processes.insert(0, state.describe(POSTGRES, cluster.process.pid))
        supervisor = state.this_process("mercato")
        now = replace(self.state, phase=phase, supervisor=supervisor, processes=tuple(processes))
        state.write_state(self.home, now)


def _clear_leftovers(home: Home) -> None:
    # Nobody holds the lock, so whatever the state file names and still lives has lost its supervisor.
    # PostgreSQL is left to its own start, which knows how to stop it without a recovery.
    processes = [process for process in state.read_state(home).processes if process.name != POSTGRES]
    ended = state.end_leftovers(processes)
    if ended:
        console.note(f"ended what an earlier run left behind: {', '.join(ended)}")


def _turn_over_logs(home: Home) -> None:
    for log in home.log_dir.glob("*.log"):
        if log.stat().st_size > _BIGGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
