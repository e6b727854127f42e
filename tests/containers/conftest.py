"""The shop in containers, once for all tests, where this machine can run an engine."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage, rmtree

import pytest
from engine import EngineUnavailable, unsuitable
from psutil import pid_exists, virtual_memory
from shop import Shop, running

# What an engine leaves behind where nobody hides it.
TRACES = ("/etc/docker", "/opt/containerd", "/run/docker", "/run/containerd")
FOLDER = "mercato-containers-"
ROOM = 8 * 2**30


def traces(work: Path) -> set[str]:
    """What of an engine can be seen: folders, interfaces, control groups, mounts, programs."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    commands = [path for path in Path("/proc").glob("[0-9]*/cmdline") if path.parent.name != str(os.getpid())]
    return {
        *filter(os.path.exists, TRACES),
        *os.listdir("/sys/class/net"),
        *map(str, Path("/sys/fs/cgroup").glob(f"**/mercato-verify-{os.getpid()}")),
        *(line for line in mounts if str(work) in line),
        *(str(path) for path in commands if str(work).encode() in read(path)),
    }


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@contextmanager
def new_folder(*, in_memory: bool) -> Iterator[Path]:
    """A folder that ends with the tests; in memory, where there is enough, for 200,000 small files."""
    memory, disk = Path("/dev/shm"), Path(tempfile.gettempdir())  # noqa: S108
    roomy = memory.is_dir() and min(disk_usage(memory).free, virtual_memory().available) > ROOM
    place = memory if in_memory and roomy else disk
    for left in place.glob(f"{FOLDER}*"):
        # A run that was killed could not remove it.
        if not pid_exists(int(left.name.split("-")[2])):
            rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER}{os.getpid()}-", dir=place) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """The seeded shop in an engine of its own. Each step that brings it up is told with its time (-s)."""
    if reason := unsuitable():
        pytest.skip(f"the containers are not proved here: {reason}")
    started = time.monotonic()

    def say(step: str) -> None:
        print(f"{time.monotonic() - started:7.1f} s  {step}", flush=True)

    # Images take more room than pytest should keep after a failure.
    with new_folder(in_memory=True) as work, new_folder(in_memory=False) as volumes:
        # What a container writes to memory would count as memory that it uses.
        (work / "volumes").symlink_to(volumes)
        before = traces(work)
        try:
            with running(work, say) as shop:
                yield shop
        except EngineUnavailable as exc:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"the containers are not proved: {exc}")
        assert traces(work) <= before
