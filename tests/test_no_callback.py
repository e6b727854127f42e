"""Services verify tokens without calling anyone: they go on when the whole gateway is gone."""

import os
import signal
from contextlib import suppress

import psutil
import pytest

from chassis.testing.forge import new_key

GATEWAY = ("edge", "web")
READS = {"wallet": b"/api/v1/wallet", "category": b"/api/v1/categories?status=draft"}


@pytest.fixture(scope="module")
def token(own_system):
    """What a client got at log-in, before the gateway went away."""
    return own_system.log_in("shopper")["access"]


@pytest.fixture(scope="module")
def tokens(own_system, token):
    """For each service one that may read what it keeps for some."""
    return {"wallet": token, "category": own_system.log_in("catalogue-editor")["access"]}


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


def read_wallet(system, token):
    headers = {"Authorization": f"Bearer {token}"}
    return system.http.get(f"{system.wallet_url}/api/v1/wallet", headers=headers, timeout=5)


def foreign_connections(system, name):
    """Of a service's processes, what is neither its listener nor a connection that it accepted there."""
    found = [connection for process in family(system, name) for connection in process.net_connections("inet")]
    return [connection for connection in found if connection.laddr.port != system.process(name)["port"]]


def is_listened_on(connect, port):
    with suppress(ConnectionRefusedError), connect(port):
        return True
    return False


def test_has_no_gateway_left(alone, connect, eventually):
    ports = [alone.process(name)["port"] for name in GATEWAY]

    eventually(lambda: not any(is_listened_on(connect, port) for port in ports))


def test_takes_a_token_of_the_log_in(alone, token):
    response = read_wallet(alone, token)

    assert response.status_code == 200
    assert response.json()["balances"][0]["currency"] == "EUR"


def test_takes_a_token_it_has_never_seen(alone):
    response = read_wallet(alone, alone.aim("wallet").token)

    assert response.status_code == 200


def test_refuses_a_token_of_a_key_it_does_not_know(alone):
    aim = alone.aim("wallet")

    response = read_wallet(alone, aim.signed(key=new_key()))

    assert (response.status_code, response.json()["code"]) == (401, "invalid-token")


def test_is_ready(alone):
    assert alone.http.get(f"{alone.wallet_url}/readyz", timeout=5).status_code == 200


@pytest.mark.parametrize("name", READS)
def test_opens_no_connection_of_its_own(alone, connect, tokens, name):
    port = alone.process(name)["port"]
    request = b"GET %b HTTP/1.1\r\nHost: localhost:%d\r\nAuthorization: Bearer %b\r\n\r\n"

    with connect(port) as wire:
        replies = [wire.ask(request % (READS[name], port, tokens[name].encode())) for _ in range(50)]

        assert {reply.status for reply in replies} == {200}
        assert foreign_connections(alone, name) == []
