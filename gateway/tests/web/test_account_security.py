import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from gateway.accounts import operations
from gateway.accounts.models import StoredSession
from gateway.accounts.session_store import SessionStore
from gateway.tokens.models import Revocation

pytestmark = pytest.mark.django_db

APP = "/account/security/app/"
CODES = "/account/security/codes/"
REAUTHENTICATE = "/account/reauthenticate/"


def code_for(secret, *, steps=1):
    # The next one by default: it comes after the one before, and is still good when the clock moves on.
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def wrong(code):
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def secret_on(page):
    return re.search(r"<code>([A-Z2-7 ]+)</code>", page.content.decode())[1].replace(" ", "")


def codes_on(page):
    return re.findall(r"<code>([0-9]{8})</code>", page.content.decode())


def session_of(browser, cookie_of):
    return SessionStore(cookie_of(browser))


@pytest.fixture
def grow_old(cookie_of):
    """Lets the proof of a browser's session be of six minutes ago."""

    def age(browser):
        store = SessionStore(cookie_of(browser))
        store["auth_time"] -= 360
        store.save()

    return age


@pytest.fixture
def set_up(browse_as):
    """A user's browser after an authenticator app was set up in it: the browser, the secret, the codes."""

    def begin(user):
        browser = browse_as(user, with_otp=False)
        secret = secret_on(browser.get(APP))
        begin.code = code_for(secret, steps=0)
        answer = browser.post(APP, {"code": begin.code})
        assert answer.status_code == 200
        return browser, secret, codes_on(answer)

    return begin


@pytest.fixture
def second_step(set_up, shopper, password):
    """A new browser whose password was right: the browser, the secret, the recovery codes."""
    _, secret, codes = set_up(shopper)
    other = Client(headers={"Accept": "text/html"})
    answer = other.post("/account/login/", {"login": shopper.email, "password": password, "next": "/wallet"})
    assert answer.headers["Location"].startswith("/account/login/code/")
    return other, secret, codes


def change_password_of(user):
    operations.change_password(user=user, password="a long and unlikely phrase")


def void_sessions_of(user):
    operations.void_sessions(user=user)


def is_logged_in(browser):
    return browser.get("/account/password/change/").status_code == 200


def test_sets_up_an_app_and_shows_ten_codes_once(set_up, shopper):
    browser, _, codes = set_up(shopper)

    assert len(set(codes)) == 10
    assert "10 left" in browser.get("/account/security/").content.decode()
    assert not [code for code in codes if code in browser.get("/account/security/").content.decode()]


def test_takes_no_app_that_shows_another_code(browse_as, shopper):
    browser = browse_as(shopper)
    secret = secret_on(browser.get(APP))

    answer = browser.post(APP, {"code": wrong(code_for(secret))})

    assert "not the code that the app shows" in answer.content.decode()
    assert secret_on(answer) == secret
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("code", ["", "x", "1" * 17, "\x00", "é"])
def test_takes_no_nonsense_for_a_code(browse_as, shopper, code):
    browser = browse_as(shopper)
    browser.get(APP)

    assert browser.post(APP, {"code": code}).status_code == 200
    assert not Authenticator.objects.exists()


def test_takes_no_code_for_a_secret_that_was_never_shown(browse_as, shopper):
    browse_as(shopper).post(APP, {"code": "000000"})

    assert not Authenticator.objects.exists()


def test_keeps_no_secret_of_an_app_in_the_database(browse_as, shopper):
    browser = browse_as(shopper)
    secret = secret_on(browser.get(APP))
    pending = b"".join(bytes(row.data) for row in StoredSession.objects.all())

    browser.post(APP, {"code": code_for(secret)})

    assert secret.encode() not in pending
    assert secret not in str(list(Authenticator.objects.values()))


def test_shows_the_secret_in_a_picture_that_the_content_policy_allows(browse_as, shopper):
    answer = browse_as(shopper).get(APP)

    assert 'src="data:image/svg+xml;base64,' in answer.content.decode()
    assert "img-src 'self' data:" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", answer.content.decode())


@pytest.mark.case("H1")
def test_gives_the_session_another_key_with_a_second_factor(browse_as, cookie_of, shopper):
    browser = browse_as(shopper)
    before = cookie_of(browser)
    secret = secret_on(browser.get(APP))

    browser.post(APP, {"code": code_for(secret)})

    assert cookie_of(browser) != before
    assert not SessionStore(before).items()
    assert is_logged_in(browser)


def test_opens_the_admins_in_the_session_in_which_it_was_set_up(
    set_up, make_user, cookie_of, ask_with_cookie
):
    browser, _, _ = set_up(make_user(groups=["finance"]))

    assert session_of(browser, cookie_of)["amr"] == ["pwd", "otp"]
    assert ask_with_cookie(cookie_of(browser)).status_code == 200


def test_gives_staff_without_a_second_factor_no_admin(browse_as, make_user, cookie_of, ask_with_cookie):
    browser = browse_as(make_user(groups=["finance"]), with_otp=False)

    assert ask_with_cookie(cookie_of(browser)).status_code == 403
    assert "needs a second factor" in browser.get("/account/security/").content.decode()


def test_leads_staff_who_have_a_second_factor_to_show_it(set_up, make_user, cookie_of):
    browser, secret, _ = set_up(make_user(groups=["finance"]))
    store = session_of(browser, cookie_of)
    store["amr"] = ["pwd"]
    store.save()
    assert "password alone" in browser.get("/account/security/").content.decode()

    browser.post(REAUTHENTICATE, {"code": code_for(secret)})

    assert "password alone" not in browser.get("/account/security/").content.decode()


def test_asks_for_a_code_after_the_password(second_step):
    browser, secret, _ = second_step
    assert not is_logged_in(browser)

    answer = browser.post("/account/login/code/", {"code": code_for(secret)})

    assert answer.headers["Location"] == "/wallet"
    assert is_logged_in(browser)


def test_says_how_it_was_logged_in(second_step, cookie_of):
    browser, secret, _ = second_step

    browser.post("/account/login/code/", {"code": code_for(secret)})

    assert session_of(browser, cookie_of)["amr"] == ["pwd", "otp"]


def test_takes_a_recovery_code_once(second_step, shopper, password):
    browser, _, codes = second_step
    browser.post("/account/login/code/", {"code": codes[3]})
    assert is_logged_in(browser)

    again = Client(headers={"Accept": "text/html"})
    again.post("/account/login/", {"login": shopper.email, "password": password})
    again.post("/account/login/code/", {"code": codes[3]})

    assert not is_logged_in(again)
    assert "9 left" in browser.get("/account/security/").content.decode()


def test_takes_a_code_once_whoever_shows_it(second_step, shopper, password):
    browser, secret, _ = second_step
    code = code_for(secret)
    browser.post("/account/login/code/", {"code": code})

    again = Client(headers={"Accept": "text/html"})
    again.post("/account/login/", {"login": shopper.email, "password": password})
    answer = again.post("/account/login/code/", {"code": code})

    assert "used before" in answer.content.decode()
    assert not is_logged_in(again)


def test_takes_the_code_by_which_the_app_was_set_up_no_second_time(second_step, set_up):
    browser, _, _ = second_step

    browser.post("/account/login/code/", {"code": set_up.code})

    assert not is_logged_in(browser)


@pytest.mark.parametrize("code", ["", None, "00000000", "abc", "1" * 17, "٣٣٣٣٣٣", "\x00"])
def test_takes_no_code_that_is_not_one(second_step, code):
    browser, secret, _ = second_step
    code = wrong(code_for(secret)) if code is None else code

    assert browser.post("/account/login/code/", {"code": code}).status_code == 200
    assert not is_logged_in(browser)


@pytest.mark.case("I2")
def test_lets_nobody_guess_codes_for_long(second_step):
    browser, secret, _ = second_step
    for _ in range(10):
        assert browser.post("/account/login/code/", {"code": wrong(code_for(secret))}).status_code == 200

    refused = browser.post("/account/login/code/", {"code": code_for(secret)})

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) <= 900
    assert not is_logged_in(browser)


def test_leads_whoever_has_no_password_right_away_from_the_second_step(browser):
    assert browser.get("/account/login/code/").headers["Location"] == "/account/login/"
    assert browser.post("/account/login/code/", {"code": "123456"}).headers["Location"] == "/account/login/"


def test_leads_whoever_is_logged_in_away_from_the_second_step(browse_as, shopper):
    assert browse_as(shopper).get("/account/login/code/").status_code == 302


def test_can_begin_a_log_in_again(second_step):
    browser, secret, _ = second_step

    browser.post("/account/logout/")

    browser.post("/account/login/code/", {"code": code_for(secret)})
    assert not is_logged_in(browser)


def test_has_nothing_inline_in_the_second_step(second_step):
    page = second_step[0].get("/account/login/code/").content.decode()

    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)|eyJ", page)


NEEDS_PROOF = [
    ("get", APP),
    ("post", APP),
    ("post", "/account/security/app/remove/"),
    ("post", CODES),
    ("get", "/account/passkeys/add/"),
    ("post", "/account/passkeys/add/"),
    ("post", "/account/passkeys/add/challenge/"),
    ("get", "/account/passkeys/018f0000-0000-7000-8000-000000000000/"),
    ("post", "/account/passkeys/018f0000-0000-7000-8000-000000000000/"),
]


@pytest.mark.parametrize(("method", "path"), NEEDS_PROOF)
def test_asks_who_it_is_before_a_second_factor_is_changed(browse_as, shopper, grow_old, method, path):
    browser = browse_as(shopper)
    grow_old(browser)

    answer = getattr(browser, method)(path)

    back = path if method == "get" else "/account/security/"
    assert answer.headers["Location"] == f"{REAUTHENTICATE}?next={back}"


@pytest.mark.parametrize(("method", "path"), NEEDS_PROOF)
def test_shows_strangers_nothing_of_it(browser, method, path):
    assert getattr(browser, method)(path).headers["Location"].startswith("/account/login/")


def test_goes_on_after_a_proof(browse_as, shopper, grow_old, password):
    browser = browse_as(shopper)
    grow_old(browser)

    answer = browser.post(REAUTHENTICATE, {"password": password, "next": APP})

    assert answer.headers["Location"] == APP
    assert browser.get(APP).status_code == 200


@pytest.mark.case("H1")
def test_counts_a_proof_from_now_under_another_key(browse_as, shopper, grow_old, password, cookie_of):
    browser = browse_as(shopper)
    grow_old(browser)
    before = cookie_of(browser)

    browser.post(REAUTHENTICATE, {"password": password})

    assert session_of(browser, cookie_of)["auth_time"] == pytest.approx(time.time(), abs=3)
    assert cookie_of(browser) != before
    assert not SessionStore(before).items()


@pytest.mark.parametrize("sent", [{"password": "wrong"}, {"password": ""}, {"code": "000000"}, {}])
def test_takes_nothing_else_for_a_proof(browse_as, shopper, grow_old, cookie_of, sent):
    browser = browse_as(shopper)
    grow_old(browser)

    assert browser.post(REAUTHENTICATE, sent).status_code == 200
    assert session_of(browser, cookie_of)["auth_time"] < time.time() - 300


@pytest.mark.case("I2")
def test_lets_nobody_guess_the_password_in_an_open_browser(browse_as, shopper, password):
    browser = browse_as(shopper)
    for _ in range(10):
        browser.post(REAUTHENTICATE, {"password": "wrong"})

    assert browser.post(REAUTHENTICATE, {"password": password}).status_code == 429


@pytest.mark.case("I2")
def test_lets_nobody_guess_it_where_it_is_changed_either(browse_as, shopper, password):
    browser = browse_as(shopper)
    new = {"password1": "a long and unlikely phrase", "password2": "a long and unlikely phrase"}
    for _ in range(10):
        browser.post("/account/password/change/", {"oldpassword": "wrong"} | new)

    answer = browser.post("/account/password/change/", {"oldpassword": password} | new)

    assert answer.status_code == 429
    shopper.refresh_from_db()
    assert shopper.check_password(password)


def test_removes_an_app_and_what_it_opened(set_up, make_user, cookie_of, ask_with_cookie):
    user = make_user(groups=["finance"])
    browser, _, _ = set_up(user)

    browser.post("/account/security/app/remove/")

    assert not Authenticator.objects.exists()
    assert session_of(browser, cookie_of)["amr"] == ["pwd"]
    assert ask_with_cookie(cookie_of(browser)).status_code == 403


@pytest.mark.case("H9")
def test_ends_every_other_session_with_a_removed_factor(set_up, shopper):
    browser, _, _ = set_up(shopper)
    other = Client(headers={"Accept": "text/html"})
    other.force_login(shopper)
    sid = other.session["sid"]

    browser.post("/account/security/app/remove/")

    assert is_logged_in(browser)
    assert not is_logged_in(other)
    assert Revocation.objects.filter(sid=sid).exists()


def test_makes_new_codes_for_the_old_ones(set_up, shopper, password):
    browser, _, old = set_up(shopper)

    new = codes_on(browser.post(CODES))

    assert len(new) == 10
    assert not set(new) & set(old)
    other = Client(headers={"Accept": "text/html"})
    other.post("/account/login/", {"login": shopper.email, "password": password})
    other.post("/account/login/code/", {"code": old[0]})
    assert not is_logged_in(other)
    other.post("/account/login/code/", {"code": new[0]})
    assert is_logged_in(other)


def test_makes_no_codes_where_there_is_no_factor(browse_as, shopper):
    assert browse_as(shopper).post(CODES).status_code == 404


def test_replaces_an_app_and_its_codes(set_up, shopper):
    browser, first, old = set_up(shopper)

    second = secret_on(browser.get(APP))
    new = codes_on(browser.post(APP, {"code": code_for(second)}))

    assert second != first
    assert not set(new) & set(old)
    assert browser.post(REAUTHENTICATE, {"code": code_for(first)}).status_code == 200
    assert browser.post(REAUTHENTICATE, {"code": old[0]}).status_code == 200


@pytest.mark.case("H9")
def test_ends_every_other_session_with_a_replaced_app(set_up, shopper):
    browser, _, _ = set_up(shopper)
    other = Client(headers={"Accept": "text/html"})
    other.force_login(shopper)

    browser.post(APP, {"code": code_for(secret_on(browser.get(APP)))})

    assert is_logged_in(browser)
    assert not is_logged_in(other)


@pytest.mark.case("H9")
@pytest.mark.parametrize("change", [change_password_of, void_sessions_of])
def test_takes_no_second_step_after_the_password_was_changed(second_step, shopper, change):
    browser, secret, _ = second_step

    change(shopper)
    browser.post("/account/login/code/", {"code": code_for(secret)})

    assert not is_logged_in(browser)


def test_keeps_the_number_of_queries(set_up, shopper, django_assert_num_queries):
    browser, _, _ = set_up(shopper)

    with django_assert_num_queries(3):
        browser.get("/account/security/")
