"""Another service, played on the wire: for tests that ask how one service takes what another answers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class StandIn:
    """Answers every GET with what it is told, and keeps what it was asked: path and Authorization."""

    def __init__(self) -> None:
        self.status, self.body = 200, b"{}"
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""


@pytest.fixture
def stand_in() -> Iterator[Callable[[], StandIn]]:
    """Makes stand-ins, each listening at a `url` of its own."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(_listening(StandIn()))


class _Server(ThreadingHTTPServer):
    request_queue_size = 64  # As many as a test that races may send at once.


@contextmanager
def _listening(service: StandIn) -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append((self.path, self.headers["Authorization"]))
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(service.body)))
            self.end_headers()
            self.wfile.write(service.body)

        def log_message(self, *args: object) -> None:
            """Keeps quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
