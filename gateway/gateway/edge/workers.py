"""Several edges on one port: a small parent that starts them, looks after them, and reads no request."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from chassis.env import ConfigurationError
from gateway.edge.config import Configuration
from gateway.edge.control import MAX_HOLD_SECONDS, answer_lines
from gateway.edge.listening import listen_together, share_of
from gateway.edge.scraping import Sums, serve_figures

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

# The whole command, for a worker is the same program.
_COMMAND: Final = (sys.executable, "-m", "gateway.edge.main")
_RESTART_SECONDS: Final = 1.0
"""Between two starts of one worker."""
_FIGURES_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 2.0
"""Beyond the time that a worker has for draining."""
_MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024

_logger = logging.getLogger(__name__)


class WorkerEnded(Exception):
    """A worker is not there to answer."""


class Worker:
    """One process of the edge, and the line on which it is asked."""

    def __init__(self, number: int, descriptors: list[int]) -> None:
        """number: from 1; descriptors: the sockets that it listens on."""
        self.number = number
        self.started_at = 0.0
        self.is_listening = False
        self._descriptors = descriptors
        self._process: asyncio.subprocess.Process | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Start the process; returns when it listens. Raises: WorkerEnded when it ends before that."""
        self.started_at = time.monotonic()
        mine, its = socket.socketpair()
        with its:
            self._process = await asyncio.create_subprocess_exec(
                *_COMMAND,
                env=os.environ
                | {
                    "EDGE_WORKER": str(self.number),
                    "EDGE_LISTEN_FD": ",".join(map(str, self._descriptors)),
                    "EDGE_CONTROL_FD": str(its.fileno()),
                },
                pass_fds=(*self._descriptors, its.fileno()),
            )
        self._streams = await asyncio.open_unix_connection(sock=mine, limit=_MAX_ANSWER_BYTES)
        await self.ask({"do": "look"})
        self.is_listening = True

    async def wait(self) -> int:
        """Its status when it has ended, or was never started."""
        if self._process is None:
            return 0
        status = await self._process.wait()
        self.is_listening = False
        if self._streams is not None:
            self._streams[1].close()
        return status

    async def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Its answer. Questions wait for one another. Raises: WorkerEnded."""
        async with self._turn:
            if self._streams is None:
                raise WorkerEnded
            reader, writer = self._streams
            try:
                writer.write(json.dumps(question).encode() + b"\n")
                line = await reader.readline()
            except OSError as exc:
                raise WorkerEnded from exc
        if not line:
            raise WorkerEnded
        answer: dict[str, Any] = json.loads(line)
        return answer

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, if it is still there."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)


class Parent:
    """All workers of one edge. To be made inside a running event loop."""

    def __init__(self, configuration: Configuration) -> None:
        """Listen. Raises: ConfigurationError when that cannot be."""
        self._configuration = configuration
        self._listeners = _listeners(configuration)
        descriptors = [listener.fileno() for listener in self._listeners]
        self._workers = [
            Worker(number + 1, share_of(descriptors, number, configuration.workers))
            for number in range(configuration.workers)
        ]
        self._sums = Sums()
        self._asked: dict[Worker, asyncio.Task[None]] = {}
        self._held: dict[str, float] = {}
        self._is_ending = False
        self._retired = asyncio.Event()

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT, then have all workers drain; or until retired, then until the last
        client of the last worker has gone. Returns the exit status: 0 when all have ended by themselves.

        Raises: ConfigurationError.
        """
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if self._configuration.tls:
            loop.add_signal_handler(signal.SIGHUP, self._send_to_listening, signal.SIGHUP)
        registry = CollectorRegistry()
        registry.register(_Scrape(self, loop))
        metrics_port, close_metrics = serve_figures(self._configuration, registry)
        stopping = loop.create_task(stop.wait())
        starting = loop.create_task(self._start_all())
        await _first_of(stopping, starting)
        has_failed = starting.done() and not starting.result()
        if has_failed or not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
            await self._end_all([])
            return int(has_failed)
        if self._configuration.control_fd:
            answering = loop.create_task(self._serve(self._configuration.control_fd))
            answering.add_done_callback(lambda _: _logger.info("Nobody supervises the edge any more."))
        keeping = [loop.create_task(self._keep(worker)) for worker in self._workers]
        if not stop.is_set():
            self._say_where(metrics_port)
        retiring = loop.create_task(self._retired.wait())
        await _first_of(stopping, retiring)
        if self._retired.is_set():
            await asyncio.to_thread(close_metrics)
            ending = asyncio.gather(*keeping)
            await _first_of(stopping, ending)
        is_well = await self._end_all(keeping)
        await asyncio.to_thread(close_metrics)
        return 0 if is_well else 1

    async def figures(self) -> "list[Metric]":
        """The figures of all workers together; of one that is slow to tell, those that it told last."""
        for worker in self._workers:
            if worker.is_listening and (worker not in self._asked or self._asked[worker].done()):
                self._asked[worker] = asyncio.create_task(self._note_figures(worker))
        if self._asked:
            await asyncio.wait(self._asked.values(), timeout=_FIGURES_SECONDS)
        return self._sums.told()

    async def _note_figures(self, worker: Worker) -> None:
        started_at = worker.started_at
        with suppress(WorkerEnded):
            answer = await worker.ask({"do": "figures"})
            if worker.is_listening and worker.started_at == started_at:
                self._sums.note(worker.number, answer["figures"])

    async def _start_all(self) -> bool:
        # One at first, so that what is wrong with all is said once.
        first, *others = self._workers
        if not await self._starts(first):
            return False
        return all(await asyncio.gather(*map(self._starts, others)))

    async def _starts(self, worker: Worker) -> bool:
        try:
            await worker.start()
            # Known by now, whatever is asked from now on comes after it.
            now = time.monotonic()
            held = {name: until - now for name, until in self._held.items() if until > now}
            await worker.ask({"do": "begin", "held": held})
        except WorkerEnded:
            return False
        except OSError as exc:
            # No process or descriptor can be had. That may pass, and whoever keeps the worker tries again.
            reason = {"worker": worker.number, "reason": str(exc)}
            _logger.error("A worker of the edge cannot be started.", extra=reason)
            return False
        return True

    async def _keep(self, worker: Worker) -> None:
        while True:
            status = await worker.wait()
            self._sums.bury(worker.number)
            if self._is_ending:
                return
            ended = {"worker": worker.number, "status": status}
            _logger.error("A worker of the edge ended; another takes its place.", extra=ended)
            await asyncio.sleep(max(0.0, worker.started_at + _RESTART_SECONDS - time.monotonic()))
            if self._is_ending:
                return
            await self._starts(worker)
            if self._is_ending:
                worker.send_signal(signal.SIGTERM)

    async def _end_all(self, keeping: "list[asyncio.Task[None]]") -> bool:
        # Closed here first: whoever waits in a queue is still served by the worker, or refused with its end.
        self._is_ending = True
        for listener in self._listeners:
            listener.close()
        for worker in self._workers:
            worker.send_signal(signal.SIGTERM)
        waiting: list[asyncio.Task[Any]] = [*keeping]
        if not keeping:
            waiting = [asyncio.create_task(worker.wait()) for worker in self._workers]
        _, late = await asyncio.wait(waiting, timeout=self._configuration.times.drain + _PATIENCE_SECONDS)
        for worker in self._workers if late else ():
            _logger.error("A worker of the edge hangs.", extra={"worker": worker.number})
            worker.send_signal(signal.SIGKILL)
        if late:
            await asyncio.wait(late)
        return not late

    async def _serve(self, descriptor: int) -> None:
        try:
            await answer_lines(descriptor, self._answer)
        finally:
            self._held.clear()
            await self._ask_all({"do": "resume", "upstreams": list(self._configuration.upstreams)})

    async def _answer(self, question: dict[str, Any]) -> dict[str, Any]:
        # What one edge would answer: yes when all say yes. Any: JSON.
        is_whole = all(worker.is_listening for worker in self._workers)
        if question.get("do") == "retire":
            self._is_ending = True
            for worker in self._workers:
                if not worker.is_listening:
                    worker.send_signal(signal.SIGTERM)
        self._note_held(question)
        answers = await self._ask_all(question)
        if question.get("do") == "retire":
            _logger.info("The edge retires.")
            self._retired.set()
        is_ok = is_whole if question.get("do") == "look" else bool(answers)
        answer = {"ok": is_ok and all(answer["ok"] for answer in answers)}
        if question.get("do") == "hold" and answer["ok"]:
            answer["is_quiet"] = all(answer["is_quiet"] for answer in answers)
        return answer

    def _note_held(self, question: dict[str, Any]) -> None:
        # For workers that begin only later.
        names = set(question.get("upstreams", ()))
        if not names <= self._configuration.upstreams.keys():
            return  # Which all workers refuse.
        if question.get("do") == "hold":
            until = time.monotonic() + min(question["seconds"], MAX_HOLD_SECONDS)
            self._held.update(dict.fromkeys(names, until))
        elif question.get("do") == "resume":
            for name in names:
                self._held.pop(name, None)

    async def _ask_all(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        # A worker that has just ended holds nothing and has no clients, so it need not be asked.
        asked = [worker.ask(question) for worker in self._workers if worker.is_listening]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, WorkerEnded):
                raise answer
        return [answer for answer in answers if not isinstance(answer, BaseException)]

    def _send_to_listening(self, number: signal.Signals) -> None:
        # One that has just been started would end by it, and reads the newest files anyway.
        for worker in self._workers:
            if worker.is_listening:
                worker.send_signal(number)

    def _say_where(self, metrics_port: int) -> None:
        port = self._listeners[0].getsockname()[1]
        where = {
            "address": f"{self._configuration.bind[0]}:{port}",
            "metrics": f"{self._configuration.metrics_bind[0]}:{metrics_port}",
            "workers": len(self._workers),
        }
        _logger.info("The edge listens.", extra=where)


class _Scrape(Collector):
    """Asks the parent from the thread of the metrics server."""

    def __init__(self, parent: Parent, loop: asyncio.AbstractEventLoop) -> None:
        self._parent = parent
        self._loop = loop

    def collect(self) -> "Iterator[Metric]":
        yield from asyncio.run_coroutine_threadsafe(self._parent.figures(), self._loop).result()


def _listeners(configuration: Configuration) -> list[socket.socket]:
    host, port = configuration.bind
    try:
        if configuration.listen_fds:
            return [socket.socket(fileno=descriptor) for descriptor in configuration.listen_fds]
        return listen_together(host, port, configuration.workers)
    except OSError as exc:
        name = "EDGE_LISTEN_FD" if configuration.listen_fds else "EDGE_BIND"
        raise ConfigurationError(f"{name}: cannot listen on {host}:{port}: {exc.strerror}.") from exc


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
