"""What takes long to make and is made once, by the first of the test processes that want it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def making(path: Path) -> Iterator[bool]:
    """Take turns at a path; tells whether it has still to be made, by this block.

    A block that fails leaves that to the next one.
    """
    with path.with_suffix(".turns").open("a+") as turns:
        fcntl.flock(turns, fcntl.LOCK_EX)
        turns.seek(0)
        is_missing = not turns.read()
        yield is_missing
        if is_missing:
            turns.write("made")
