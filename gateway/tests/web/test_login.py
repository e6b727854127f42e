import base64
import json
from statistics import median
from time import thread_time

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.limits.models import Counter
from gateway.tokens.models import RefreshFamily

pytestmark = pytest.mark.django_db

SERVICES = ["wallet", "catalog_category", "catalog_product", "catalog_variant", "banner"]


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_gives_a_pair_of_tokens(post, shopper, password):
    response = post("login", email=shopper.email, password=password)

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json().keys() == {"access", "refresh", "token_type", "expires_in", "scope"}
    assert response.json()["token_type"] == "Bearer"
    assert response.json()["expires_in"] == 300


@pytest.mark.parametrize("audience", ["gateway", *SERVICES])
def test_gives_an_access_token_that_each_service_verifies(log_in, shopper, read_token, audience):
    tokens = log_in(shopper)

    principal = read_token(tokens["access"], audience)

    assert principal.sub == str(shopper.public_id)
    assert "wallet:read" in principal.scopes
    assert principal.roles == ("customer",)


def test_says_nothing_about_the_person_in_a_token(log_in, shopper):
    tokens = log_in(shopper)

    header = jwt.get_unverified_header(tokens["access"])
    claims = claims_of(tokens["access"])

    assert header.keys() == {"alg", "kid", "typ"}
    assert claims.keys() == {
        *("iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "jti", "sid", "scope", "roles"),
        *("auth_time", "amr", "token_type"),
    }
    assert shopper.email not in json.dumps(claims)


def test_gives_a_refresh_token_of_its_own_kind(log_in, shopper):
    tokens = log_in(shopper)

    header = jwt.get_unverified_header(tokens["refresh"])
    claims = claims_of(tokens["refresh"])

    assert header["typ"] == "rt+jwt"
    assert claims["exp"] - claims["iat"] == 7 * 86_400
    assert claims["sid"] == claims_of(tokens["access"])["sid"]


def test_addresses_the_token_to_the_gateway_alone_when_told_to(log_in, shopper, settings):
    settings.LOGIN_AUDIENCE = "gateway"

    tokens = log_in(shopper)

    assert claims_of(tokens["access"])["aud"] == "gateway"


def test_gives_staff_the_role_and_the_scopes_of_their_groups(log_in, make_user):
    clerk = make_user(groups=["finance", "marketing"])

    claims = claims_of(log_in(clerk)["access"])

    assert claims["roles"] == ["finance", "marketing", "staff"]
    assert claims["scope"] == "banner:admin banner:read banner:write orders:read wallet:admin"


def test_gives_less_when_asked_for_less(log_in, shopper):
    tokens = log_in(shopper, scope="wallet:read wallet:admin")

    assert tokens["scope"] == "wallet:read"


def test_refuses_a_wish_of_which_nothing_can_be_granted(post, shopper, password):
    response = post("login", email=shopper.email, password=password, scope="wallet:admin")

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "#/scope"
    assert not RefreshFamily.objects.exists()


def test_ignores_the_case_of_the_email(post, shopper, password):
    response = post("login", email=shopper.email.upper(), password=password)

    assert response.status_code == 200


def test_reads_no_authorization_header(anonymous, shopper, password):
    anonymous.credentials(HTTP_AUTHORIZATION="Bearer expired.or.worse")

    response = anonymous.post(
        "/api/v1/auth/login", {"email": shopper.email, "password": password}, format="json"
    )

    assert response.status_code == 200


@pytest.fixture
def refusals(post, shopper, make_user, password):
    """Ways to be refused that must not be told apart."""
    inactive = make_user(is_active=False)
    return {
        "unknown": lambda: post("login", email="nobody@example.com", password=password),
        "wrong": lambda: post("login", email=shopper.email, password=password + "!"),
        "inactive": lambda: post("login", email=inactive.email, password=password),
    }


@pytest.mark.case("I1")
@pytest.mark.parametrize("reason", ["unknown", "wrong", "inactive"])
def test_refuses_in_the_same_words_whatever_the_reason(refusals, reason):
    response = refusals[reason]()

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="mercato"'
    assert {k: v for k, v in response.json().items() if k != "request_id"} == {
        "type": "/problems/wrong-credentials",
        "title": "The e-mail or the password is wrong",
        "status": 401,
        "code": "wrong-credentials",
    }


@pytest.mark.case("I1")
def test_refuses_after_the_same_work_whatever_the_reason(refusals):
    # CPU time of this thread, interleaved, so that whatever else the machine does falls on all alike.
    for refuse in refusals.values():
        refuse()
    rounds = [{reason: seconds(refuse) for reason, refuse in refusals.items()} for _ in range(25)]

    medians = [median(one[reason] for one in rounds) for reason in refusals]

    # A path that skipped the hashing would cost a tenth; what is left is the noise of a busy machine.
    assert max(medians) < min(medians) * 1.5


def seconds(action):
    Counter.objects.all().delete()
    started = thread_time()
    action()
    return thread_time() - started


@pytest.mark.case("I5", "I6")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe{}",
        b'{"email": NaN, "password": "x"}',
        b'{"email": "a@example.com", "password": "x", "password": "y"}',
        b'{"email": "a@example.com"}',
        b'{"email": "a@example.com", "password": ""}',
        b'{"email": "a@example.com", "password": null}',
        b'{"email": "a@example.com", "password": 12345678}',
        b'{"email": "a@example.com", "password": true}',
        b'{"email": "a@example.com", "password": ["x"]}',
        b'{"email": {"$ne": ""}, "password": "x"}',
        b'{"email": "a@example.com", "password": "a\\u0000b"}',
        b'{"email": "a\\u0000@example.com", "password": "x"}',
        b'{"email": "a@example.com", "password": "\\ud800"}',
        b'{"email": "a@example.com", "password": "x", "scope": ["wallet:read"]}',
        b'{"email": ' + b"[" * 8000 + b"]" * 8000 + b"}",
        b'{"email": ' + b"1" * 8000 + b"}",
        b'{"email": "a@example.com", "password": "' + b"x" * 1025 + b'"}',
    ],
)
def test_refuses_malformed_input(anonymous, body):
    response = anonymous.post("/api/v1/auth/login", body, content_type="application/json")

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] in {"malformed-request", "invalid-input"}


@pytest.mark.case("I5")
def test_refuses_a_body_that_is_too_large(post, shopper):
    response = post("login", email=shopper.email, password="x" * 1_000_000)

    assert response.status_code == 413
    assert response.json()["code"] == "content-too-large"


@pytest.mark.case("I6")
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_refuses_what_is_not_called_json(anonymous, content_type):
    response = anonymous.post("/api/v1/auth/login", b"{}", content_type=content_type)

    assert response.status_code == 415
    assert response.json()["code"] == "unsupported-media-type"


def test_refuses_other_methods(anonymous):
    response = anonymous.get("/api/v1/auth/login")

    assert response.status_code == 405
    assert response.json()["code"] == "method-not-allowed"


@pytest.mark.case("I5")
def test_takes_a_long_passphrase_with_spaces_as_it_is(post, make_user):
    passphrase = "  " + "äöü and more " * 20 + "  "
    user = make_user()
    user.set_password(passphrase)
    user.save(update_fields=["password"])

    assert post("login", email=user.email, password=passphrase).status_code == 200
    assert post("login", email=user.email, password=passphrase.strip()).status_code == 401


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(email=ANY_JSON, password=ANY_JSON, scope=ANY_JSON)
def test_answers_any_json_with_a_refusal(post_raw, email, password, scope):
    body = json.dumps({"email": email, "password": password, "scope": scope}).encode()

    assert post_raw(body).status_code in {400, 401}


@pytest.fixture
def post_raw(anonymous):
    return lambda body: anonymous.post("/api/v1/auth/login", body, content_type="application/json")


def test_keeps_the_number_of_queries(post, shopper, password, django_assert_num_queries):
    # User, count, count given back, second factors, groups, savepoint, user under a lock, family, token,
    # device, release.
    with django_assert_num_queries(11):
        post("login", email=shopper.email, password=password)
    # The device is known for today.
    with django_assert_num_queries(10):
        post("login", email=shopper.email, password=password)


def test_remembers_where_a_session_came_from(anonymous, shopper, password):
    anonymous.post(
        "/api/v1/auth/login",
        {"email": shopper.email, "password": password},
        format="json",
        headers={"User-Agent": "curl/8"},
        REMOTE_ADDR="203.0.113.77",
    )

    family = RefreshFamily.objects.get(user=shopper)
    assert family.user_agent == "curl/8"
    assert family.ip_prefix == "203.0.113.0/24"


def test_signs_with_the_gateways_access_key(log_in, shopper, forge):
    header = log_in(shopper)["access"].split(".")[0]

    decoded = json.loads(base64.urlsafe_b64decode(header + "=="))

    assert decoded == {"alg": "ES256", "kid": forge.access.kid, "typ": "at+jwt"}
