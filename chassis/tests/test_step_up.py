import time

import pytest
from chassis_urls import Careful, Public
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client
from django.urls import path
from flask.views import MethodView
from flask_site import make_app

from chassis.django.checks import check_step_up
from chassis.flask.access import UnstatedScope
from chassis.step_up import MAX_AGE_SECONDS, StepUpRequired, asks_step_up, require_fresh
from chassis.tokens import Principal

CHALLENGE = 'Bearer realm="mercato", error="insufficient_user_authentication", max_age="900"'
OLD = MAX_AGE_SECONDS + 60


def url(view):
    return type("Urls", (), {"urlpatterns": [path("view", view.as_view())]})


@pytest.fixture
def mint(forge):
    """A token of a member of staff who logged in so many seconds ago."""
    return lambda age, scope="wallet:read": forge.mint(
        "wallet", scope=scope, roles=["staff"], auth_time=int(time.time()) - age
    )


@pytest.fixture
def django(mint):
    def call(method, path, age, scope="wallet:read"):
        headers = {"Authorization": f"Bearer {mint(age, scope)}"}
        return Client().generic(method, path, headers=headers)

    return call


@pytest.fixture
def flask(mint):
    def call(method, path, age, scope="wallet:read"):
        headers = {"Host": "localhost", "Authorization": f"Bearer {mint(age, scope)}"}
        return make_app().test_client().open(path, method=method, headers=headers)

    return call


@pytest.fixture(params=["django", "flask"])
def call(request):
    return request.getfixturevalue(request.param)


def assert_asks_for_a_log_in(response):
    body = response.json() if callable(response.json) else response.json
    assert (response.status_code, body["code"]) == (401, "step-up-required")
    assert response.headers["WWW-Authenticate"] == CHALLENGE


@pytest.mark.case("K6")
def test_asks_whoever_logged_in_long_ago_to_do_it_again(call):
    assert_asks_for_a_log_in(call("POST", "/api/v1/careful", OLD))


@pytest.mark.parametrize(
    ("method", "age", "status"), [("POST", 0, 204), ("POST", 890, 204), ("GET", OLD, 200)]
)
def test_asks_nobody_else(call, method, age, status):
    assert call(method, "/api/v1/careful", age).status_code == status


@pytest.mark.case("K6")
@pytest.mark.parametrize(("method", "is_asked"), [("GET", True), ("HEAD", True), ("POST", False)])
def test_asks_for_a_head_what_it_asks_for_a_get(method, is_asked):
    view = type("Secretive", (), {"step_up": {"GET"}})

    assert asks_step_up(view, method) is is_asked


def test_asks_for_the_scope_first(call):
    response = call("POST", "/api/v1/careful", OLD, scope="wallet:write")

    assert response.status_code == 403


@pytest.mark.case("K6")
@pytest.mark.parametrize(
    ("age", "is_refused"), [(MAX_AGE_SECONDS, False), (MAX_AGE_SECONDS + 1, True), (-1, False)]
)
def test_counts_to_the_second(age, is_refused):
    principal = Principal("sub", "jti", "kid", ("wallet",), 0, 0, auth_time=1_000_000 - age)
    refused = []

    try:
        require_fresh(principal, now=1_000_000)
    except StepUpRequired as exc:
        refused.append(exc)

    assert bool(refused) is is_refused


def test_takes_no_service_for_somebody_who_logged_in():
    with pytest.raises(StepUpRequired):
        require_fresh(Principal("svc:gateway", "jti", "kid", ("wallet",), 0, 0))


@pytest.mark.case("K6")
def test_asks_for_it_before_a_write_in_the_admin_of_flask(flask):
    written = flask("POST", "/admin/wallet/", OLD, "wallet:admin")

    assert_asks_for_a_log_in(written)
    assert flask("GET", "/admin/wallet/", OLD, "wallet:admin").status_code == 200
    assert flask("POST", "/admin/wallet/", 0, "wallet:admin").status_code == 200


@pytest.mark.case("K6")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_asks_for_it_before_a_write_in_the_admin_of_django(django, method):
    assert_asks_for_a_log_in(django(method, "/admin/wallet/", OLD, "wallet:admin"))


@pytest.mark.parametrize("stated", [{"PUT"}, set(), "POST"])
def test_stops_a_django_process_that_states_it_in_vain(settings, stated):
    settings.ROOT_URLCONF = url(type("Misstated", (Careful,), {"step_up": stated}))

    with pytest.raises(SystemCheckError, match=r"chassis\.E002"):
        call_command("check")


def test_stops_a_django_process_that_asks_it_of_everyone(settings):
    settings.ROOT_URLCONF = url(type("Open", (Public,), {"step_up": True}))

    [error] = check_step_up(None)

    assert "is public" in error.msg


@pytest.mark.parametrize("stated", [{"PUT"}, set(), "POST"])
def test_makes_no_flask_application_that_states_it_in_vain(stated):
    class Misstated(MethodView):
        required_scope = "wallet:read"
        step_up = stated

        def post(self):
            return ""

    with pytest.raises(UnstatedScope, match="step-up"):
        make_app(misstated=Misstated.as_view("misstated"))


def test_finds_nothing_wrong_with_what_can_be_kept():
    assert check_step_up(None) == []
