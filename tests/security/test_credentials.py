"""A session's cookie and a bearer in one request: the API sees the bearer alone."""

import pytest
from forms import log_in_by_form
from services import SERVICES

BAD = ["Bearer a.b.c", "Bearer", "Basic YTpi", "Bearer {token}x", "Bearer {token}, Bearer {token}"]
READS = ["/api/v1/wallet", *(service.path for service in SERVICES if service.is_public)]


@pytest.fixture(scope="module")
def shopper(system):
    with log_in_by_form(system, "shopper") as session:
        session.headers["Accept"] = "application/json"
        yield session


def wallet(system, session, token):
    headers = {"Authorization": f"Bearer {token}"}
    return session.get(f"{system.origin}/api/v1/wallet", headers=headers, timeout=10)


@pytest.mark.case("D4")
def test_serves_the_bearer_whosever_the_cookie_is(system, shopper):
    other = system.log_in("superuser")["access"]

    with_cookie, without = wallet(system, shopper, other), wallet(system, system.http, other)

    assert (with_cookie.status_code, with_cookie.json()) == (200, without.json())
    own = wallet(system, system.http, system.log_in("shopper")["access"])
    assert own.json() != with_cookie.json()


@pytest.mark.case("D4")
@pytest.mark.parametrize("path", ["/api/v1/wallet", "/api/v1/stock/low"])
def test_takes_no_cookie_for_a_bearer(system, shopper, path):
    answer = shopper.get(f"{system.origin}{path}", timeout=10)

    assert (answer.status_code, answer.json()["code"]) == (401, "authentication-required")


@pytest.mark.case("D5")
@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("value", BAD)
def test_refuses_a_bad_bearer_whatever_the_cookie_says(system, shopper, path, value):
    headers = {"Authorization": value.format(token=system.aim("gateway").token)}

    answer = shopper.get(f"{system.origin}{path}", headers=headers, timeout=10)

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid-token")
