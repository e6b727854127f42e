"""The machine: what the shop needs of it before anything of ours is looked at."""

import re
import resource
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import psutil

from mercato.assembly import default_port
from mercato.credentials import Credentials, ServiceCredentials
from mercato.databases import Databases
from mercato.doctor.findings import Finding, Patient, fail, ok, warn
from mercato.stack import PortInUse, refuse_taken_ports
from mercato.topology import SERVICES, System, public_origin

_OLDEST_PYTHON = (3, 11)
_MIB = 1024 * 1024
_LITTLE_SPACE, _NO_SPACE = 1024 * _MIB, 200 * _MIB
_MEMORY = 1024 * _MIB  # What the whole shop may take.
_FILES, _TOO_FEW_FILES = 4608, 256  # The edge takes 4096 connections, and more to the services.
# Those with a marker are for other platforms.
_PIN = re.compile(r"^([\w.-]+)==(\S+) \\$", re.MULTILINE)


def python(_patient: Patient) -> Iterator[Finding]:
    """Whether Python is new enough."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        yield fail("python", f"Python {found} is too old", "install 3.11 or later, then make install")
    else:
        yield ok("python", f"Python {found}")


def packages(patient: Patient) -> Iterator[Finding]:
    """Whether what is installed is what was tested."""
    pins = _PIN.findall((patient.home.root / "requirements-run.txt").read_text())
    wrong = [f"{name} is {found}, not {pin}" for name, pin in pins if (found := _version(name)) != pin]
    for text in wrong:
        yield fail("packages", text, "make install")
    if not wrong:
        yield ok("packages", f"all {len(pins)} as pinned")


def ports(patient: Patient) -> Iterator[Finding]:
    """Whether the ports are free, where nothing of ours has them."""
    if patient.is_running:
        return
    port = patient.state.port or default_port()
    nobody = ServiceCredentials("", "", "")
    nothing = Credentials("", "", {service.name: nobody for service in SERVICES})
    system = System(patient.home, public_origin(port), port, nothing, Databases.unknown().urls)
    taken = False
    for program in system.programs():
        try:
            refuse_taken_ports([program])
        except PortInUse as exc:
            taken = True
            yield fail("ports", str(exc).partition(";")[0], "end that, or mercato up --port N")
    if not taken:
        yield ok("ports", f"{port} and those after it are free")


def disk(patient: Patient) -> Iterator[Finding]:
    """Whether there is space for data, logs and a backup."""
    place = patient.home.data_dir
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{free / _MIB:,.0f} MB free at {place}"
    if free < _NO_SPACE:
        yield fail("disk", text, "make space before PostgreSQL stops")
    elif free < _LITTLE_SPACE:
        yield warn("disk", text, "make space, or put the data elsewhere with --data")
    else:
        yield ok("disk", text)


def memory(patient: Patient) -> Iterator[Finding]:
    """Whether the shop would fit, where it does not run yet."""
    if patient.is_running:
        return
    free = psutil.virtual_memory().available
    text = f"{free / _MIB:,.0f} MB of memory available"
    if free < _MEMORY:
        yield warn("memory", text, "the whole shop takes up to 1 GB: end something, or start a part (--only)")
    else:
        yield ok("memory", text)


def open_files(_patient: Patient) -> Iterator[Finding]:
    """Whether a process may have as many connections as the edge takes."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    text = f"{soft} open files for a process"
    if soft != resource.RLIM_INFINITY and soft < _TOO_FEW_FILES:
        yield fail("open files", text, f"ulimit -n {_FILES}")
    elif soft != resource.RLIM_INFINITY and soft < _FILES:
        yield warn("open files", text, f"ulimit -n {_FILES}: the edge would take 4096 connections")
    else:
        yield ok("open files", text)


def chromium(_patient: Patient) -> Iterator[Finding]:
    """Whether the tests in a browser can run."""
    found = shutil.which("chromium")
    if found:
        yield ok("chromium", found)
    else:
        yield warn("chromium", "none: the tests in a browser are skipped", "make test as root installs it")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


EXAMINATIONS = (python, packages, ports, disk, memory, open_files, chromium)
