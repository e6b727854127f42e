"""How soon what was revoked is refused: at the edge, and by every service that is asked directly."""

import time
from uuid import uuid4

import pytest
import requests
from services import SERVICES

PROMISED = 1.0
"""Seconds from the answer to whoever ends a session until all of the shop knows."""


@pytest.fixture
def doors(system):
    """Where an access token may be shown, and what says whether it is believed there."""
    direct = {service.process: system.url_of(service.process) + service.path for service in SERVICES}
    return direct | {"edge": f"{system.origin}/api/v1/wallet"}


@pytest.fixture(scope="module")
def customer(save_user):
    """Somebody whose sessions no other test has."""
    login = {"email": f"{uuid4().hex}@example.com", "password": "correct horse battery staple"}
    save_user(**login, groups=["customer"])
    return login


def statuses(doors, token):
    bearer = {"Authorization": f"Bearer {token}"}
    return {name: requests.get(url, headers=bearer, timeout=10).status_code for name, url in doors.items()}


def seconds_until_refused(doors, token):
    """How long each door went on believing a token, looked at every few milliseconds."""
    began, found = time.monotonic(), {}
    while len(found) < len(doors) and time.monotonic() - began < 2 * PROMISED:
        waiting = {name: url for name, url in doors.items() if name not in found}
        refused = [name for name, status in statuses(waiting, token).items() if status == 401]
        found |= dict.fromkeys(refused, time.monotonic() - began)
    return found


def log_in(system, customer):
    response = system.request("POST", "/api/v1/auth/login", json=customer)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.case("B13")
@pytest.mark.parametrize(
    ("endpoint", "field"), [("logout", "refresh"), ("logout-all", "refresh"), ("revoke", "token")]
)
def test_a_session_that_ends_is_over_everywhere_within_a_second(system, doors, customer, endpoint, field):
    tokens = log_in(system, customer)
    assert set(statuses(doors, tokens["access"]).values()) == {200}

    system.request("POST", f"/api/v1/auth/{endpoint}", json={field: tokens["refresh"]})

    seconds = seconds_until_refused(doors, tokens["access"])
    assert seconds.keys() == doors.keys()
    assert max(seconds.values()) <= PROMISED, seconds
    assert set(statuses(doors, tokens["access"]).values()) == {401}
    assert set(statuses(doors, log_in(system, customer)["access"]).values()) == {200}


@pytest.mark.case("B13")
def test_a_command_of_an_operator_is_noticed_too(system, doors, customer, save_user):
    tokens = log_in(system, customer)
    assert set(statuses(doors, tokens["access"]).values()) == {200}

    save_user(**customer, groups=["customer", "support"])

    # The web has not been told, so it finds out when it looks, which is once a second.
    seconds = seconds_until_refused(doors, tokens["access"])
    assert seconds.keys() == doors.keys()
    assert max(seconds.values()) <= 2 * PROMISED, seconds
