from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from gateway.accounts.models import StoredSession, User
from gateway.accounts.operations import save_user
from gateway.accounts.session_store import SessionStore, hash_of
from gateway.accounts.sessions import live_session

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def store_of(browse_as, cookie_of):
    """The stored session of somebody who has just logged in."""
    return lambda user: SessionStore(cookie_of(browse_as(user)))


@pytest.fixture
def staff(make_user):
    return make_user(groups=["finance"])


def is_live(store, *, after):
    return live_session(SessionStore(store.session_key), now=timezone.now() + after) is not None


def used_every(store, step, *, until):
    """Uses the session at each step, and says whether it lived."""
    steps = int(until / step)
    return all(is_live(store, after=step * count) for count in range(1, steps + 1))


def test_says_who_is_logged_in_and_since_when(store_of, shopper):
    session = live_session(store_of(shopper), now=timezone.now())

    assert session.user == shopper
    assert session.sub == str(shopper.public_id)
    assert session.groups == ("customer",)
    assert session.amr == ("pwd",)
    assert session.auth_time == pytest.approx(timezone.now().timestamp(), abs=5)


def test_has_a_public_id_that_is_not_its_key(store_of, shopper):
    store = store_of(shopper)

    assert store["sid"] not in store.session_key
    assert store.session_key not in str(dict(store.items()))


@pytest.mark.parametrize(("group", "idle"), [("customer", 14 * DAY), ("finance", 30 * MINUTE)])
def test_ends_when_nobody_used_it_for_too_long(store_of, make_user, group, idle):
    store = store_of(make_user(groups=[group]))

    assert is_live(store, after=idle - MINUTE)
    assert not is_live(store, after=2 * idle)


@pytest.mark.parametrize(
    ("group", "step", "absolute"), [("customer", 10 * DAY, 30 * DAY), ("finance", 20 * MINUTE, 12 * HOUR)]
)
def test_ends_at_its_age_however_much_it_is_used(store_of, make_user, group, step, absolute):
    store = store_of(make_user(groups=[group]))

    assert used_every(store, step, until=absolute - step)
    assert not is_live(store, after=absolute + SECOND)


def test_lives_on_while_it_is_used(store_of, staff):
    store = store_of(staff)

    assert used_every(store, 20 * MINUTE, until=2 * HOUR)


@pytest.mark.parametrize(("group", "written"), [("customer", HOUR), ("finance", MINUTE)])
def test_writes_that_it_was_used_only_now_and_then(
    store_of, make_user, django_assert_num_queries, group, written
):
    store = store_of(make_user(groups=[group]))

    with django_assert_num_queries(2):
        assert is_live(store, after=written - 5 * SECOND)
    with django_assert_num_queries(3):
        assert is_live(store, after=written + SECOND)


def test_deletes_its_row_when_it_has_ended(store_of, shopper):
    store = store_of(shopper)

    is_live(store, after=31 * DAY)

    assert not StoredSession.objects.exists()


ENDINGS = {
    "deactivation": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "another password": lambda user: save_user(
        email=user.email, password="quite another one", groups=["customer"]
    ),
    "other groups": lambda user: save_user(
        email=user.email, password="correct horse battery staple", groups=["finance"]
    ),
    "a change of credentials": lambda user: User.objects.filter(pk=user.pk).update(
        credentials_changed_at=Now()
    ),
    "another hash": lambda user: User.objects.filter(pk=user.pk).update(password="!"),
    "deletion": lambda user: user.delete(),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.case("H9")
def test_ends_at_once_with(browse_as, shopper, ending):
    browser = browse_as(shopper)
    assert browser.get("/account/password/change/").status_code == 200

    ENDINGS[ending](shopper)

    answer = browser.get("/account/password/change/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/account/login/?next=/account/password/change/"


@pytest.mark.case("H9")
def test_survives_when_somebody_elses_credentials_change(browse_as, shopper, make_user):
    browser = browse_as(shopper)

    save_user(email=make_user().email, password="quite another one", groups=["customer"])

    assert browser.get("/account/password/change/").status_code == 200


@pytest.mark.case("H1")
def test_begins_anew_at_log_in_whatever_the_browser_came_with(browser, browse_as, cookie_of, shopper):
    preset = "a" * 32
    browser.cookies["sid"] = preset

    browse_as(shopper)

    assert cookie_of(browser) != preset
    assert not StoredSession.objects.filter(pk=hash_of(preset)).exists()


@pytest.mark.case("H1")
def test_leaves_nothing_under_the_key_from_before_the_log_in(browser, browse_as, cookie_of, shopper):
    browser.post("/account/password/reset/", {"email": "nobody@example.com"})
    before = cookie_of(browser)

    browse_as(shopper)

    thief = Client(headers={"Accept": "text/html"})
    thief.cookies["sid"] = before
    assert cookie_of(browser) != before
    assert thief.get("/account/password/change/").status_code == 302


def test_has_another_public_id_at_each_log_in(browse_as, cookie_of, shopper):
    first = SessionStore(cookie_of(browse_as(shopper)))["sid"]

    Client().post("/account/logout/")
    second = Client()
    second.force_login(shopper)

    assert SessionStore(cookie_of(second))["sid"] != first


@pytest.mark.parametrize("key", ["", "a", "a" * 32, "A" * 32, "' OR 1=1 --", "x" * 5000, "\x00", "é"])
@pytest.mark.case("H1")
def test_takes_no_key_that_is_not_one(browser, key):
    browser.cookies["sid"] = key

    assert browser.get("/account/password/change/").status_code == 302


def test_makes_no_session_for_those_who_only_look(browser):
    browser.get("/account/login/")
    browser.get("/account/signup/")
    browser.get("/account/password/reset/")

    assert "sid" not in browser.cookies
    assert not StoredSession.objects.exists()


@pytest.mark.case("H5")
def test_sets_a_cookie_that_scripts_and_other_sites_cannot_use(browse_as, shopper, settings):
    cookie = browse_as(shopper).cookies["sid"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert len(cookie.value) == 32
    assert settings.SESSION_COOKIE_SECURE is False  # http on loopback; test_settings has the other.


@pytest.mark.case("H6")
def test_logs_out_at_once_and_forgets_the_row(browse_as, shopper):
    browser = browse_as(shopper)

    answer = browser.post("/account/logout/")

    assert answer.headers["Location"] == "/"
    assert browser.get("/account/password/change/").status_code == 302
    assert not StoredSession.objects.exists()


@pytest.mark.case("H2")
def test_asks_before_it_logs_out_on_a_link(browse_as, shopper):
    browser = browse_as(shopper)

    assert browser.get("/account/logout/").status_code == 200
    assert browser.get("/account/password/change/").status_code == 200


@pytest.mark.case("H6")
def test_lets_nobody_keep_a_private_page(browse_as, shopper):
    answer = browse_as(shopper).get("/account/password/change/")

    assert "no-store" in answer.headers["Cache-Control"]
    assert "private" in answer.headers["Cache-Control"]
    assert "Cookie" in answer.headers["Vary"]
