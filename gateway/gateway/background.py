"""What the web does beside its requests: a few tasks, each in a thread of its own in every worker process."""

import logging
import os
import threading
from collections.abc import Callable
from typing import Final

from django.db import close_old_connections, connection

_logger = logging.getLogger(__name__)


class Task:
    """Something that is done when it is asked for, and every so often anyway.

    Several processes have the same tasks, so what one does must be safe to do twice and at the same time:
    it takes turns in the database. One that fails is logged and done again the next time.
    """

    def __init__(self, name: str, run: Callable[[], object], *, every: float, rest: float = 0.0) -> None:
        """every: seconds after which it is done unasked; rest: seconds that it pauses between two times."""
        self.name = name
        self._run = run
        self._every = every
        self._rest = rest
        self._asked = threading.Event()

    def ask(self) -> None:
        """Have it done soon, by this process when it is a worker; otherwise a worker notices by itself."""
        self._asked.set()

    def work(self) -> None:
        """Do it once, now. It leaves no connection behind that has gone bad."""
        try:
            close_old_connections()
            self._run()
        except Exception:
            # A task is a process of its own but for the name: it says what happened and goes on.
            _logger.exception("A task failed.", extra={"task": self.name})
            connection.close()

    def go_on(self) -> None:
        """Do it for ever."""
        pause = threading.Event()
        while True:
            self._asked.clear()
            self.work()
            pause.wait(self._rest)
            self._asked.wait(self._every)


class Tasks:
    """The tasks of this process, which run from its first request on.

    They cannot begin earlier: workers are forked from a process that has loaded everything, and a thread
    does not survive a fork.
    """

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._lock = threading.Lock()
        self._pid = 0

    def add(self, task: Task) -> Task:
        """Have a task run in each worker process."""
        self._tasks.append(task)
        return task

    def ensure_running(self) -> None:
        """Start the tasks unless this process has them running."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            for task in self._tasks:
                threading.Thread(target=task.go_on, name=task.name, daemon=True).start()
            self._pid = os.getpid()


TASKS: Final = Tasks()
