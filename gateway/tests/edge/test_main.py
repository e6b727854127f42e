"""The process: how it starts, says no, serves its figures and stops."""

import os
import re
import resource
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chassis.testing.certificates import Authority
from gateway.edge.testing import EDGE_KEY, Issuer, RawClient

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(issuer: Issuer) -> Iterator[Start]:
    processes: list[subprocess.Popen[str]] = []

    def start_edge(**variables: str) -> "subprocess.Popen[str]":
        usual = {
            "KEYS_PUBLIC": str(issuer.directory),
            "EDGE_KEY": EDGE_KEY,
            "EDGE_BIND": "127.0.0.1:0",
            "EDGE_METRICS_BIND": "127.0.0.1:0",
            "PATH": os.environ["PATH"],
            "PYTHONUNBUFFERED": "1",
        }
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "gateway.edge.main"],
                env=usual | variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return processes[-1]

    yield start_edge
    for process in processes:
        process.kill()
        process.communicate()


def listening_ports(process: "subprocess.Popen[str]") -> tuple[int, int]:
    """The port of the edge and that of its figures."""
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r'"address": "127.0.0.1:(\d+)".*"metrics": "127.0.0.1:(\d+)"', line)
    assert found is not None, line
    return int(found[1]), int(found[2])


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"EDGE_KEY": ""}, "EDGE_KEY is not set."),
        ({"EDGE_KEY": "short"}, "EDGE_KEY must have at least 32 characters."),
        ({"EDGE_KEY": "\u00e9" * 40}, "EDGE_KEY must be printable ASCII"),
        ({"KEYS_PUBLIC": ""}, "KEYS_PUBLIC is not set."),
        ({"KEYS_PUBLIC": "/nowhere"}, "KEYS_PUBLIC is not a directory: /nowhere."),
        ({"KEYS_PUBLIC": "/"}, "no usable keys in /jwks.json"),
        ({"MERCATO_ORIGIN": "http://shop.example"}, "MERCATO_ORIGIN must be https"),
        ({"WALLET_URL": "http://127.0.0.1:8001/path"}, "WALLET_URL must look like"),
        ({"WALLET_URL": "ftp://127.0.0.1"}, "WALLET_URL must look like"),
        ({"CATALOG_CATEGORY_URL": "127.0.0.1:8002"}, "CATALOG_CATEGORY_URL must look like"),
        ({"EDGE_BIND": "8000"}, "EDGE_BIND must look like"),
        ({"EDGE_BIND": "192.0.2.1:80"}, "EDGE_BIND: cannot listen on 192.0.2.1:80"),
        ({"EDGE_METRICS_BIND": "192.0.2.1:80"}, "EDGE_METRICS_BIND: cannot listen on 192.0.2.1:80"),
        ({"EDGE_LISTEN_FD": "77"}, "EDGE_LISTEN_FD: cannot listen on"),
        ({"EDGE_LISTEN_FD": "77,x"}, "EDGE_LISTEN_FD must be numbers"),
        ({"EDGE_WORKERS": "0"}, "EDGE_WORKERS must be a whole number from 1 to 64."),
        ({"EDGE_WORKERS": "2", "EDGE_BIND": "192.0.2.1:80"}, "EDGE_BIND: cannot listen on 192.0.2.1:80"),
        ({"EDGE_WORKERS": "2", "EDGE_METRICS_BIND": "192.0.2.1:80"}, "EDGE_METRICS_BIND: cannot listen on"),
        ({"EDGE_WORKERS": "2", "KEYS_PUBLIC": "/"}, "no usable keys in /jwks.json"),
        ({"EDGE_TLS_CERT": "/nowhere"}, "EDGE_TLS_CERT and EDGE_TLS_KEY go together."),
        ({"EDGE_TLS_CERT": "/x", "EDGE_TLS_KEY": "/y"}, "EDGE_TLS_CERT or EDGE_TLS_KEY cannot be used"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be one of"),
        ({"EDGE_IDLE_SECONDS": "0"}, "EDGE_IDLE_SECONDS must be a number from 0.01 to 3600."),
        ({"GATEWAY_PEOPLE_PER_ADDRESS": "0"}, "GATEWAY_PEOPLE_PER_ADDRESS must be a whole number"),
        ({"TRUSTED_PROXIES": "-1"}, "TRUSTED_PROXIES must be a whole number"),
    ],
)
def test_says_in_one_line_what_is_missing(start: Start, variables: dict[str, str], said: str) -> None:
    process = start(**variables)

    _, error = process.communicate(timeout=20)

    assert process.returncode == 1
    assert said in error
    assert error.count("\n") == 1


def test_serves_until_told_to_stop(start: Start) -> None:
    process = start()
    port, _ = listening_ports(process)
    client = RawClient(port)
    client.send(b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n")

    status = client.read_reply().status
    client.close()
    process.send_signal(signal.SIGTERM)
    output, error = process.communicate(timeout=20)

    assert (status, process.returncode, error) == (200, 0, "")
    assert '"path":"/livez"' in output


def test_tls_goes_with_an_origin_that_says_so(start: Start, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).issue(tmp_path, "localhost")

    _, error = start(EDGE_TLS_CERT=str(certificate), EDGE_TLS_KEY=str(key)).communicate(timeout=20)

    assert "EDGE_TLS_CERT goes with an https MERCATO_ORIGIN." in error


def test_figures_are_on_a_port_of_their_own(start: Start) -> None:
    port, metrics_port = listening_ports(start())
    client = RawClient(port)
    client.send(b"GET /metrics HTTP/1.1\r\nHost: localhost:8000\r\n\r\n")

    status = client.read_reply().status
    client.close()
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics") as answer:
        text = answer.read().decode()

    assert status == 404
    assert 'mercato_http_requests_total{method="GET",route="none",status="404"} 1.0' in text
    assert 'mercato_build_info{service="edge",version="' in text
    assert "process_cpu_seconds_total" in text


def test_speaks_tls_when_given_a_certificate(start: Start, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue(tmp_path, "localhost")
    process = start(
        EDGE_TLS_CERT=str(certificate), EDGE_TLS_KEY=str(key), MERCATO_ORIGIN="https://localhost:8000"
    )
    port, _ = listening_ports(process)
    client = RawClient(port)
    context = ssl.create_default_context(cafile=str(authority.file))
    client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
    client.send(b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n")

    assert client.read_reply().status == 200
    assert client.socket.version() in {"TLSv1.2", "TLSv1.3"}
    client.close()


def test_takes_as_many_descriptors_as_it_may_have(start: Start) -> None:
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, usual[1]))
    try:
        process = start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)
    listening_ports(process)

    assert resource.prlimit(process.pid, resource.RLIMIT_NOFILE) == (usual[1], usual[1])


def test_who_connects_when_there_are_no_descriptors_waits_for_one(start: Start, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue(tmp_path, "localhost")
    process = start(
        EDGE_TLS_CERT=str(certificate), EDGE_TLS_KEY=str(key), MERCATO_ORIGIN="https://localhost:8000"
    )
    port, _ = listening_ports(process)
    most = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, most[1]))
    client = RawClient(port)
    assert process.stdout is not None
    said = process.stdout.readline()
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, most)

    context = ssl.create_default_context(cafile=str(authority.file))
    client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
    client.send(b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n")

    assert "There are no more file descriptors for connections." in said
    assert client.read_reply().status == 200
    client.close()
