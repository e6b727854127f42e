"""What the owner of an account is told by mail, for somebody else may have done it (ASVS 6.3.5, 6.3.7).

test_passkeys.py has the same of passkeys.
"""

import re
import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gateway.accounts.notices import APP_REMOVED, CODES_MADE, tell_of_change
from gateway.accounts.operations import change_password
from gateway.limits.models import KnownDevice
from gateway.limits.quotas import NOTICE
from gateway.mail.models import OutgoingMail

STRONG = "a long and unlikely phrase"
APP = "/account/security/app/"


def subjects():
    return [message.subject.removeprefix("Your Mercato account: ") for message in mail.outbox]


def log_in_by_form(user, password, browser=None, **more):
    browser = browser or Client(headers={"Accept": "text/html"})
    answer = browser.post("/account/login/", {"login": user.email, "password": password}, **more)
    assert answer.status_code == 302, answer.content
    return browser


def set_up_app(browser):
    page = browser.get(APP).content.decode()
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")
    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return browser.post(APP, {"code": code})


@pytest.fixture
def shoppers_browser(browse_as, shopper):
    return browse_as(shopper)


@pytest.mark.django_db
def test_tells_of_a_password_that_was_changed_on_the_page(shoppers_browser, shopper, password):
    shoppers_browser.post(
        "/account/password/change/", {"oldpassword": password, "password1": STRONG, "password2": STRONG}
    )

    assert subjects() == ["the password was changed"]
    assert mail.outbox[0].to == [shopper.email]


@pytest.mark.django_db
def test_tells_of_a_password_that_was_changed_by_the_api(anonymous, log_in, shopper, password):
    bearer = {"Authorization": f"Bearer {log_in(shopper)['access']}"}

    answer = anonymous.post(
        "/api/v1/me/password",
        {"current_password": password, "password": STRONG},
        format="json",
        headers=bearer,
    )

    assert answer.status_code == 204
    assert subjects() == ["the password was changed"]


@pytest.mark.django_db
def test_tells_of_a_password_that_was_reset(post, shopper):
    post("password/reset", email=shopper.email)
    code = re.search(r"^([0-9]{6})$", mail.outbox[0].body, re.MULTILINE)[1]

    assert post("password/reset", email=shopper.email, code=code, password=STRONG).status_code == 204

    assert subjects()[1:] == ["the password was changed"]


@pytest.mark.django_db
def test_tells_nothing_of_a_password_that_stayed(shoppers_browser):
    shoppers_browser.post(
        "/account/password/change/", {"oldpassword": "wrong", "password1": STRONG, "password2": STRONG}
    )

    assert subjects() == []


@pytest.mark.usefixtures("committed")
def test_tells_nothing_of_what_was_undone(make_user):
    with transaction.atomic():
        change_password(user=make_user(), password=STRONG)
        transaction.set_rollback(True)

    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db
def test_tells_of_an_app_and_of_its_end(shoppers_browser):
    assert set_up_app(shoppers_browser).status_code == 200
    shoppers_browser.post("/account/security/app/remove/")

    assert subjects() == ["an authenticator app was set up", "the authenticator app was removed"]


@pytest.mark.django_db
def test_tells_nothing_where_there_is_no_app_to_remove(shoppers_browser):
    shoppers_browser.post("/account/security/app/remove/")

    assert subjects() == []


@pytest.mark.django_db
def test_tells_of_new_recovery_codes_and_shows_none(shoppers_browser):
    set_up_app(shoppers_browser)

    answer = shoppers_browser.post("/account/security/codes/")

    codes = re.findall(r"<code>([0-9]{8})</code>", answer.content.decode())
    assert len(codes) == 10
    assert subjects()[1:] == ["new recovery codes were made"]
    assert not [code for code in codes if code in mail.outbox[1].body]


@pytest.mark.django_db
def test_tells_nothing_of_the_first_device(shoppers_browser):
    assert subjects() == []


@pytest.mark.django_db
def test_tells_nothing_of_a_device_that_is_known(shoppers_browser, shopper, password):
    shoppers_browser.post("/account/logout/")

    log_in_by_form(shopper, password, shoppers_browser)

    assert subjects() == []


@pytest.mark.django_db
def test_tells_of_a_browser_that_is_new(shoppers_browser, shopper, password):
    log_in_by_form(shopper, password, REMOTE_ADDR="203.0.113.7", headers={"User-Agent": "evil.example/1"})

    assert subjects() == ["a log-in from a new device"]
    assert mail.outbox[0].to == [shopper.email]
    assert "a browser" in mail.outbox[0].body
    assert "203.0.113.0/24" in mail.outbox[0].body
    # A program says of itself what it likes, and that would be what the owner reads.
    assert "evil" not in mail.outbox[0].body


@pytest.mark.django_db
def test_tells_of_a_network_of_the_api_that_is_new(anonymous, shoppers_browser, shopper, password):
    body = {"email": shopper.email, "password": password}
    for _ in range(2):
        answer = anonymous.post("/api/v1/auth/login", body, format="json", REMOTE_ADDR="203.0.113.7")
        assert answer.status_code == 200

    assert subjects() == ["a log-in from a new device"]
    assert "an API client" in mail.outbox[0].body
    assert "203.0.113.0/24" in mail.outbox[0].body


@pytest.mark.django_db
def test_tells_nothing_before_the_second_factor_is_shown(shoppers_browser, shopper, password):
    set_up_app(shoppers_browser)

    log_in_by_form(shopper, password)

    assert subjects() == ["an authenticator app was set up"]


@pytest.mark.django_db
def test_calls_a_device_new_whose_time_has_passed(shoppers_browser, shopper, password, log_in):
    log_in(shopper)
    first = KnownDevice.objects.order_by("id").first()
    KnownDevice.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    shoppers_browser.post("/account/logout/")

    log_in_by_form(shopper, password, shoppers_browser)

    assert subjects() == ["a log-in from a new device"] * 2


@pytest.mark.django_db
def test_leads_to_the_shop_and_nowhere_else(shopper, settings):
    change_password(user=shopper, password=STRONG)

    [message] = mail.outbox
    assert re.findall(r"\S*://\S*", message.body) == [settings.ORIGIN]
    assert shopper.email not in message.body


@pytest.mark.django_db
def test_costs_two_queries_and_none_where_there_is_nothing_to_tell(log_in, shoppers_browser, shopper):
    with CaptureQueriesContext(connection) as new:
        log_in(shopper)
    KnownDevice.objects.all().delete()
    with CaptureQueriesContext(connection) as first:
        log_in(shopper)

    assert len(new) == len(first) + 2


@pytest.mark.django_db
def test_floods_no_mailbox(shopper):
    for _ in range(NOTICE.most + 1):
        tell_of_change(shopper, CODES_MADE)

    tell_of_change(shopper, APP_REMOVED)

    assert subjects() == [CODES_MADE] * NOTICE.most + [APP_REMOVED]
