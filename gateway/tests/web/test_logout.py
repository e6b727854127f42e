import jwt
import pytest

from gateway.tokens.models import RefreshFamily

pytestmark = pytest.mark.django_db


@pytest.fixture
def log_out(post):
    return lambda token: post("logout", refresh=token)


def test_ends_the_session(log_in, log_out, post, shopper):
    tokens = log_in(shopper)

    response = log_out(tokens["refresh"])

    assert response.status_code == 204
    assert response.content == b""
    assert response.headers["Cache-Control"] == "no-store"
    assert RefreshFamily.objects.get().revoked_because == "logout"
    assert post("refresh", refresh=tokens["refresh"]).status_code == 401


@pytest.mark.case("J3")
def test_ends_the_session_by_any_of_its_tokens(log_in, log_out, post, shopper):
    first = log_in(shopper)
    second = post("refresh", refresh=first["refresh"]).json()

    log_out(first["refresh"])

    assert post("refresh", refresh=second["refresh"]).status_code == 401


def test_can_be_repeated(log_in, log_out, shopper):
    tokens = log_in(shopper)
    log_out(tokens["refresh"])

    assert log_out(tokens["refresh"]).status_code == 204


def test_leaves_the_other_sessions_of_the_user_alone(log_in, log_out, post, shopper):
    tokens, others = log_in(shopper), log_in(shopper)

    log_out(tokens["refresh"])

    assert post("refresh", refresh=others["refresh"]).status_code == 200


@pytest.mark.case("J8")
def test_refuses_a_token_moved_to_someone_elses_session(log_in, log_out, shopper, make_user, forge):
    victim = jwt.decode(log_in(shopper)["refresh"], options={"verify_signature": False})
    own = jwt.decode(log_in(make_user())["refresh"], options={"verify_signature": False})
    stolen = forge.sign(victim | {"sub": own["sub"]}, key=forge.refresh, header={"typ": "rt+jwt"})

    log_out(stolen)

    assert not RefreshFamily.objects.exclude(revoked_at=None).exists()


@pytest.mark.parametrize("kind", ["access", "nonsense"])
def test_refuses_what_is_no_refresh_token(log_in, log_out, shopper, kind):
    tokens = log_in(shopper) | {"nonsense": "a.b.c"}

    response = log_out(tokens[kind])

    assert response.status_code == 401
    assert response.json()["code"] == "invalid-token"


def test_refuses_malformed_input(log_out):
    assert log_out(["x"]).status_code == 400


def test_keeps_the_number_of_queries(log_in, log_out, shopper, django_assert_num_queries):
    tokens = log_in(shopper)

    # Savepoint, family, revocation, release.
    with django_assert_num_queries(4):
        log_out(tokens["refresh"])
