"""`mercato doctor`: what is wrong with this machine and this installation, and what to do about it."""

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator

import click
from rich.text import Text

from chassis.env import ConfigurationError
from mercato import console
from mercato.doctor import databases, installation, machine, processes
from mercato.doctor.findings import FAIL, OK, WARN, Finding, Patient, fail
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option, json_option

_COLORS = {OK: "green", WARN: "yellow", FAIL: "bold red"}
_EXAMINATIONS = (
    *machine.EXAMINATIONS,
    *installation.EXAMINATIONS,
    *databases.EXAMINATIONS,
    *processes.EXAMINATIONS,
)


@click.command()
@json_option
@home_option
def doctor(as_json: bool, home: Home) -> None:
    """Say what is wrong with machine and installation; change nothing. Ends with 1 when something fails."""
    found = []
    for finding in findings(Patient(home)):
        found.append(finding)
        if not as_json:
            _print(finding)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in found], indent=2))
    sys.exit(any(finding.status == FAIL for finding in found))


def findings(patient: Patient) -> Iterator[Finding]:
    """Everything there is to say, in the order in which one would mend it."""
    for examine in _EXAMINATIONS:
        yield from _examined(examine, patient)


def _examined(examine: Callable[[Patient], Iterator[Finding]], patient: Patient) -> Iterator[Finding]:
    # What an examination itself trips over is a finding too, and the others go on.
    try:
        yield from examine(patient)
    except (Failure, ConfigurationError, OSError) as exc:
        subject = examine.__name__.replace("_", " ")
        yield fail(subject, " ".join(str(exc).split()), "correct that, then ask again")


def _print(finding: Finding) -> None:
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    status = (f"{finding.status:<5}", _COLORS[finding.status])
    console.out.print(Text.assemble(status, f"{finding.subject:<11}", finding.text, (remedy, "dim")))
