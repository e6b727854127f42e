"""Services verify tokens without calling anyone: each goes on when everything but PostgreSQL is gone."""

import os
import signal
import socket
from contextlib import ExitStack, suppress
from statistics import median

import psutil
import pytest
from services import SERVICES

from chassis.testing.forge import new_key

GATEWAY = ("edge", "web")
# What a service waits for another while it answers; the product service does for what is in a category.
SHORTEST_WAIT = 0.5
READS = 20  # More than the connections that a service keeps to another: 8.
# What a question leaves at the end of somebody who cannot answer. In every other state that end was closed
# first: a client of before the gateway was killed may hold such a connection for a minute.
ASKED = {psutil.CONN_SYN_RECV, psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT}
PUBLIC = [service for service in SERVICES if service.is_public]
[PRODUCT] = [service for service in SERVICES if service.audience == "catalog_product"]


def name_of(service):
    return service.audience


each_service = pytest.mark.parametrize("service", SERVICES, ids=name_of)
each_public_service = pytest.mark.parametrize("service", PUBLIC, ids=name_of)


@pytest.fixture(scope="module")
def tokens(own_system):
    """For each service what a client got at log-in, before the gateway went away."""
    return {service.audience: own_system.log_in(service.staff)["access"] for service in SERVICES}


@pytest.fixture(scope="module")
def without_gateway(own_system, tokens, connect, eventually):
    """The system without its gateway. The supervisor sleeps meanwhile, for it would stop the rest too.

    It holds the socket that the edge listened on, where from now on nobody gets an answer.
    """
    supervisor = own_system.report["supervisor_pid"]
    os.kill(supervisor, signal.SIGSTOP)
    try:
        for process in family(own_system, *GATEWAY):
            process.kill()
        eventually(lambda: not any(is_listened_on(connect, port) for port in ports_left(own_system)))
        yield own_system
    finally:
        os.kill(supervisor, signal.SIGCONT)


@pytest.fixture
def alone(without_gateway, service):
    """The system with a single service awake.

    The others are stopped, not killed: who asks one of them gets a connection and never an answer, which
    takes time and leaves a trace, while a refused connection could be passed over in silence.
    """
    others = neighbors(without_gateway, service)
    try:
        for process in others:
            process.suspend()
        yield without_gateway
    finally:
        for process in others:
            process.resume()


@pytest.fixture
def questions(alone, service):
    """Tells what was asked of anybody but the service. Where the gateway was, sockets wait for questions.

    Nobody takes a connection that was made meanwhile, so it still stands there when it was closed at once,
    and one that was there before is closed by the service when no answer comes.
    """
    with ExitStack() as stack:
        for port in ports_left(alone):
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
        before = foreign_ends(alone, service)
        yield lambda: foreign_ends(alone, service) - before


def ports_left(system):
    """The ports of the gateway that nobody listens on without it."""
    return [system.process("web")["port"], system.metrics_ports["edge"]]


def neighbors(system, service):
    """The processes of all other services."""
    return family(system, *[name for name in system.programs if name not in (service.process, *GATEWAY)])


def family(system, *names):
    """The processes of these names with their children."""
    leaders = [psutil.Process(system.process(name)["pid"]) for name in names]
    return [process for leader in leaders for process in (leader, *leader.children(recursive=True))]


def read(system, service, token, path=""):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return system.http.get(
        f"{system.url_of(service.process)}{path or service.read}", headers=headers, timeout=5
    )


def own_connections(system, name):
    """Of a service's processes, what is neither its listener nor a connection that it accepted there."""
    found = [connection for process in family(system, name) for connection in process.net_connections("inet")]
    return {
        (connection.laddr, connection.raddr)
        for connection in found
        if connection.laddr.port != system.process(name)["port"]
    }


def foreign_ends(system, service):
    """The ends, with their states, of all connections to a port of the system that is not this service's."""
    own = system.process(service.process)["port"]
    return {
        (connection.status, connection.laddr, connection.raddr)
        for connection in psutil.net_connections("tcp")
        if connection.status in ASKED
        and connection.laddr.port in system.ports
        and connection.laddr.port != own
    }


def is_listened_on(connect, port):
    with suppress(ConnectionRefusedError), connect(port):
        return True
    return False


def assert_at_once(answers, status):
    """All have this status, and half of them took less than a service waits for another's answer."""
    assert {answer.status_code for answer in answers} == {status}
    assert median(answer.elapsed.total_seconds() for answer in answers) < SHORTEST_WAIT


def test_has_no_gateway_left(without_gateway, connect):
    assert not any(is_listened_on(connect, port) for port in ports_left(without_gateway))
    with connect(without_gateway.port, seconds=SHORTEST_WAIT) as wire, pytest.raises(TimeoutError):
        wire.ask(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")


@each_service
def test_has_no_neighbor_awake(alone, service):
    stopped = neighbors(alone, service)

    assert len(stopped) >= len(SERVICES) - 1
    assert {process.status() for process in stopped} == {psutil.STATUS_STOPPED}


@pytest.mark.parametrize("service", [PRODUCT], ids=name_of)
def test_would_notice_a_question(alone, service, questions):
    # What is in a category is the one thing that a public read asks a neighbor for.
    answer = read(alone, service, "", f"{service.path}?category=00000000-0000-7000-8000-000000000000")

    assert answer.elapsed.total_seconds() >= SHORTEST_WAIT
    assert questions()


@each_service
def test_takes_a_token_of_the_log_in(alone, service, tokens):
    response = read(alone, service, tokens[service.audience])

    assert response.status_code == 200


@each_service
def test_takes_tokens_it_has_never_seen_and_asks_nobody(alone, service, questions):
    aim = alone.aim(service.audience, scope=service.reads)

    answers = [read(alone, service, aim.token) for _ in range(READS)]

    assert_at_once(answers, 200)
    assert questions() == set()


@pytest.mark.case("A24", "A26")
@each_service
def test_refuses_tokens_of_keys_it_does_not_know_and_asks_nobody(alone, service, questions):
    aim = alone.aim(service.audience, scope=service.reads)
    keys = [new_key() for _ in range(READS)]

    answers = [read(alone, service, aim.signed(aim.header | {"kid": key.kid}, key=key)) for key in keys]

    assert_at_once(answers, 401)
    assert {answer.json()["code"] for answer in answers} == {"invalid-token"}
    assert questions() == set()


@pytest.mark.case("A23")
@each_service
def test_refuses_a_token_that_another_key_signed_for_ours(alone, service):
    aim = alone.aim(service.audience, scope=service.reads)

    response = read(alone, service, aim.signed(key=new_key()))

    assert (response.status_code, response.json()["code"]) == (401, "invalid-token")


@each_public_service
def test_shows_everybody_what_is_public_and_asks_nobody(alone, service, questions):
    answers = [read(alone, service, "", service.path) for _ in range(READS)]

    assert_at_once(answers, 200)
    assert questions() == set()


@each_service
def test_is_ready(alone, service, questions):
    assert_at_once([read(alone, service, "", "/readyz")], 200)
    assert questions() == set()


@each_service
def test_opens_no_connection_of_its_own(alone, connect, tokens, service, questions):
    port = alone.process(service.process)["port"]
    request = b"GET %b HTTP/1.1\r\nHost: localhost:%d\r\nAuthorization: Bearer %b\r\n\r\n"
    request %= (service.read.encode(), port, tokens[service.audience].encode())

    # Kept since the shop was seeded, when services asked each other what exists. Nobody answers there now.
    kept = own_connections(alone, service.process)

    with connect(port) as wire:
        replies = [wire.ask(request) for _ in range(50)]

        assert {reply.status for reply in replies} == {200}
        assert own_connections(alone, service.process) <= kept
    assert questions() == set()
