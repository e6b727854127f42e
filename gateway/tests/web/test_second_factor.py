import json
import time

import jwt
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

from gateway.accounts import factors
from gateway.accounts.operations import save_user
from gateway.accounts.roles import GROUP_SCOPES, granted_scopes

pytestmark = pytest.mark.django_db

NOW = 1_000_000_020.0  # In the middle of a step.
STEP = int(NOW) // 30


def code_at(secret, step):
    return factors._code_at(secret, step)


def claims_of(tokens):
    return jwt.decode(tokens["access"], options={"verify_signature": False})


def recovery_codes_of(user):
    return RecoveryCodes(Authenticator.objects.get(user=user, type="recovery_codes")).generate_codes()


@pytest.fixture
def other_secret_key(settings):
    """The secrets were encrypted under a key that is gone."""

    def change(*fallbacks):
        settings.SECRET_KEY_FALLBACKS = [*fallbacks]
        settings.SECRET_KEY = "another one"
        factors._cipher.cache_clear()

    yield change
    factors._cipher.cache_clear()


@pytest.fixture
def clerk(totp_secret, password):
    return save_user(
        email="clerk@example.com", password=password, groups=["finance"], totp_secret=totp_secret
    )


@pytest.fixture
def ask(post, password):
    return lambda user, **more: post("login", email=user.email, password=password, **more)


def test_gives_admin_scopes_with_a_code(ask, clerk, otp_of):
    claims = claims_of(ask(clerk, otp=otp_of(clerk)).json())

    assert claims["amr"] == ["pwd", "otp"]
    assert claims["scope"] == "orders:read wallet:admin"


def test_keeps_them_over_a_renewal(ask, post, clerk, otp_of):
    first = ask(clerk, otp=otp_of(clerk)).json()

    claims = claims_of(post("refresh", refresh=first["refresh"]).json())

    assert (claims["amr"], claims["scope"]) == (["pwd", "otp"], "orders:read wallet:admin")


def test_gives_staff_without_a_second_factor_no_admin_scope(ask, password):
    claims = claims_of(ask(save_user(email="a@example.com", password=password, groups=["finance"])).json())

    assert (claims["amr"], claims["scope"]) == (["pwd"], "orders:read")


@pytest.mark.parametrize("group", GROUP_SCOPES)
@pytest.mark.parametrize(("amr", "is_strong"), [(["pwd"], False), (["pwd", "otp"], True), (["hwk"], True)])
def test_grants_admin_scopes_to_strong_factors_alone(group, amr, is_strong):
    scopes = granted_scopes([group], amr)

    assert scopes == {one for one in GROUP_SCOPES[group] if is_strong or not one.endswith(":admin")}


@pytest.mark.parametrize("more", [{}, {"otp": ""}])
def test_asks_for_a_code_once_the_password_is_right(ask, clerk, more):
    response = ask(clerk, **more)

    assert (response.status_code, response.json()["code"]) == (401, "otp-required")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="mercato"'
    assert "no-store" in response.headers["Cache-Control"]


def test_says_nothing_of_a_second_factor_before_that(post, clerk, shopper, otp_of):
    wrong = [
        post("login", email=email, password="wrong", otp=otp_of(clerk))
        for email in (clerk.email, shopper.email, "nobody@example.com")
    ]

    assert {answer.json()["code"] for answer in wrong} == {"wrong-credentials"}


@pytest.mark.parametrize(
    "otp", ["000000", "12345", "1234567", "abcdef", "00000000", "\u0661" * 6, "-", "0" * 32]
)
def test_refuses_a_wrong_code(ask, clerk, otp):
    response = ask(clerk, otp=otp)

    assert (response.status_code, response.json()["code"]) == (401, "wrong-otp")


def test_answers_a_used_code_as_a_wrong_one(ask, clerk, otp_of):
    code = otp_of(clerk)
    ask(clerk, otp=code)

    used, wrong = (ask(clerk, otp=otp) for otp in (code, "000000"))

    assert used.status_code == wrong.status_code == 401
    assert {**used.json(), "request_id": ""} == {**wrong.json(), "request_id": ""}


def test_lets_nobody_guess_codes_for_long(ask, clerk, otp_of):
    guesses = [ask(clerk, otp=f"{number:06}") for number in range(10)]

    late = ask(clerk, otp=otp_of(clerk))

    assert {answer.status_code for answer in guesses} == {401}
    assert (late.status_code, late.json()["code"]) == (429, "too-many-requests")


def test_counts_only_codes_that_are_wrong(ask, clerk, otp_of):
    assert {ask(clerk, otp=otp_of(clerk)).status_code for _ in range(11)} == {200}


def test_looks_at_no_code_where_there_is_no_second_factor(ask, shopper):
    assert claims_of(ask(shopper, otp="000000").json())["amr"] == ["pwd"]


def test_asks_those_with_a_passkey_alone_for_a_code_too(ask, shopper):
    Authenticator.objects.create(user=shopper, type="webauthn", data={})
    RecoveryCodes.activate(shopper)

    bare, right = ask(shopper), ask(shopper, otp=recovery_codes_of(shopper)[0])

    assert bare.json()["code"] == "otp-required"
    assert claims_of(right.json())["amr"] == ["pwd", "otp"]


@pytest.mark.parametrize(("step", "is_good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_tolerates_a_clock_that_is_one_step_off(clerk, totp_secret, step, is_good):
    found = factors.spend_otp(clerk, code_at(totp_secret, STEP + step), now=NOW)

    assert (found is not None) is is_good


@pytest.mark.parametrize("form", ["{} {}", "{}-{}", " {}{} "])
def test_takes_a_code_as_people_write_it(clerk, totp_secret, form):
    code = code_at(totp_secret, STEP)

    assert factors.spend_otp(clerk, form.format(code[:3], code[3:]), now=NOW)


def test_goes_forward_only(clerk, totp_secret):
    results = [
        factors.spend_otp(clerk, code_at(totp_secret, STEP + step), now=NOW) for step in (0, 0, -1, 1, 1)
    ]

    assert [found is not None for found in results] == [True, False, False, True, False]


def test_takes_the_code_that_confirmed_an_app_no_more(shopper, totp_secret):
    code = code_at(totp_secret, STEP)
    factors.set_totp(shopper, totp_secret, code=code, now=NOW)

    assert factors.spend_otp(shopper, code, now=NOW) is None
    assert factors.spend_otp(shopper, code_at(totp_secret, STEP + 1), now=NOW)


def test_takes_each_recovery_code_once(ask, clerk):
    first, second, *_ = recovery_codes_of(clerk)

    codes = [ask(clerk, otp=otp).status_code for otp in (first, first, second)]

    assert codes == [200, 401, 200]


def test_takes_no_code_of_somebody_else(ask, clerk, shopper, totp_secret):
    factors.set_totp(shopper, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

    codes = [code_at(totp_secret, STEP), recovery_codes_of(clerk)[0]]

    assert [factors.spend_otp(shopper, code, now=NOW) for code in codes] == [None, None]


def test_keeps_no_secret_as_it_is(clerk, totp_secret):
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))

    assert totp_secret not in kept
    assert totp_secret.lower() not in kept.lower()
    assert not any(code in kept for code in recovery_codes_of(clerk))


def test_reads_what_an_older_secret_key_has_encrypted(clerk, totp_secret, settings, other_secret_key):
    other_secret_key(settings.SECRET_KEY)

    assert factors.spend_otp(clerk, code_at(totp_secret, STEP), now=NOW)


def test_lets_nobody_in_when_the_key_is_lost_until_there_is_another_secret(
    clerk, totp_secret, other_secret_key
):
    recovery = recovery_codes_of(clerk)[0]
    other_secret_key()

    lost = [factors.spend_otp(clerk, code, now=NOW) for code in (code_at(totp_secret, STEP), recovery)]
    factors.set_totp(clerk, totp_secret)

    assert lost == [None, None]
    assert factors.spend_otp(clerk, code_at(totp_secret, STEP), now=NOW)
    assert factors.spend_otp(clerk, recovery_codes_of(clerk)[0], now=NOW)


def test_costs_a_fixed_number_of_queries(clerk, totp_secret, django_assert_num_queries):
    with django_assert_num_queries(7):  # Is there one; counted; savepoint, lock, write, release; given back.
        factors.prove(user=clerk, otp=code_at(totp_secret, int(time.time()) // 30))
