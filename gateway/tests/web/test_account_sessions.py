import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from gateway.accounts import open_sessions, sessions
from gateway.accounts.models import StoredSession, User
from gateway.accounts.session_store import SessionStore, hash_of
from gateway.tokens.models import RefreshFamily, Revocation

pytestmark = pytest.mark.django_db

PAGE = "/account/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def other(shopper, password):
    """The shopper's other browser."""
    client = Client(headers={"Accept": "text/html", "User-Agent": FIREFOX}, REMOTE_ADDR="203.0.113.77")
    client.post("/account/login/", {"login": shopper.email, "password": password})
    return client


def sid_of(client, cookie_of):
    return SessionStore(cookie_of(client))["sid"]


def is_logged_in(browser):
    return browser.get("/account/password/change/").status_code == 200


def main_of(answer):
    return answer.content.decode().partition("<main")[2].partition("</main")[0]


def test_lists_browsers_and_programs_with_where_and_when(browse_as, other, log_in, shopper):
    log_in(shopper)

    page = main_of(browse_as(shopper).get(PAGE))

    assert page.count("<li>") == 3
    assert page.count("This browser") == 1
    assert page.count("Program") == 1
    assert "Firefox on Linux" in page
    assert "from 203.0.113.0/24" in page
    assert timezone.now().strftime("%B %-d, ") in page


def test_lists_nobody_elses(browse_as, make_user, shopper):
    stranger = Client()
    stranger.force_login(make_user())

    assert main_of(browse_as(shopper).get(PAGE)).count("<li>") == 1


def test_ends_one(browse_as, other, shopper, cookie_of):
    browser = browse_as(shopper)
    sid = sid_of(other, cookie_of)

    answer = browser.post(f"{PAGE}{sid}/end/")

    assert answer.headers["Location"] == PAGE
    assert not is_logged_in(other)
    assert is_logged_in(browser)
    assert Revocation.objects.filter(sid=sid).exists()


def test_ends_that_of_a_program(browse_as, log_in, post, shopper):
    refresh = log_in(shopper)["refresh"]
    sid = RefreshFamily.objects.get().sid

    browse_as(shopper).post(f"{PAGE}{sid}/end/")

    assert post("refresh", refresh=refresh).status_code == 401


@pytest.mark.case("K1")
def test_ends_nobody_elses(browse_as, make_user, shopper, cookie_of, log_in):
    stranger = make_user()
    client = Client(headers={"Accept": "text/html"})
    client.force_login(stranger)
    log_in(stranger)
    browser = browse_as(shopper)

    answers = [
        browser.post(f"{PAGE}{sid}/end/").status_code
        for sid in (sid_of(client, cookie_of), RefreshFamily.objects.get().sid)
    ]

    assert answers == [404, 404]
    assert is_logged_in(client)
    assert RefreshFamily.objects.get().revoked_at is None


def test_ends_all_others_at_once(browse_as, other, log_in, post, shopper):
    refresh = log_in(shopper)["refresh"]
    browser = browse_as(shopper)

    browser.post(f"{PAGE}end-others/")

    assert is_logged_in(browser)
    assert not is_logged_in(other)
    assert post("refresh", refresh=refresh).status_code == 401
    assert main_of(browser.get(PAGE)).count("<li>") == 1


def test_ends_all_of_a_user_and_of_nobody_else(other, make_user, shopper):
    Client().force_login(shopper)
    stranger = Client(headers={"Accept": "text/html"})
    stranger.force_login(make_user())

    assert sessions.end_all(shopper) == 2

    assert not is_logged_in(other)
    assert is_logged_in(stranger)


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}end-others/", f"{PAGE}{UUID(int=1)}/end/"])
def test_shows_strangers_nothing(browser, path):
    assert browser.post(path).headers["Location"].startswith("/account/login/")


@pytest.mark.parametrize("path", [f"{PAGE}end-others/", f"{PAGE}{UUID(int=1)}/end/"])
@pytest.mark.case("H2")
def test_ends_none_on_a_link(browse_as, other, shopper, path):
    assert browse_as(shopper).get(path).status_code == 405
    assert is_logged_in(other)


@pytest.mark.parametrize(
    "change",
    [
        {"seen_at": timezone.now() - timedelta(days=15)},
        {"authenticated_at": timezone.now() - timedelta(days=31)},
    ],
    ids=["unused", "old"],
)
def test_lists_none_that_has_ended_by_itself(browse_as, other, shopper, cookie_of, change):
    StoredSession.objects.filter(pk=hash_of(cookie_of(other))).update(**change)

    assert main_of(browse_as(shopper).get(PAGE)).count("<li>") == 1


def test_lists_none_from_before_a_change_of_password(browse_as, other, log_in, shopper, password):
    log_in(shopper)
    browser = browse_as(shopper)
    new = "a long and unlikely phrase"

    browser.post("/account/password/change/", {"oldpassword": password, "password1": new, "password2": new})

    assert main_of(browser.get(PAGE)).count("<li>") == 1


def test_lists_one_that_rotated_its_tokens_once(browse_as, log_in, post, shopper):
    post("refresh", refresh=log_in(shopper)["refresh"])

    assert main_of(browse_as(shopper).get(PAGE)).count("<li>") == 2


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.5.0", "curl"),
        ("mercato-cli/1.0 (x)", "mercato-cli"),
        ("<script>alert(1)</script>", "Unknown device"),
        ("", "Unknown device"),
    ],
)
def test_tells_devices_apart(user_agent, said):
    assert open_sessions.device_of(user_agent) == said


def test_keeps_no_key_in_the_database(other, cookie_of):
    key = cookie_of(other)

    [row] = StoredSession.objects.values()

    assert key not in str(row)
    assert hash_of(key) == row["key_hash"]
    assert not re.search(rb"_auth_user|sid|pwd", bytes(row["data"]))


def test_opens_no_session_for_what_stands_in_the_database(other, browser, cookie_of):
    browser.cookies["sid"] = StoredSession.objects.get().key_hash

    assert not is_logged_in(browser)


def test_opens_no_session_whose_data_was_moved(browse_as, other, shopper, make_user, cookie_of):
    stranger = Client(headers={"Accept": "text/html"})
    stranger.force_login(make_user())
    stolen = StoredSession.objects.get(pk=hash_of(cookie_of(other))).data

    StoredSession.objects.filter(pk=hash_of(cookie_of(stranger))).update(data=stolen)

    assert not is_logged_in(stranger)


def test_ends_with_the_secret_of_the_process(other, settings):
    settings.SECRET_KEY = "another one, as after a leak"

    assert not is_logged_in(other)


def test_forgets_those_that_nobody_came_back_for(other):
    StoredSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not is_logged_in(other)

    SessionStore.clear_expired()

    assert not StoredSession.objects.exists()


def test_keeps_what_user_and_network_are_short(shopper, password):
    client = Client(headers={"User-Agent": "x" * 5000}, REMOTE_ADDR="2001:db8:1:2:3::4")
    client.post("/account/login/", {"login": shopper.email, "password": password})

    row = StoredSession.objects.get()
    assert (len(row.user_agent), row.ip_prefix) == (200, "2001:db8:1::/48")


def test_goes_with_its_user(other, shopper):
    User.objects.filter(pk=shopper.pk).delete()

    assert not StoredSession.objects.exists()


def test_keeps_the_number_of_queries(browse_as, other, log_in, shopper, django_assert_num_queries):
    log_in(shopper)
    browser = browse_as(shopper)

    with django_assert_num_queries(5):
        browser.get(PAGE)
