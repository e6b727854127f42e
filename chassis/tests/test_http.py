import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from chassis import logs
from chassis.http import MAX_BODY_BYTES, Client, NotSent, Response, Unknown

ORIGIN = "https://shop.example"


class Service(BaseHTTPRequestHandler):
    """A stand-in for the wire: echoes what came, or misbehaves as the path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
            self.close_connection = True
            return
        if self.path == "/slow":
            self.server.release.wait(5)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        echo = json.dumps({"headers": dict(self.headers), "body": body}).encode()
        answer = b"x" * (MAX_BODY_BYTES + 1) if self.path == "/large" else echo
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815 - the name is the library's.

    def log_message(self, *args):
        pass


@pytest.fixture
def service():
    from threading import Event

    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.daemon_threads = True
    server.release = Event()
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(service):
    return Client(f"http://127.0.0.1:{service.server_port}", name="other", origin=ORIGIN)


def test_sends_token_host_and_request_id(client):
    logs.bind(request_id="r-12345678")

    headers = client.request("GET", "/", token="t").json()["headers"]

    logs.clear()
    assert headers["Authorization"] == "Bearer t"
    assert (headers["Host"], headers["X-Request-ID"]) == ("shop.example", "r-12345678")


def test_sends_json(client):
    answer = client.request("POST", "/", json={"a": 1}, headers={"Idempotency-Key": "k"}).json()

    assert json.loads(answer["body"]) == {"a": 1}
    assert (answer["headers"]["Content-Type"], answer["headers"]["Idempotency-Key"]) == (
        "application/json",
        "k",
    )


@pytest.mark.case("E14")
def test_returns_a_redirect_instead_of_following_it(client):
    answer = client.request("GET", "/moved")

    assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")


def test_tells_a_request_that_never_left():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = Client(f"http://127.0.0.1:{unused.getsockname()[1]}", name="other", origin=ORIGIN)

        with pytest.raises(NotSent):
            client.request("GET", "/")


def test_tells_an_answer_that_came_too_late(client):
    with pytest.raises(Unknown):
        client.request("GET", "/slow", read_seconds=0.1)


@pytest.mark.parametrize("path", ["/cut", "/large"])
def test_tells_an_answer_that_cannot_be_used(client, path):
    with pytest.raises(Unknown):
        client.request("GET", path)


def test_tells_an_answer_that_is_not_json(client, service):
    answer = client.request("GET", "/")

    with pytest.raises(Unknown):
        type(answer)(200, {}, b"<html>").json()


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b"NaN", b'{"a": Infinity}', b"\xff"])
def test_tells_json_that_no_service_of_ours_writes(body):
    with pytest.raises(Unknown):
        Response(200, {}, body).json()
