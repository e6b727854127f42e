"""Services verify tokens without calling anyone: they go on when the whole gateway is gone."""

import os
import signal
from contextlib import suppress

import psutil
import pytest
from services import SERVICES

from chassis.testing.forge import new_key

GATEWAY = ("edge", "web")
each_service = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.audience)


@pytest.fixture(scope="module")
def tokens(own_system):
    """For each service what a client got at log-in, before the gateway went away."""
    return {service.audience: own_system.log_in(service.staff)["access"] for service in SERVICES}


@pytest.fixture(scope="module")
def alone(own_system, tokens):
    """The system without its gateway. The supervisor sleeps meanwhile, for it would stop the wallet too."""
    supervisor = own_system.report["supervisor_pid"]
    os.kill(supervisor, signal.SIGSTOP)
    try:
        for process in family(own_system, *GATEWAY):
            process.kill()
        yield own_system
    finally:
        os.kill(supervisor, signal.SIGCONT)


def family(system, *names):
    """The processes of these names with their children."""
    leaders = [psutil.Process(system.process(name)["pid"]) for name in names]
    return [process for leader in leaders for process in (leader, *leader.children(recursive=True))]


def read(system, service, token, path=""):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return system.http.get(
        f"{system.url_of(service.process)}{path or service.read}", headers=headers, timeout=5
    )


def foreign_connections(system, name):
    """Of a service's processes, what is neither its listener nor a connection that it accepted there."""
    found = [connection for process in family(system, name) for connection in process.net_connections("inet")]
    return {
        (connection.laddr, connection.raddr)
        for connection in found
        if connection.laddr.port != system.process(name)["port"]
    }


def is_listened_on(connect, port):
    with suppress(ConnectionRefusedError), connect(port):
        return True
    return False


def test_has_no_gateway_left(alone, connect, eventually):
    ports = [alone.process(name)["port"] for name in GATEWAY]

    eventually(lambda: not any(is_listened_on(connect, port) for port in ports))


@each_service
def test_takes_a_token_of_the_log_in(alone, service, tokens):
    response = read(alone, service, tokens[service.audience])

    assert response.status_code == 200


@each_service
def test_takes_a_token_it_has_never_seen(alone, service):
    token = alone.aim(service.audience, scope=service.reads).token

    assert read(alone, service, token).status_code == 200


@each_service
def test_refuses_a_token_of_a_key_it_does_not_know(alone, service):
    aim = alone.aim(service.audience, scope=service.reads)

    response = read(alone, service, aim.signed(key=new_key()))

    assert (response.status_code, response.json()["code"]) == (401, "invalid-token")


@pytest.mark.parametrize(
    "service", [service for service in SERVICES if service.is_public], ids=lambda service: service.audience
)
def test_shows_everybody_what_is_public(alone, service):
    assert read(alone, service, "", service.path).status_code == 200


@each_service
def test_is_ready(alone, service):
    assert read(alone, service, "", "/readyz").status_code == 200


@each_service
def test_opens_no_connection_of_its_own(alone, connect, tokens, service):
    port = alone.process(service.process)["port"]
    request = b"GET %b HTTP/1.1\r\nHost: localhost:%d\r\nAuthorization: Bearer %b\r\n\r\n"
    request %= (service.read.encode(), port, tokens[service.audience].encode())

    # Kept since the shop was seeded, when services asked each other what exists.
    kept = foreign_connections(alone, service.process)

    with connect(port) as wire:
        replies = [wire.ask(request) for _ in range(50)]

        assert {reply.status for reply in replies} == {200}
        assert foreign_connections(alone, service.process) <= kept
