"""`mercato down`: stop the system, wherever it was started."""

import signal

import click

from mercato import console, state
from mercato.databases import POSTGRES
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option
from mercato.processes import has_ended, wait_until

_PATIENCE = 60.0


@click.command()
@home_option
def down(home: Home) -> None:
    """Stop everything that runs from the data directory."""
    last = state.read_state(home)
    if not home.is_running():
        ended = state.end_leftovers([process for process in last.processes if process.name != POSTGRES])
        ended += state.end_leftovers([process for process in last.processes if process.name == POSTGRES])
        console.note(f"stopped what was left: {', '.join(ended)}" if ended else "nothing is running")
        return
    supervisor = last.supervisor.process() if last.supervisor else None
    if supervisor is None:
        raise Failure(f"{home.data_dir} is in use, but the state file does not say by whom")
    supervisor.send_signal(signal.SIGTERM)
    if not wait_until(lambda: not home.is_running() and has_ended(supervisor), _PATIENCE):
        raise Failure(f"process {supervisor.pid} did not stop within {_PATIENCE:.0f} s")
    console.note("stopped")
