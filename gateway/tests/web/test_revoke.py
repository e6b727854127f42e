"""RFC 7009: a token that is revoked ends its session, and one that means nothing changes nothing."""

import jwt
import pytest

from gateway.tokens.models import RefreshFamily

pytestmark = pytest.mark.django_db


@pytest.fixture
def revoke(post):
    return lambda token: post("revoke", token=token)


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_ends_the_session_of_a_token(log_in, revoke, post, shopper, kind):
    tokens, others = log_in(shopper), log_in(shopper)

    response = revoke(tokens[kind])

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Cache-Control"] == "no-store"
    assert post("refresh", refresh=tokens["refresh"]).status_code == 401
    assert post("refresh", refresh=others["refresh"]).status_code == 200


def test_ends_it_by_a_token_that_was_rotated(log_in, revoke, post, shopper):
    first = log_in(shopper)
    second = post("refresh", refresh=first["refresh"]).json()

    revoke(first["refresh"])

    assert post("refresh", refresh=second["refresh"]).status_code == 401


def test_can_be_repeated(log_in, revoke, shopper):
    tokens = log_in(shopper)
    revoke(tokens["refresh"])

    assert revoke(tokens["refresh"]).status_code == 200


@pytest.mark.parametrize("token", ["a.b.c", "", "x" * 4096, "eyJ"])
def test_says_the_same_of_what_is_no_token(revoke, token):
    assert revoke(token).status_code == (200 if token else 400)


def test_ends_nothing_by_a_token_for_a_service(log_in, revoke, ask, shopper):
    forwarded = ask(log_in(shopper)["access"]).json()["token"]

    assert revoke(forwarded).status_code == 200
    assert not RefreshFamily.objects.exclude(revoked_at=None).exists()


def test_ends_nothing_by_the_token_of_a_service_itself(log_in, revoke, shopper, forge):
    log_in(shopper)
    claims = forge.service_claims("gateway", "svc:catalog_variant", "listings:write")

    assert revoke(forge.sign(claims, key=forge.service_key("catalog_variant"))).status_code == 200
    assert not RefreshFamily.objects.exclude(revoked_at=None).exists()


@pytest.mark.case("J8")
@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_ends_nothing_by_a_token_moved_to_another_session(log_in, revoke, shopper, make_user, forge, kind):
    victim = jwt.decode(log_in(shopper)[kind], options={"verify_signature": False})
    own = jwt.decode(log_in(make_user())[kind], options={"verify_signature": False})
    key, typ = {"access": (forge.access, "at+jwt"), "refresh": (forge.refresh, "rt+jwt")}[kind]

    revoke(forge.sign(own | {"sid": victim["sid"]}, key=key, header={"typ": typ}))

    assert not RefreshFamily.objects.exclude(revoked_at=None).exists()


@pytest.mark.parametrize("body", [{}, {"token": 1}, {"token": ["x"]}, {"token": "x" * 4097}])
def test_refuses_malformed_input(post, body):
    assert post("revoke", **body).status_code == 400


FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def send(anonymous):
    """Posts a form as it is written."""
    return lambda body, kind=FORM: anonymous.generic("POST", "/api/v1/auth/revoke", body, content_type=kind)


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=UTF-8"])
@pytest.mark.parametrize("more", ["", "&token_type_hint=access_token", "&client_id=api&token_type_hint=foo"])
def test_takes_the_form_of_the_rfc(log_in, send, post, shopper, kind, more):
    tokens = log_in(shopper)

    response = send(f"token={tokens['refresh']}{more}", kind)

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Cache-Control"] == "no-store"
    assert post("refresh", refresh=tokens["refresh"]).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        *("", "token", "token=", "tokens=a.b.c", "token_type_hint=x", "=a.b.c", '{"token": "a.b.c"}'),
        *("token=a.b.c&token=a.b.c", "token=&token=a.b.c", "token=a.b.c&token_type_hint=x&token_type_hint=x"),
        *("token=a.b.c&", "token=a.b.c&x", "token=%ff", "token=%ed%a0%80", "token=a%00b"),
        *("token=" + "x" * 4097, "&".join(["token=a.b.c", *(f"x{n}=" for n in range(16))])),
    ],
)
def test_refuses_a_malformed_form(send, body):
    assert send(body).status_code == 400


def test_refuses_a_form_that_is_not_text(send):
    assert send(b"token=\xff").status_code == 400


def test_refuses_a_large_form(send):
    assert send("token=a.b.c&x=" + "x" * 16 * 1024).status_code == 413


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", "application/xml"])
def test_refuses_any_other_type(send, kind):
    assert send("token=a.b.c", kind).status_code == 415


@pytest.mark.parametrize("name", ["login", "refresh", "logout", "logout-all"])
def test_is_alone_in_taking_a_form(anonymous, name):
    answer = anonymous.generic("POST", f"/api/v1/auth/{name}", "refresh=a.b.c", content_type=FORM)

    assert answer.status_code == 415


def test_keeps_the_number_of_queries(log_in, revoke, shopper, django_assert_num_queries):
    tokens = log_in(shopper)

    # Savepoint, family, revocation, release.
    with django_assert_num_queries(4):
        revoke(tokens["access"])
