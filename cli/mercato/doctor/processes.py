"""The processes, where the shop runs."""

from collections.abc import Iterator

from mercato import state
from mercato.doctor.findings import Finding, Patient, fail, ok
from mercato.health import is_ready


def processes(patient: Patient) -> Iterator[Finding]:
    """Whether each lives and says that it is ready; none has been left behind where nothing should run."""
    entries = patient.state.processes
    if not patient.is_running:
        left = [entry.name for entry in entries if entry.process()]
        if left:
            yield fail("processes", f"left behind by a killed run: {', '.join(left)}", "mercato down")
        else:
            yield ok("processes", "not running; mercato up starts it")
        return
    if patient.state.phase != state.READY:
        yield fail("processes", f"the system is {patient.state.phase}", "wait, or see mercato logs")
    wrong = False
    for entry in entries:
        log = f"mercato logs {entry.name}"
        if entry.process() is None:
            wrong = True
            yield fail("processes", f"{entry.name} has ended", f"{log}; mercato down, mercato up")
        elif entry.ready_url and not is_ready(entry.ready_url, timeout=3.0, trust=entry.trust):
            wrong = True
            yield fail("processes", f"{entry.name} is not ready at {entry.ready_url}", log)
    if not wrong:
        yield ok("processes", f"{len(entries)} are ready")


EXAMINATIONS = (processes,)
