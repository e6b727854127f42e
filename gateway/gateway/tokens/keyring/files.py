"""Writes files whole, so that no reader and no second run meets half of anything."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from chassis.files import sync_directory

_TEMPORARY: Final = ".new-"


def make_directory(path: Path, mode: int) -> None:
    """Make a directory with exactly this mode, unless it is there."""
    if not path.is_dir():
        path.mkdir(mode, parents=True, exist_ok=True)
        path.chmod(mode)  # mkdir() takes away what the umask names.


def write_if_changed(path: Path, content: bytes, mode: int) -> None:
    """Write a file, unless it holds this already."""
    with suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    write(path, content, mode)


def write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file with another of this mode: temporary file, fsync, rename.

    A reader sees the old one or the new one, even when the machine stops.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=_TEMPORARY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    sync_directory(path.parent)


def remove_leftovers(directory: Path) -> None:
    """Remove what a run that was killed left half-written; only for who has the folder alone."""
    for path in directory.glob(f"{_TEMPORARY}*"):
        path.unlink()
