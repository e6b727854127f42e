import time

import jwt
import pytest
from django.db.models.functions import Now
from rest_framework.test import APIClient

from gateway.accounts.operations import save_user
from gateway.tokens.models import RefreshFamily

pytestmark = pytest.mark.django_db


@pytest.fixture
def bearer(log_in, shopper):
    return log_in(shopper)["access"]


@pytest.fixture
def forged(forge, shopper, bearer):
    """A bearer of the shopper's session with any claim changed."""
    good = {"sub": str(shopper.public_id), "sid": claims_of(bearer)["sid"], "scope": "wallet:read"}
    return lambda **claims: forge.mint("gateway", **good | claims)


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_addresses_the_token_to_that_service_alone(ask, bearer, read_token):
    answer = ask(bearer, "wallet")

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json().keys() == {"token", "exp", "sub"}
    assert read_token(answer.json()["token"], "wallet").audience == ("wallet",)


def test_cuts_the_scopes_and_keeps_who_it_is(ask, bearer):
    before = claims_of(bearer)

    after = claims_of(ask(bearer, "wallet").json()["token"])

    kept = ("iss", "sub", "sid", "client_id", "roles", "auth_time", "amr", "token_type")
    assert after["scope"] == "wallet:read wallet:write"
    assert [after[name] for name in kept] == [before[name] for name in kept]
    assert after["jti"] != before["jti"]


@pytest.mark.parametrize(
    ("audience", "scope"),
    [
        ("wallet", "wallet:admin"),
        ("catalog_category", "catalog:read"),
        ("catalog_product", "catalog:read"),
        ("catalog_variant", "catalog:read stock:read"),
        ("banner", "banner:admin"),
    ],
)
def test_gives_each_service_its_own_scopes(ask, forged, audience, scope):
    wide = "banner:admin catalog:read orders:admin stock:read wallet:admin"

    token = ask(forged(scope=wide), audience).json()["token"]

    assert claims_of(token)["scope"] == scope


def test_lives_two_minutes(ask, bearer):
    answer = ask(bearer).json()

    assert answer["exp"] == claims_of(answer["token"])["exp"]
    assert answer["exp"] == pytest.approx(time.time() + 120, abs=3)


def test_never_outlives_the_bearer(ask, forged):
    exp = int(time.time()) + 30

    assert ask(forged(exp=exp)).json()["exp"] == exp


def test_stays_below_a_kilobyte_for_the_one_who_may_everything(ask, log_in, make_user):
    everything = log_in(make_user(groups=["superuser"]))["access"]

    assert len(ask(everything, "catalog_variant").json()["token"]) < 1024


def test_refuses_when_nothing_of_the_bearer_concerns_the_service(ask, bearer):
    answer = ask(bearer, "banner")

    assert answer.status_code == 403
    assert answer.json()["code"] == "insufficient-scope"


def test_refuses_a_bearer_in_its_leeway(ask, forged):
    now = int(time.time())

    answer = ask(forged(iat=now - 60, nbf=now - 60, auth_time=now - 60, exp=now - 1))

    assert answer.status_code == 401


@pytest.mark.case("B14")
@pytest.mark.parametrize("change", ["deactivate", "delete"])
def test_refuses_once_the_user_is_gone(ask, bearer, shopper, change):
    {"deactivate": lambda: type(shopper).objects.update(is_active=False), "delete": shopper.delete}[change]()

    answer = ask(bearer)

    assert answer.status_code == 401
    assert answer.json()["code"] == "invalid-token"


@pytest.mark.case("B13")
def test_refuses_once_the_session_has_ended(ask, log_in, post, shopper):
    tokens = log_in(shopper)
    post("logout", refresh=tokens["refresh"])

    assert ask(tokens["access"]).status_code == 401


@pytest.mark.case("B13")
@pytest.mark.parametrize("change", [{"password": "another long passphrase"}, {"groups": ["finance"]}])
def test_refuses_a_session_from_before_a_change_of_the_account(ask, bearer, shopper, password, change):
    save_user(**{"email": shopper.email, "password": password, "groups": ["customer"]} | change)

    assert ask(bearer).status_code == 401


@pytest.mark.parametrize("sid", ["01a2069f-acaf-70e0-ba1f-d00f888d76d7", "not-a-session"])
def test_refuses_a_session_that_never_was(ask, forged, sid):
    assert ask(forged(sid=sid)).status_code == 401


def test_refuses_a_session_past_its_absolute_end(ask, bearer):
    RefreshFamily.objects.update(absolute_expires_at=Now())

    assert ask(bearer).status_code == 401


@pytest.mark.case("B14")
def test_refuses_a_user_that_never_was(ask, forged):
    assert ask(forged(sub="01a2069f-acaf-70e0-ba1f-d00f888d76d7")).status_code == 401


def test_refuses_a_token_for_someone_else(ask, forge, shopper):
    token = forge.mint("wallet", sub=str(shopper.public_id), scope="wallet:read")

    assert ask(token).status_code == 401


def test_refuses_a_forwarded_token(ask, bearer):
    forwarded = ask(bearer).json()["token"]

    assert ask(forwarded).status_code == 401


def test_refuses_a_service_that_poses_as_a_client(ask, forge):
    claims = forge.service_claims("gateway", "svc:catalog_variant", "catalog:exists")

    answer = ask(forge.sign(claims, key=forge.service_key("catalog_variant")))

    assert answer.status_code == 401


@pytest.mark.case("B9")
def test_refuses_a_refresh_token(ask, log_in, shopper):
    assert ask(log_in(shopper)["refresh"]).status_code == 401


@pytest.mark.parametrize("bearer", [None, 1, [], {}, "", "x" * 4097, "\x00"])
def test_refuses_malformed_input(ask, bearer):
    assert ask(bearer).status_code == 400


@pytest.mark.parametrize("audience", ["edge", "walle", "", None, ["wallet"], {"a": 1}, True])
def test_refuses_an_audience_that_is_no_service(ask, bearer, audience):
    assert ask(bearer, audience).status_code == 400


@pytest.mark.parametrize("key", [None, "", "wrong", "x" * 44, "é"])
def test_is_not_there_for_anyone_but_the_edge(bearer, key):
    client = APIClient()
    if key is not None:
        client.credentials(HTTP_X_EDGE_KEY=key)

    response = client.post("/internal/token", {"bearer": bearer, "audience": "wallet"}, format="json")

    assert response.status_code == 404
    assert response.json()["code"] == "not-found"


def test_keeps_the_number_of_queries(ask, bearer, django_assert_num_queries):
    with django_assert_num_queries(1):
        ask(bearer)
