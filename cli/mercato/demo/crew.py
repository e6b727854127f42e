"""A few threads that work off a list of jobs, and stop together."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

_LOOK_AROUND = 0.1  # seconds between two calls of `tell`


class Stopped(Exception):
    """The work was ended before this job was done: not a failure of its own."""


class Crew:
    """Threads in one pool. What they do calls `go_on` between its steps."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool = pool
        self._is_over = threading.Event()

    def go_on(self) -> None:
        """Raises: Stopped when the work has been ended."""
        if self._is_over.is_set():
            raise Stopped

    def work_off(self, jobs: Iterable[Callable[[], None]], *, tell: Callable[[], None]) -> None:
        """Do all jobs; meanwhile `tell` is called in this thread, and may raise.

        Raises: what a job or `tell` raised first; what is not done then is left undone.
        """
        waiting: set[Future[None]] = {self.pool.submit(job) for job in jobs}
        while waiting:
            done, waiting = wait(waiting, timeout=_LOOK_AROUND, return_when=FIRST_EXCEPTION)
            tell()
            for future in done:
                future.result()

    def end(self) -> None:
        """Let the current step of each thread be the last one."""
        self._is_over.set()


@contextmanager
def crew(threads: int) -> Iterator[Crew]:
    """A crew, gone when the block ends."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="seed")
    made = Crew(pool)
    try:
        yield made
    finally:
        made.end()
        pool.shutdown(wait=True, cancel_futures=True)
