import re
import threading
import time
from collections import Counter

import pytest
from allauth.core import context
from allauth.mfa.models import Authenticator
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core import mail
from django.db import connection, connections, transaction
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.test import APIClient

from chassis.problems import DomainError
from gateway.accounts.factors import set_totp
from gateway.accounts.forms import SignUp
from gateway.accounts.models import EmailCode, StoredSession, User
from gateway.accounts.operations import change_access, change_password, save_user, void_sessions
from gateway.accounts.session_store import SessionStore
from gateway.accounts.sessions import STAFF_MEMBER, end_one, live_session, session_of_cookie
from gateway.tokens.browser import token_for
from gateway.tokens.models import RefreshFamily

EMAIL = "ann@example.com"
STRONG = "a long and unlikely phrase"
CONFIRM = "/account/password/reset/confirm/"


def together(*actions):
    """What each of them gives, all begun at the same moment on connections of their own."""
    start = threading.Barrier(len(actions))
    results = [None] * len(actions)

    def run(number, action):
        start.wait()
        try:
            results[number] = action()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def call(name, **body):
    return APIClient().post(f"/api/v1/auth/{name}", body, format="json").status_code


def test_makes_one_account_for_those_who_sign_up_at_the_same_time(committed):
    answers = together(*[lambda: call("register", email=EMAIL, password=STRONG)] * 4)

    assert answers == [202] * 4
    assert User.objects.count() == 1


def test_makes_one_account_for_forms_that_are_sent_at_the_same_time(committed):
    def send():
        return Client().post("/account/signup/", {"email": EMAIL, "password1": STRONG}).headers["Location"]

    answers = together(*[send] * 4)

    assert answers == ["/account/confirm-email/"] * 4
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_tells_nobody_that_the_email_was_taken_in_that_moment():
    request = RequestFactory().post("/account/signup/")
    request.session = SessionStore()
    request._messages = FallbackStorage(request)
    request.user = None
    form = SignUp({"email": EMAIL, "password1": STRONG})

    with context.request_context(request):
        assert form.is_valid()
        save_user(email=EMAIL.upper(), password="another long phrase", groups=["customer"])
        user, answer = form.try_save(request)

    assert user is None
    assert answer.headers["Location"] == "/account/confirm-email/"
    assert User.objects.get().check_password("another long phrase")


def test_takes_a_code_once_however_many_send_it(committed):
    call("register", email=EMAIL, password=STRONG)
    [code] = re.findall(r"^([0-9]{6})$", mail.outbox[0].body, re.MULTILINE)

    answers = together(*[lambda: call("email/verify", email=EMAIL, code=code)] * 6)

    assert Counter(answers) == {204: 1, 400: 5}


def test_counts_every_try_however_many_come_at_once(committed):
    call("register", email=EMAIL, password=STRONG)
    [code] = re.findall(r"^([0-9]{6})$", mail.outbox[0].body, re.MULTILINE)
    wrong = f"{(int(code) + 1) % 10**6:06}"

    together(*[lambda: call("email/verify", email=EMAIL, code=wrong)] * 8)

    assert EmailCode.objects.get().tries == 5
    assert call("email/verify", email=EMAIL, code=code) == 400


@pytest.mark.django_db
def test_counts_every_try_of_a_form_whatever_becomes_of_the_session(browser, shopper):
    # A slow request of the same session, begun before the tries, puts back what the session was then.
    browser.post("/account/password/reset/", {"email": shopper.email})
    [code] = re.findall(r"^([0-9]{6})$", mail.outbox[0].body, re.MULTILINE)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    before = StoredSession.objects.get().data

    for _ in range(3):
        browser.post(CONFIRM, {"code": wrong})
        StoredSession.objects.update(data=before)

    answer = browser.post(CONFIRM, {"code": code})
    assert answer.headers["Location"] == "/account/login/"
    assert browser.get(CONFIRM).status_code == 302


@pytest.mark.django_db
def test_counts_every_try_of_a_sign_up_whatever_becomes_of_the_session(browser):
    browser.post("/account/signup/", {"email": EMAIL, "password1": STRONG})
    [code] = re.findall(r"^([0-9]{6})$", mail.outbox[0].body, re.MULTILINE)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    before = StoredSession.objects.get().data

    for _ in range(3):
        browser.post("/account/confirm-email/", {"code": wrong})
        StoredSession.objects.update(data=before)

    answer = browser.post("/account/confirm-email/", {"code": code})
    assert answer.headers["Location"] == "/account/login/"
    assert not browser.session.get("_auth_user_id")


@pytest.mark.case("J3", "H9")
def test_refuses_a_log_in_whose_password_is_changed_at_that_moment(committed, shopper, password):
    answers = []

    def log_in():
        answers.append(call("login", email=shopper.email, password=password))
        connections.close_all()

    attempt = threading.Thread(target=log_in)

    with transaction.atomic():
        change_password(user=shopper, password=STRONG)
        attempt.start()
        wait_until_somebody_waits_for_a_lock()
    attempt.join(timeout=10)

    assert answers == [401]
    assert not RefreshFamily.objects.exists()


def wait_until_somebody_waits_for_a_lock():
    give_up_at = time.monotonic() + 10
    while not is_waited_for():
        assert time.monotonic() < give_up_at, "nobody waits"
        time.sleep(0.01)


def is_waited_for():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return cursor.fetchone() is not None


def test_keeps_one_who_may_do_everything_when_two_remove_each_other(committed):
    users = [save_user(email=f"root{n}@example.com", password=STRONG, groups=["superuser"]) for n in (1, 2)]

    def remove(user):
        try:
            change_access(user_id=user.pk, groups=[], is_active=True)
        except DomainError:
            return "refused"
        return "removed"

    answers = together(*[lambda user=user: remove(user) for user in users])

    assert sorted(answers) == ["refused", "removed"]


@pytest.mark.django_db
def test_does_not_bring_back_a_session_that_was_ended_meanwhile(browse_as, cookie_of, make_user):
    store = SessionStore(cookie_of(browse_as(make_user(groups=["finance"]))))
    assert live_session(store, now=timezone.now())

    StoredSession.objects.all().delete()

    assert live_session(store, now=timezone.now() + 2 * STAFF_MEMBER.written) is None
    assert not StoredSession.objects.exists()


@pytest.mark.case("H8")
def test_mints_one_token_for_two_tabs_with_twenty_requests(committed, cookie_of, make_user, browse_as):
    cookie = cookie_of(browse_as(make_user()))

    def ask():
        return token_for(session_of_cookie(cookie, now=timezone.now()), "wallet").token

    tokens = together(*[ask] * 20)

    assert None not in tokens
    assert len(set(tokens)) == 1


@pytest.mark.django_db
@pytest.mark.case("H9")
@pytest.mark.parametrize("ended", [{"all": True}, {"all": False}])
def test_does_not_bring_back_a_session_that_is_ended_while_its_user_proves_who_they_are(
    browse_as, shopper, monkeypatch, password, ended
):
    browser = browse_as(shopper)
    check_password = User.check_password

    def end_meanwhile(user, raw):
        [row] = StoredSession.objects.filter(user=user)
        void_sessions(user=user) if ended["all"] else end_one(user, row.sid)
        return check_password(user, raw)

    monkeypatch.setattr(User, "check_password", end_meanwhile)
    browser.post("/account/reauthenticate/", {"password": password})

    assert browser.get("/account/password/change/").status_code == 302
    assert not StoredSession.objects.exclude(user=None).exists()


def test_keeps_the_recovery_codes_of_a_passkey_that_is_added_while_the_app_is_removed(
    committed, browse_as, shopper, totp_secret
):
    browser = browse_as(shopper)
    set_totp(shopper, totp_secret)

    def remove():
        browser.post("/account/security/app/remove/")
        connections.close_all()

    attempt = threading.Thread(target=remove)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=shopper.pk)
        attempt.start()
        wait_until_somebody_waits_for_a_lock()
        Authenticator.objects.create(user=shopper, type="webauthn", data={})
    attempt.join(timeout=10)

    left = Authenticator.objects.filter(user=shopper).values_list("type", flat=True)
    assert set(left) == {"webauthn", "recovery_codes"}
