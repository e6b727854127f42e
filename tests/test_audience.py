"""A token that the gateway forwards is good at one service alone: of five by five, the diagonal is let in."""

import json

import pytest
from services import SERVICES

from chassis.testing.forge import decode

PAIRS = [(addressed, asked) for addressed in SERVICES for asked in SERVICES]


@pytest.fixture(scope="module")
def forwarded(system):
    """What the gateway forwards to each service for somebody who may do everything."""
    bearer = system.log_in("superuser")["access"]
    return {service.audience: minted(system, bearer, service.audience) for service in SERVICES}


def minted(system, bearer, audience):
    """The token that the edge gets from the web, asked for in the edge's own way."""
    response = system.http.post(
        f"{system.url_of('web')}/internal/token",
        json={"bearer": bearer, "audience": audience},
        headers={"X-Edge-Key": system.secrets[0]},
        timeout=10,
    )
    assert response.status_code == 200, response.text
    return response.json()["token"]


def ask(system, service, token):
    headers = {"Authorization": f"Bearer {token}"}
    return system.http.get(f"{system.url_of(service.process)}{service.read}", headers=headers, timeout=10)


@pytest.mark.case("B7", "B8")
@pytest.mark.parametrize(
    ("addressed", "asked"), PAIRS, ids=[f"{a.audience} at {b.audience}" for a, b in PAIRS]
)
def test_is_good_where_it_is_addressed_to_and_nowhere_else(system, forwarded, addressed, asked):
    response = ask(system, asked, forwarded[addressed.audience])

    expected = (200, None) if addressed is asked else (401, "invalid-token")
    assert (response.status_code, response.json().get("code")) == expected


@pytest.mark.case("B8")
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.audience)
def test_is_refused_at_the_edge(system, forwarded, service):
    response = system.request("GET", service.read, token=forwarded[service.audience])

    assert (response.status_code, response.json()["code"]) == (401, "invalid-token")


@pytest.mark.case("B8")
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.audience)
def test_carries_no_scope_of_another_service(forwarded, service):
    others = {other.reads for other in SERVICES} - {service.reads}

    carried = set(json.loads(decode(forwarded[service.audience].split(".")[1]))["scope"].split())

    assert service.reads in carried
    assert carried.isdisjoint(others)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.audience)
def test_is_shorter_than_a_kilobyte(forwarded, service):
    assert len(forwarded[service.audience]) < 1024
