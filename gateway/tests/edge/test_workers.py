"""Several processes on one port: how they start, share, die, hand over and end; and their figures as one."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from chassis.testing.certificates import Authority
from gateway.edge.listening import join, listen_together, share_of
from gateway.edge.scraping import Sums
from gateway.edge.testing import EDGE_KEY, Issuer, RawClient, until

INDEX = b"GET / HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n"
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: localhost:8000\r\n\r\n"


class RunningWorkers:
    """An edge of two processes and their parent."""

    def __init__(
        self, issuer: Issuer, log: Path, descriptors: tuple[int, ...] = (), **variables: str
    ) -> None:
        self._log = log
        environment = {
            "KEYS_PUBLIC": str(issuer.directory),
            "EDGE_KEY": EDGE_KEY,
            "EDGE_BIND": "127.0.0.1:0",
            "EDGE_METRICS_BIND": "127.0.0.1:0",
            "EDGE_WORKERS": "2",
            "PATH": os.environ["PATH"],
        }
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway.edge.main"],
                env=environment | variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=descriptors,
            )
        self.told = self._told()
        self.port, self.metrics_port = (
            int(self.told[name].rpartition(":")[2]) for name in ("address", "metrics")
        )

    @property
    def workers(self) -> list[psutil.Process]:
        found = psutil.Process(self.process.pid).children()
        return [one for one in found if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]

    def figure(self, name: str) -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return sum(map(float, re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)))

    def log(self) -> str:
        return self._log.read_text()

    def ask(self) -> int:
        client = RawClient(self.port)
        client.send(LIVEZ)
        status = client.read_reply().status
        client.close()
        return status

    def _told(self) -> dict[str, Any]:
        until(lambda: '"The edge listens."' in self.log() or self.process.poll() is not None)
        line = next(line for line in self.log().splitlines() if '"The edge listens."' in line)
        told: dict[str, Any] = json.loads(line)
        return told


Start = Callable[..., RunningWorkers]


@pytest.fixture
def start(issuer: Issuer, tmp_path: Path) -> Iterator[Start]:
    running: list[RunningWorkers] = []

    def start_workers(*descriptors: int, **variables: str) -> RunningWorkers:
        log = tmp_path / f"edge-{len(running)}.log"
        running.append(RunningWorkers(issuer, log, descriptors, **variables))
        return running[-1]

    yield start_workers
    for one in running:
        one.process.terminate()
    for one in running:
        try:
            one.process.wait(10)
        finally:
            one.process.kill()


class Load:
    """Clients that ask on kept connections, one request after the other, until they are told to close."""

    def __init__(self, port: int, clients: int) -> None:
        self._port = port
        self.answered = [0] * clients
        self.failed = [0] * clients
        self.turned_away = 0
        self._is_over = False
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        while not self._is_over:
            try:
                client = RawClient(self._port)
            except ConnectionRefusedError:
                return  # There is no edge any more.
            before = self.answered[number]
            try:
                self._ask_on(client, number)
            except (OSError, EOFError):
                if self.answered[number] > before:
                    self.failed[number] += 1
                else:
                    self.turned_away += 1  # It connected in the very moment of the end.
            finally:
                client.close()

    def _ask_on(self, client: RawClient, number: int) -> None:
        is_kept = True
        while is_kept and not self._is_over:
            client.send(LIVEZ)
            reply = client.read_reply()
            self.answered[number] += 1
            is_kept = reply.field("connection") != "close"
            time.sleep(0.002)  # Leaves processes that start the time to do so.


def test_both_workers_serve_and_one_scrape_shows_both(start: Start) -> None:
    edge = start()
    kept = [RawClient(edge.port) for _ in range(40)]
    for client in kept:
        client.send(LIVEZ)

    statuses = {client.read_reply().status for client in kept}
    connections = [_clients_of(worker) for worker in edge.workers]

    assert edge.told["workers"] == 2
    assert statuses == {200}
    assert sum(connections) == 40
    assert min(connections) >= 5
    assert edge.figure("mercato_http_requests_total") == 40
    assert edge.figure("mercato_edge_connections") == 40
    assert edge.figure("mercato_build_info") == 1
    for client in kept:
        client.close()


def test_a_worker_that_is_killed_has_a_successor_and_only_its_clients_notice(start: Start) -> None:
    edge = start()
    with Load(edge.port, 8) as load:
        until(lambda: min(load.answered) > 20)
        counted = edge.figure("mercato_http_requests_total")
        victim, other = edge.workers
        hit = _clients_of(victim)

        victim.kill()
        until(lambda: edge.log().count("A worker of the edge listens.") == 3)
        answered = list(load.answered)
        until(lambda: all(now > then + 20 for now, then in zip(load.answered, answered, strict=True)))
        counted_after = edge.figure("mercato_http_requests_total")

    assert sum(load.failed) <= hit
    assert other.is_running()
    assert "A worker of the edge ended; another takes its place." in edge.log()
    assert counted_after > counted


def _clients_of(worker: psutil.Process) -> int:
    return len([one for one in worker.net_connections("tcp") if one.status == psutil.CONN_ESTABLISHED])


def test_who_connects_while_a_worker_is_dead_is_served_by_its_successor(start: Start) -> None:
    edge = start()
    edge.workers[0].kill()
    waiting = [RawClient(edge.port) for _ in range(20)]

    for client in waiting:
        client.socket.settimeout(15)
        client.send(LIVEZ)

    assert {client.read_reply().status for client in waiting} == {200}
    for client in waiting:
        client.close()


def test_a_worker_that_cannot_be_started_is_tried_again(start: Start) -> None:
    edge = start()
    parent = psutil.Process(edge.process.pid)
    most = parent.rlimit(psutil.RLIMIT_NOFILE)
    parent.rlimit(psutil.RLIMIT_NOFILE, (3, most[1]))

    edge.workers[0].kill()
    until(lambda: "A worker of the edge cannot be started." in edge.log())
    parent.rlimit(psutil.RLIMIT_NOFILE, most)

    until(lambda: edge.log().count("A worker of the edge listens.") == 3)


def test_ends_under_load_without_a_failed_request(start: Start) -> None:
    edge = start()
    with Load(edge.port, 8) as load:
        until(lambda: min(load.answered) > 20)

        edge.process.send_signal(signal.SIGTERM)
        status = edge.process.wait(15)

    assert status == 0
    assert sum(load.failed) == 0


def test_a_worker_that_hangs_is_killed_in_the_end(start: Start) -> None:
    edge = start(EDGE_DRAIN_SECONDS="0.1")
    edge.workers[0].suspend()

    edge.process.send_signal(signal.SIGTERM)

    assert edge.process.wait(15) == 1
    assert "A worker of the edge hangs." in edge.log()


def test_workers_end_when_their_parent_is_killed(start: Start) -> None:
    edge = start()
    workers = edge.workers

    edge.process.kill()

    # Who adopts them may be slow to ask for their status.
    until(lambda: not [one for one in workers if one.is_running() and one.status() != "zombie"])


def test_a_second_edge_cannot_join_the_port_by_accident(start: Start, issuer: Issuer, tmp_path: Path) -> None:
    edge = start()
    log = tmp_path / "second.log"

    with pytest.raises(StopIteration):
        RunningWorkers(issuer, log, EDGE_BIND=f"127.0.0.1:{edge.port}")

    assert f"EDGE_BIND: cannot listen on 127.0.0.1:{edge.port}: Address already in use." in log.read_text()


def test_takes_a_new_certificate_in_all_workers_at_sighup(start: Start, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue(tmp_path, "localhost")
    edge = start(
        EDGE_TLS_CERT=str(certificate), EDGE_TLS_KEY=str(key), MERCATO_ORIGIN="https://localhost:8000"
    )

    edge.process.send_signal(signal.SIGHUP)

    until(lambda: edge.log().count("A new certificate is in use.") == 2)


class Line:
    """A supervisor's end of the line to a parent."""

    def __init__(self) -> None:
        self.socket, self.other = socket.socketpair()
        self.socket.settimeout(10)
        self._answers = self.socket.makefile("rb")

    def ask(self, **question: Any) -> dict[str, Any]:
        self.socket.sendall(json.dumps(question).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer

    def close(self) -> None:
        self._answers.close()
        self.socket.close()
        self.other.close()


def test_hands_its_sockets_over_to_another_edge_with_more_workers(start: Start) -> None:
    old_line, new_line = Line(), Line()
    listeners = listen_together("127.0.0.1", 0, 2)
    listeners.append(join(listeners[0]))
    descriptors = [listener.fileno() for listener in listeners]
    listening = {"EDGE_LISTEN_FD": ",".join(map(str, descriptors))}
    control = {"EDGE_CONTROL_FD": str(old_line.other.fileno())}
    old = start(*descriptors, old_line.other.fileno(), **listening, **control)
    held = old_line.ask(do="hold", upstreams=["web"], seconds=5, quiet_seconds=1)
    resumed = old_line.ask(do="resume", upstreams=["web"])
    unknown = old_line.ask(do="dance")

    with Load(old.port, 4) as load:
        until(lambda: min(load.answered) > 20)
        control = {"EDGE_CONTROL_FD": str(new_line.other.fileno()), "EDGE_WORKERS": "3"}
        new = start(*descriptors, new_line.other.fileno(), **listening, **control)
        looked = new_line.ask(do="look")
        retired = old_line.ask(do="retire")
        status = old.process.wait(15)
        answered = list(load.answered)
        until(lambda: all(now > then + 20 for now, then in zip(load.answered, answered, strict=True)))

    assert held == {"ok": True, "is_quiet": True}
    assert (resumed["ok"], unknown["ok"], looked["ok"], retired["ok"]) == (True, False, True, True)
    assert status == 0
    assert sum(load.failed) == 0
    assert len(new.workers) == 3
    for one in (old_line, new_line, *listeners):
        one.close()


class Web(ThreadingHTTPServer):
    """Counts what it is asked."""

    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), WebAnswer)
        self.asked = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()


class WebAnswer(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.shutdown()
    web.server_close()


def _ask_web(edge: RunningWorkers, count: int) -> list[RawClient]:
    clients = [RawClient(edge.port) for _ in range(count)]
    for client in clients:
        client.socket.settimeout(15)
        client.send(INDEX)
    return clients


def _statuses(clients: list[RawClient]) -> list[int]:
    statuses = [client.read_reply().status for client in clients]
    for client in clients:
        client.close()
    return statuses


def test_a_worker_that_begins_during_a_hold_holds_as_well(start: Start, web: Web) -> None:
    line = Line()
    control = {"EDGE_CONTROL_FD": str(line.other.fileno())}
    edge = start(line.other.fileno(), WEB_URL=f"http://127.0.0.1:{web.server_port}", **control)
    began = time.monotonic()
    before = _statuses(_ask_web(edge, 12))
    seconds = time.monotonic() - began
    line.ask(do="hold", upstreams=["web"], seconds=20, quiet_seconds=1)

    edge.workers[0].kill()
    clients = _ask_web(edge, 12)  # Some wait for it to be accepted.
    until(lambda: edge.log().count("A worker of the edge listens.") == 3)
    clients += _ask_web(edge, 12)
    time.sleep(0.3)
    asked = web.asked
    line.ask(do="resume", upstreams=["web"])

    assert before == [200] * 12
    assert seconds < 1
    assert asked == 12
    assert _statuses(clients) == [200] * 24
    line.close()


def test_a_worker_that_begins_after_a_hold_holds_nothing(start: Start, web: Web) -> None:
    line = Line()
    control = {"EDGE_CONTROL_FD": str(line.other.fileno())}
    edge = start(line.other.fileno(), WEB_URL=f"http://127.0.0.1:{web.server_port}", **control)
    line.ask(do="hold", upstreams=["web"], seconds=20, quiet_seconds=1)
    line.close()  # So does a hold end whose supervisor dies.

    edge.workers[0].kill()
    until(lambda: edge.log().count("A worker of the edge listens.") == 3)

    began = time.monotonic()
    assert _statuses(_ask_web(edge, 12)) == [200] * 12
    assert time.monotonic() - began < 1


def test_sockets_of_one_port_are_found_free_together_or_not_at_all() -> None:
    first, second = listen_together("127.0.0.1", 0, 2)
    address = first.getsockname()

    with pytest.raises(OSError, match="Address already in use"):
        listen_together(*address, 1)
    with pytest.raises(OSError, match="Address already in use"):
        listen_together(*address, 2)

    assert second.getsockname() == address
    first.close()
    second.close()


def test_a_socket_that_joins_gets_its_part_once_it_listens() -> None:
    (first,) = listen_together("127.0.0.1", 0, 1)
    second = join(first)
    before = [socket.create_connection(first.getsockname()) for _ in range(40)]
    alone = _accept_all(first)
    second.listen()
    clients = [socket.create_connection(first.getsockname()) for _ in range(40)]

    waiting = [_accept_all(listener) for listener in (first, second)]

    assert alone == 40
    assert sum(waiting) == 40
    assert min(waiting) >= 5
    for one in (first, second, *before, *clients):
        one.close()


def _accept_all(listener: socket.socket) -> int:
    listener.setblocking(False)
    accepted = 0
    try:
        while True:
            listener.accept()[0].close()
            accepted += 1
    except BlockingIOError:
        return accepted


@pytest.mark.parametrize(
    ("descriptors", "workers", "shares"),
    [
        ([5, 6], 2, [[5], [6]]),
        ([5, 6, 7], 2, [[5, 7], [6]]),
        ([5], 2, [[5], [5]]),
        ([5, 6, 7, 8], 2, [[5, 7], [6, 8]]),
    ],
)
def test_no_socket_is_left_out_and_no_worker(
    descriptors: list[int], workers: int, shares: list[list[int]]
) -> None:
    assert [share_of(descriptors, worker, workers) for worker in range(workers)] == shares


TOLD = """\
# HELP answers_total Answers.
# TYPE answers_total counter
answers_total{{code="200"}} {count}
# HELP open Open.
# TYPE open gauge
open 1
# HELP seconds Seconds.
# TYPE seconds histogram
seconds_bucket{{le="1.0"}} {count}
seconds_bucket{{le="+Inf"}} {count}
seconds_sum 0.5
seconds_count {count}
# HELP mercato_keys Keys.
# TYPE mercato_keys gauge
mercato_keys 3
# HELP confirmed_timestamp_seconds When.
# TYPE confirmed_timestamp_seconds gauge
confirmed_timestamp_seconds 10{count}
"""


def test_adds_up_what_counts_and_nothing_else() -> None:
    sums = Sums()
    sums.note(1, TOLD.format(count=2))
    sums.note(2, TOLD.format(count=3))

    assert _values(sums) == {
        "answers_total": 5,
        "open": 2,
        "seconds_bucket": 10,
        "seconds_sum": 1,
        "seconds_count": 5,
        "mercato_keys": 3,
        "confirmed_timestamp_seconds": 102,
    }


def test_what_a_worker_counted_stays_when_it_is_gone() -> None:
    sums = Sums()
    sums.note(1, TOLD.format(count=2))
    sums.bury(1)
    left = _values(sums)
    sums.note(1, TOLD.format(count=4))
    sums.bury(1)
    sums.note(1, TOLD.format(count=1))

    assert left == {"answers_total": 2, "seconds_bucket": 4, "seconds_sum": 0.5, "seconds_count": 2}
    assert _values(sums)["answers_total"] == 7
    assert _values(sums)["open"] == 1


def _values(sums: Sums) -> dict[str, float]:
    values: dict[str, float] = {}
    for family in sums.told():
        for sample in family.samples:
            values[sample.name] = values.get(sample.name, 0) + sample.value
    return values
