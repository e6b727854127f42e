"""What the admins ask of those who work here: a second factor, and for writes a recent log-in."""

import pytest
from django.test import Client

from chassis.step_up import MAX_AGE_SECONDS
from gateway.accounts.session_store import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def age():
    """Lets the log-in of a session be so many seconds ago."""

    def make_older(cookie, seconds):
        store = SessionStore(cookie)
        store["auth_time"] -= seconds
        store.save()

    return make_older


@pytest.fixture
def ask_to_write(ask_edge):
    return lambda session, **more: ask_edge({"session": session, "audience": "wallet", "write": True} | more)


@pytest.fixture
def cookie(browse_as, cookie_of, make_user):
    return cookie_of(browse_as(make_user(groups=["finance"])))


def code_of(answer):
    return answer.status_code, answer.json().get("code")


def test_lets_a_recent_log_in_write(ask_to_write, cookie):
    assert ask_to_write(cookie).status_code == 200


@pytest.mark.case("K6")
def test_asks_an_old_one_to_log_in_again_before_a_write(ask_to_write, ask_with_cookie, cookie, age):
    age(cookie, MAX_AGE_SECONDS + 5)

    answer = ask_to_write(cookie)

    assert code_of(answer) == (401, "step-up-required")
    assert "insufficient_user_authentication" in answer.headers["WWW-Authenticate"]
    assert ask_with_cookie(cookie).status_code == 200


def test_lets_it_write_once_it_has(ask_to_write, browse_as, cookie_of, make_user, password, age):
    browser = browse_as(make_user(groups=["finance"]))
    age(cookie_of(browser), MAX_AGE_SECONDS + 5)

    browser.post("/account/reauthenticate/", {"password": password})

    assert ask_to_write(cookie_of(browser)).status_code == 200


@pytest.mark.parametrize("write", [False, True])
def test_asks_staff_with_a_password_alone_for_a_second_factor(
    ask_to_write, browse_as, cookie_of, make_user, write
):
    cookie = cookie_of(browse_as(make_user(groups=["finance"]), with_otp=False))

    assert code_of(ask_to_write(cookie, write=write)) == (403, "second-factor-required")
    assert code_of(ask_to_write(cookie, audience="banner")) == (403, "insufficient-scope")


def test_asks_nobody_for_one_who_has_no_business_there(ask_to_write, browse_as, cookie_of, shopper):
    assert code_of(ask_to_write(cookie_of(browse_as(shopper)))) == (403, "insufficient-scope")


def test_takes_the_word_about_a_write_for_sessions_alone(ask_edge, log_in, shopper):
    question = {"bearer": log_in(shopper)["access"], "audience": "wallet", "write": True}

    assert ask_edge(question).status_code == 400


@pytest.mark.case("K6")
def test_the_gateway_s_own_admin_asks_before_a_write(browse_as, cookie_of, make_user, age, shopper):
    admin = browse_as(make_user(groups=["superuser"]))
    page = f"/admin/gateway/accounts/user/{shopper.pk}/change/"
    age(cookie_of(admin), MAX_AGE_SECONDS + 5)

    written = admin.post(page, {"is_active": ""})

    shopper.refresh_from_db()
    assert (written.status_code, shopper.is_active) == (401, True)
    assert "Nothing was saved" in written.content.decode()
    assert "/account/reauthenticate/?next=/staff" in written.content.decode()
    assert admin.get(page).status_code == 200


def test_the_gateway_s_own_admin_leads_to_the_second_factor(browse_as, make_user):
    browser = browse_as(make_user(groups=["superuser"]), with_otp=False)

    read, written = browser.get("/admin/gateway/"), browser.post("/admin/gateway/")

    assert (read.status_code, read.headers["Location"]) == (302, "/account/security/")
    assert (written.status_code, "Nothing was saved" in written.content.decode()) == (403, True)


def test_programs_get_a_problem(browse_as, cookie_of, make_user, age):
    admin = browse_as(make_user(groups=["superuser"]))
    age(cookie_of(admin), MAX_AGE_SECONDS + 5)

    answer = Client(headers={"Accept": "*/*"})
    answer.cookies = admin.cookies
    written = answer.post("/admin/gateway/")

    assert code_of(written) == (401, "step-up-required")
    assert written.headers["WWW-Authenticate"] == 'Cookie realm="mercato"'


def test_the_staff_page_says_what_opens_the_desks(shop, browse_as, make_user):
    page = browse_as(make_user(groups=["finance"]), with_otp=False).get("/staff").content.decode()

    assert "Your desks need a second factor" in page
    assert "/account/security/" in page
    assert "/admin/wallet/" not in page


def test_the_staff_page_says_nothing_of_it_to_those_who_have_one(shop, browse_as, make_user):
    assert "second factor" not in browse_as(make_user(groups=["finance"])).get("/staff").content.decode()
