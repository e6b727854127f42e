"""Let a program go on in the background once it says that it is up."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from mercato.interrupts import INTERRUPTED


def detached(work: Callable[[Callable[[], None]], int], log: Path) -> int:
    """Run `work` in a process of its own and return when it calls what it is given, or ends before that.

    Until then it writes to this terminal and gets its Ctrl-C; afterwards it writes to `log`. Returns 0
    when it is up, else its exit status. Call it before any thread is started.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _work_in_background(work, writer, log)
    os.close(writer)
    with _Forwarding(child):
        is_up = os.read(reader, 1) == b"1"
        os.close(reader)
        return 0 if is_up else _exit_status(child)


def _work_in_background(work: Callable[[Callable[[], None]], int], writer: int, log: Path) -> None:
    status = 1
    try:
        os.setsid()

        def is_up() -> None:
            sys.stdout.flush()
            sys.stderr.flush()
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for target, source in ((0, nothing), (1, output), (2, output)):
                os.dup2(source, target)
            os.write(writer, b"1")
            os.close(writer)

        status = work(is_up)
    except SystemExit as exc:
        status = exc.code if isinstance(exc.code, int) else 1
        if isinstance(exc.code, str):
            sys.stderr.write(f"{exc.code}\n")
    except KeyboardInterrupt:
        status = INTERRUPTED
    except Exception:  # noqa: BLE001 - the process ends below, and nobody else would say why
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            # The process was copied in the middle of its parent's call; it must not return into that.
            os._exit(status)


def _exit_status(child: int) -> int:
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) or 1


class _Forwarding:
    """Ctrl-C in the terminal reaches the child, which is in another session."""

    def __init__(self, child: int) -> None:
        self._child = child

    def __enter__(self) -> None:
        self._before = {
            number: signal.signal(number, self._pass_on) for number in (signal.SIGINT, signal.SIGTERM)
        }

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        os.kill(self._child, number)
