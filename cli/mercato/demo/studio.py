"""The processes that draw, and who gets what they have drawn."""

import json
import queue
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import IO, cast

from mercato.demo.models import Shot
from mercato.demo.painter import LENGTH
from mercato.failures import Failure

Order = tuple[str, ...]


class PainterGone(Failure):
    """A process that draws ended before its picture was done."""


class Studio:
    """Draws each shot and each scene once, ahead of whoever will ask for it."""

    def __init__(self, pool: ThreadPoolExecutor, painters: Iterable["subprocess.Popen[bytes]"]) -> None:
        self._pool = pool
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self._drawn: dict[Order, Future[bytes]] = {}
        for painter in painters:
            self._idle.put(painter)

    def order(self, shots: Iterable[Shot], scenes: Iterable[str]) -> None:
        """Have these drawn, in this order."""
        for order in dict.fromkeys([*map(_of_shot, shots), *((name,) for name in scenes)]):
            self._drawn[order] = self._pool.submit(self._draw, order)

    def shot(self, shot: Shot) -> bytes:
        """The PNG of an ordered shot; waits until it is drawn. Raises: PainterGone."""
        return self._drawn[_of_shot(shot)].result()

    def scene(self, name: str) -> bytes:
        """The PNG of an ordered scene; waits until it is drawn. Raises: PainterGone."""
        return self._drawn[(name,)].result()

    def _draw(self, order: Order) -> bytes:
        painter = self._idle.get()
        try:
            return _ask(painter, order)
        finally:
            self._idle.put(painter)


@contextmanager
def open_studio(painters: int) -> Iterator[Studio]:
    """A studio; what is not drawn when the block ends never will be."""
    with ExitStack() as stack:
        processes = [stack.enter_context(_painter()) for _ in range(painters)]
        pool = ThreadPoolExecutor(painters, thread_name_prefix="studio")
        stack.callback(pool.shutdown, cancel_futures=True)
        yield Studio(pool, processes)


@contextmanager
def _painter() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "mercato.demo.painter"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is ours to answer.
    )
    with process:
        yield process


def _of_shot(shot: Shot) -> Order:
    return (shot.kind, shot.style, shot.color, shot.view)


def _ask(painter: "subprocess.Popen[bytes]", order: Order) -> bytes:
    orders, answers = cast(IO[bytes], painter.stdin), cast(IO[bytes], painter.stdout)
    try:
        orders.write(json.dumps(order).encode() + b"\n")
        orders.flush()
        (length,) = LENGTH.unpack(answers.read(LENGTH.size))
    except (OSError, struct.error) as exc:
        raise PainterGone(f"the process that draws the pictures ended at {' '.join(order)}") from exc
    return answers.read(length)
