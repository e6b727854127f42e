import jwt
import pytest
from django.utils import timezone

from gateway.accounts.models import User
from gateway.tokens.models import RefreshFamily

pytestmark = pytest.mark.django_db


@pytest.fixture
def log_out_everywhere(post):
    return lambda token: post("logout-all", refresh=token)


def assert_refused(response):
    assert (response.status_code, response.json()["code"]) == (401, "invalid-token")
    assert response.headers["Cache-Control"] == "no-store"


def test_ends_every_session_of_api_clients(log_in, log_out_everywhere, post, shopper):
    tokens, others = log_in(shopper), log_in(shopper)

    response = log_out_everywhere(tokens["refresh"])

    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Cache-Control"] == "no-store"
    assert post("refresh", refresh=tokens["refresh"]).status_code == 401
    assert post("refresh", refresh=others["refresh"]).status_code == 401
    assert set(RefreshFamily.objects.values_list("revoked_because", flat=True)) == {"logout"}


def test_ends_every_session_of_browsers(log_in, log_out_everywhere, browse_as, shopper):
    browser = browse_as(shopper)
    assert browser.get("/account").status_code == 200

    log_out_everywhere(log_in(shopper)["refresh"])

    assert browser.get("/account").status_code == 302


def test_gets_no_more_tokens_for_services(log_in, log_out_everywhere, ask, shopper):
    tokens, others = log_in(shopper), log_in(shopper)

    log_out_everywhere(tokens["refresh"])

    assert ask(others["access"]).status_code == 401


def test_leaves_other_users_alone(log_in, log_out_everywhere, post, shopper, make_user):
    others = log_in(make_user())

    log_out_everywhere(log_in(shopper)["refresh"])

    assert post("refresh", refresh=others["refresh"]).status_code == 200


def test_lets_the_user_log_in_again(log_in, log_out_everywhere, post, shopper):
    log_out_everywhere(log_in(shopper)["refresh"])

    assert post("refresh", refresh=log_in(shopper)["refresh"]).status_code == 200


@pytest.mark.case("J8")
def test_refuses_an_older_token_of_the_session(log_in, log_out_everywhere, post, shopper):
    first, others = log_in(shopper), log_in(shopper)
    post("refresh", refresh=first["refresh"])

    assert_refused(log_out_everywhere(first["refresh"]))
    assert post("refresh", refresh=others["refresh"]).status_code == 200


@pytest.mark.case("J8")
def test_refuses_a_token_of_a_session_that_has_ended(log_in, log_out_everywhere, post, shopper):
    ended, others = log_in(shopper), log_in(shopper)
    post("logout", refresh=ended["refresh"])

    assert_refused(log_out_everywhere(ended["refresh"]))
    assert post("refresh", refresh=others["refresh"]).status_code == 200


@pytest.mark.case("J8")
def test_refuses_a_token_that_names_somebody_else(log_in, log_out_everywhere, shopper, make_user, forge):
    victim = jwt.decode(log_in(shopper)["refresh"], options={"verify_signature": False})
    own = jwt.decode(log_in(make_user())["refresh"], options={"verify_signature": False})
    moved = forge.sign(own | {"sub": victim["sub"]}, key=forge.refresh, header={"typ": "rt+jwt"})

    assert_refused(log_out_everywhere(moved))
    assert not RefreshFamily.objects.exclude(revoked_at=None).exists()


@pytest.mark.parametrize("change", [{"is_active": False}, {"credentials_changed_at": timezone.now}], ids=str)
def test_refuses_who_has_lost_the_session(log_in, log_out_everywhere, shopper, change):
    tokens = log_in(shopper)
    User.objects.update(**{name: value() if callable(value) else value for name, value in change.items()})

    assert_refused(log_out_everywhere(tokens["refresh"]))


@pytest.mark.parametrize("kind", ["access", "nonsense"])
def test_refuses_what_is_no_refresh_token(log_in, log_out_everywhere, shopper, kind):
    tokens = log_in(shopper) | {"nonsense": "a.b.c"}

    assert_refused(log_out_everywhere(tokens[kind]))


def test_refuses_malformed_input(log_out_everywhere):
    assert log_out_everywhere(["x"]).status_code == 400


def test_keeps_the_number_of_queries(
    log_in, log_out_everywhere, browse_as, shopper, django_assert_num_queries
):
    tokens = [log_in(shopper) for _ in range(3)]
    browse_as(shopper)

    with django_assert_num_queries(17):
        log_out_everywhere(tokens[0]["refresh"])
