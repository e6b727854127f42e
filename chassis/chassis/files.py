"""Files that others read while they are replaced: there whole or not at all, also after a power cut."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def replace_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Put data in the place of whatever stood at path: a temporary file beside it, fsync of both
    file and folder, rename.

    The last of several writers wins. Raises: OSError, with what stood there untouched.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        Path(temporary).replace(path)
        sync_directory(path.parent)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def stamp_of(path: Path) -> tuple[int, int, int]:
    """What tells one state of a file or folder from another. Raises: OSError."""
    status = os.stat(path)
    return status.st_mtime_ns, status.st_ino, status.st_size


def sync_directory(path: Path) -> None:
    """Make the names in a folder last: a file is not there for good before its folder is."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Wait until no other process has the directory, and keep it for the length of the block."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
