"""Runs a WSGI application on granian with the settings that the measured traps ask for."""

import gc
import importlib
import shutil
from typing import Final

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from chassis import metrics

_BACKLOG: Final = 1024


def serve(target: str, *, bind: tuple[str, int], workers: int, threads: int) -> None:
    """Serve `package.module:callable` until SIGTERM or SIGINT; requests under way are finished.

    threads are per worker. Granian starts 512 where nobody says how many, and its back-pressure counts
    idle connections, so both are set here; keep-alive stays well above what the edge keeps pooled.
    """
    directory = metrics.share_between_workers() if workers > 1 else ""
    package = target.partition(".")[0]
    metrics.tell_build(package, f"mercato-{package}")
    # Workers are forked from this process and share what it has loaded. The garbage collector never looks
    # at that again: a full collection would stop a worker for tens of milliseconds, and write to every page.
    importlib.import_module(target.partition(":")[0])
    gc.collect()
    gc.freeze()
    server = Server(
        target,
        address=bind[0],
        port=bind[1],
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=workers,
        blocking_threads=threads,
        blocking_threads_idle_timeout=600,
        backlog=_BACKLOG,
        backpressure=_BACKLOG,
        http1_settings=HTTP1Settings(keep_alive=True),
        websockets=False,
        log_level=LogLevels.error,
        log_access=False,
        workers_kill_timeout=10,
        respawn_failed_workers=False,
    )
    try:
        server.serve()
    finally:
        if directory:
            shutil.rmtree(directory, ignore_errors=True)
