import logging
import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateway.accounts.hashers import Argon2
from gateway.accounts.models import StoredSession, User
from gateway.accounts.operations import _nobodys_password
from gateway.accounts.session_store import SessionStore, hash_of

pytestmark = pytest.mark.django_db

EMAIL = "ann@example.com"
STRONG = "a long and unlikely phrase"
EVIL = [
    "//evil.example",
    "///evil.example",
    "https:evil.example",
    "https://evil.example/",
    "http://localhost.evil.example/",
    "http://localhost@evil.example/",
    "http://localhost:8000/staff",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "%09//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "@evil.example",
    "evil.example",
    ".evil.example",
    "/\n/evil.example",
    "/\u2028/evil.example",
    "",
]


@pytest.fixture
def sign_up(browser):
    def send(email=EMAIL, password=STRONG, **more):
        return browser.post("/account/signup/", {"email": email, "password1": password, **more})

    return send


@pytest.fixture
def signed_up(sign_up, browser):
    """A browser at the page that asks for the code."""
    sign_up()
    return browser


def code_in(message):
    return re.search(r"^([0-9]{6})$", message.body, re.MULTILINE)[1]


def wrong_code(message):
    return f"{(int(code_in(message)) + 1) % 10**6:06}"


def is_logged_in(browser):
    return browser.get("/account/password/change/").status_code == 200


def text_of(answer):
    return re.sub(r'value="[A-Za-z0-9]{64}"', "", answer.content.decode())


def test_logs_in_by_the_form(browse_as, shopper):
    assert is_logged_in(browse_as(shopper))


def test_ignores_the_case_of_the_email(browser, shopper, password):
    browser.post("/account/login/", {"login": shopper.email.upper(), "password": password})

    assert is_logged_in(browser)


def test_takes_a_password_with_spaces_around_as_it_is(browser, make_user):
    user = make_user()
    user.set_password("  spaces around it  ")
    user.save(update_fields=["password"])

    browser.post("/account/login/", {"login": user.email, "password": "spaces around it"})
    assert not is_logged_in(browser)
    browser.post("/account/login/", {"login": user.email, "password": "  spaces around it  "})
    assert is_logged_in(browser)


@pytest.fixture
def refused(browser, shopper, make_user, password):
    inactive = make_user(is_active=False)

    def log_in(reason):
        email, secret = {
            "unknown": ("nobody@example.com", password),
            "wrong": (shopper.email, password + "!"),
            "inactive": (inactive.email, password),
        }[reason]
        return email, browser.post("/account/login/", {"login": email, "password": secret})

    return log_in


@pytest.mark.parametrize("reason", ["unknown", "wrong", "inactive"])
def test_refuses_in_the_same_words_whatever_the_reason(refused, reason, browser):
    email, answer = refused(reason)

    assert answer.status_code == 200
    assert "The e-mail or the password is wrong." in answer.content.decode()
    assert "sid" not in browser.cookies
    assert text_of(refused("unknown")[1]).replace("nobody@example.com", email) == text_of(answer)


@pytest.mark.parametrize("reason", ["unknown", "wrong", "inactive", "right"])
def test_hashes_once_whatever_the_reason(refused, reason, browse_as, shopper, hashes):
    browse_as(shopper) if reason == "right" else refused(reason)

    assert hashes.count == 1


@pytest.fixture
def hashes(monkeypatch, make_user):
    """How often a password was hashed."""

    class Count:
        count = 0

    _nobodys_password()
    for name in ("encode", "verify"):
        real = getattr(Argon2, name)

        def counted(self, *args, _real=real, **more):
            Count.count += 1
            return _real(self, *args, **more)

        monkeypatch.setattr(Argon2, name, counted)
    return Count


@pytest.mark.parametrize("path", ["/account/login/", "/account/signup/"])
def test_sends_on_whoever_is_logged_in_already(browse_as, shopper, path):
    answer = browse_as(shopper).get(path, {"next": "/wallet"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/wallet")


@pytest.mark.parametrize("path", ["/wallet?month=2026-11", "/p/a-chair", "/admin/wallet/", "/"])
def test_leads_on_to_where_somebody_wanted_to_go(browser, shopper, password, path):
    answer = browser.post("/account/login/", {"login": shopper.email, "password": password, "next": path})

    assert answer.headers["Location"] == path


@pytest.mark.parametrize("where", EVIL)
@pytest.mark.case("H4")
def test_never_leads_off_the_site_after_log_in(browser, shopper, password, where):
    answer = browser.post("/account/login/", {"login": shopper.email, "password": password, "next": where})

    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("where", EVIL)
@pytest.mark.case("H4")
def test_never_leads_whoever_is_logged_in_off_the_site(browse_as, shopper, where):
    browser = browse_as(shopper)

    assert browser.get("/account/login/", {"next": where}).headers["Location"] == "/"
    assert browser.get("/account/signup/", {"next": where}).headers["Location"] == "/"
    assert browser.post("/account/logout/", {"next": where}).headers["Location"] == "/"


@pytest.mark.parametrize("where", EVIL)
@pytest.mark.case("H4")
def test_never_leads_off_the_site_after_proof(browse_as, shopper, password, where):
    browser = browse_as(shopper)

    answer = browser.post("/account/reauthenticate/", {"password": password, "next": where})

    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("where", ["//evil.example", "javascript:alert(1)"])
@pytest.mark.case("H4")
def test_never_leads_off_the_site_after_sign_up(sign_up, browser, where):
    sign_up(next=where)

    answer = browser.post("/account/confirm-email/", {"code": code_in(mail.outbox[0]), "next": where})

    assert answer.headers["Location"] == "/"


def test_signs_up_with_a_mailed_code(sign_up, browser):
    answer = sign_up()
    assert answer.headers["Location"] == "/account/confirm-email/"
    assert not is_logged_in(browser)

    browser.post("/account/confirm-email/", {"code": code_in(mail.outbox[0])})

    user = User.objects.get(email=EMAIL)
    assert is_logged_in(browser)
    assert list(user.groups.values_list("name", flat=True)) == ["customer"]
    assert EmailAddress.objects.get(user=user).verified


def test_says_little_in_the_mail(sign_up):
    sign_up()

    [message] = mail.outbox
    assert message.to == [EMAIL]
    assert message.subject == "Your code for Mercato"
    assert STRONG not in message.body
    assert "http://localhost:8000" in message.body


def test_keeps_the_account_when_the_mail_cannot_be_sent(sign_up, browser, settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 9
    answer = sign_up()
    unsent = list(mail.outbox)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    assert (answer.status_code, unsent) == (302, [])
    assert "A mail could not be sent." in caplog.text
    browser.post("/account/confirm-email/", {"action": "resend"})
    browser.post("/account/confirm-email/", {"code": code_in(mail.outbox[0])})
    assert is_logged_in(browser)


def test_sends_a_new_code_to_whoever_logs_in_without_having_proved_the_email(signed_up):
    elsewhere = Client(headers={"Accept": "text/html"})

    answer = elsewhere.post("/account/login/", {"login": EMAIL, "password": STRONG})
    assert answer.headers["Location"] == "/account/confirm-email/"
    assert not is_logged_in(elsewhere)
    elsewhere.post("/account/confirm-email/", {"code": code_in(mail.outbox[-1])})

    assert is_logged_in(elsewhere)


def test_refuses_a_wrong_code_and_begins_again_after_three(signed_up):
    wrong = wrong_code(mail.outbox[0])

    answers = [signed_up.post("/account/confirm-email/", {"code": wrong}) for _ in range(3)]
    late = signed_up.post("/account/confirm-email/", {"code": code_in(mail.outbox[0])})

    assert "not the code" in answers[0].content.decode()
    assert answers[2].headers["Location"] == "/account/login/"
    assert late.headers["Location"] == "/account/login/"
    assert not is_logged_in(signed_up)


def test_refuses_a_code_that_another_has_replaced(signed_up):
    signed_up.post("/account/confirm-email/", {"action": "resend"})
    first, second = (code_in(message) for message in mail.outbox)

    signed_up.post("/account/confirm-email/", {"code": first})

    assert is_logged_in(signed_up) == (first == second)


def test_mails_as_often_again_to_an_email_that_has_an_account(sign_up, browser, shopper):
    for email in (EMAIL, shopper.email):
        browser.cookies.clear()
        sign_up(email)
        answers = [browser.post("/account/confirm-email/", {"action": "resend"}) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [302, 302, 200]

    assert [message.to for message in mail.outbox] == [[EMAIL]] * 3 + [[shopper.email]] * 3


def test_refuses_a_code_that_has_expired(signed_up, cookie_of):
    store = SessionStore(cookie_of(signed_up))
    store["account_email_verification_code"]["at"] -= timedelta(minutes=16).total_seconds()
    store.save()

    signed_up.post("/account/confirm-email/", {"code": code_in(mail.outbox[0])})

    assert not is_logged_in(signed_up)


def test_takes_a_code_in_the_browser_alone_that_signed_up(signed_up):
    thief = Client(headers={"Accept": "text/html"})

    answer = thief.post("/account/confirm-email/", {"code": code_in(mail.outbox[0])})

    assert answer.headers["Location"] == "/account/login/"


def test_says_the_same_for_an_email_that_has_an_account(sign_up, shopper):
    known, known_page = see(sign_up, Client(headers={"Accept": "text/html"}), shopper.email)
    new, new_page = see(sign_up, Client(headers={"Accept": "text/html"}), EMAIL)

    assert known.status_code == new.status_code == 302
    assert visible(known) == visible(new)
    assert text_of(known_page).replace(shopper.email, EMAIL) == text_of(new_page)
    assert "You have an account" in mail.outbox[0].subject
    assert mail.outbox[0].to == [shopper.email]


def see(sign_up, client, email):
    answer = client.post("/account/signup/", {"email": email, "password1": STRONG})
    return answer, client.get("/account/confirm-email/")


def visible(answer):
    headers = dict(answer.headers)
    del headers["X-Request-ID"]
    headers.pop("Expires", None)  # The second in which it was asked.
    return headers, sorted(answer.cookies)


def test_works_as_hard_for_an_email_that_has_an_account(sign_up, shopper, hashes):
    sign_up(email=shopper.email)

    assert hashes.count == 1


def test_takes_no_code_for_an_email_that_has_an_account(sign_up, browser, shopper, password):
    sign_up(email=shopper.email, password=STRONG)

    browser.post("/account/confirm-email/", {"code": "123456"})

    assert not is_logged_in(browser)
    shopper.refresh_from_db()
    assert shopper.check_password(password)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"email": "ann"}, "valid email"),
        ({"email": ""}, "required"),
        ({"email": f"ann@{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 30}.com"}, "valid email"),
        ({"email": f"ann@{'ü' * 62}.de"}, "valid email"),
        ({"email": '"\x0bBcc:eve"@example.com'}, "valid email"),
        ({"password1": "short"}, "too short"),
        ({"password1": "password123"}, "too common"),
        ({"password1": "ann@example.com"}, "too similar"),
        ({"password1": ""}, "required"),
        ({"password1": "x" * 2000}, "at most 1024"),
    ],
)
def test_says_what_is_wrong_with_a_sign_up(browser, data, said):
    answer = browser.post("/account/signup/", {"email": EMAIL, "password1": STRONG} | data)

    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not User.objects.exists()


def test_resets_a_password_with_a_mailed_code(browser, browse_as, shopper):
    other = Client(headers={"Accept": "text/html"})
    other.force_login(shopper)
    browser.post("/account/password/reset/", {"email": shopper.email})

    browser.post("/account/password/reset/confirm/", {"code": code_in(mail.outbox[0])})
    answer = browser.post("/account/password/reset/complete/", {"password1": STRONG, "password2": STRONG})

    assert answer.headers["Location"] == "/account/password/reset/done/"
    assert browser.get("/account/password/reset/done/").status_code == 200
    assert not is_logged_in(other)
    assert is_logged_in(browse_as(shopper, STRONG))


def test_says_the_same_to_a_reset_whether_or_not_there_is_an_account(shopper):
    known, known_page = reset(Client(headers={"Accept": "text/html"}), shopper.email)
    unknown, unknown_page = reset(Client(headers={"Accept": "text/html"}), EMAIL)

    assert visible(known) == visible(unknown)
    assert text_of(known_page).replace(shopper.email, EMAIL) == text_of(unknown_page)
    assert "There is no account" in mail.outbox[1].subject


def test_asks_the_database_as_often_whether_or_not_there_is_an_account(shopper):
    asked = []
    for email in (shopper.email, EMAIL):
        with CaptureQueriesContext(connection) as queries:
            Client().post("/account/password/reset/", {"email": email})
        asked.append([query["sql"].split()[0] for query in queries])

    assert asked[0] == asked[1]


def reset(client, email):
    answer = client.post("/account/password/reset/", {"email": email})
    return answer, client.get("/account/password/reset/confirm/")


def test_mails_a_code_to_the_address_of_the_account_alone(browser, make_user):
    # The Kelvin sign in lower case is a k, so this finds the account; the mailbox is another one.
    kate = make_user(email="kate@example.com")
    EmailAddress.objects.filter(user=kate).update(email=kate.email)

    browser.post("/account/password/reset/", {"email": "\N{KELVIN SIGN}ate@example.com"})

    assert [message.to for message in mail.outbox] == [[kate.email]]


@pytest.mark.parametrize("email", ["ann", '"ann"@example.com', f"ann@{'ü' * 62}.de", "x" * 5000])
def test_sends_no_code_to_what_is_no_address(browser, email):
    assert browser.post("/account/password/reset/", {"email": email}).status_code == 200
    assert not mail.outbox


@pytest.mark.parametrize("code", ["", "000000", "abc", "0" * 17])
def test_takes_no_code_where_there_is_no_account(browser, code):
    reset(browser, EMAIL)

    browser.post("/account/password/reset/confirm/", {"code": code})

    assert browser.get("/account/password/reset/complete/").status_code == 302


def test_lets_nobody_skip_the_code(browser, shopper, password):
    reset(browser, shopper.email)

    browser.post("/account/password/reset/complete/", {"password1": STRONG, "password2": STRONG})

    shopper.refresh_from_db()
    assert shopper.check_password(password)


@pytest.mark.case("H9")
def test_changes_the_password_and_ends_every_other_session(browse_as, log_in, post, shopper, password):
    refresh = log_in(shopper)["refresh"]
    other = Client(headers={"Accept": "text/html"})
    other.force_login(shopper)
    browser = browse_as(shopper)

    answer = change(browser, password, STRONG)

    assert answer.headers["Location"] == "/account"
    assert is_logged_in(browser)
    assert not is_logged_in(other)
    assert post("refresh", refresh=refresh).status_code == 401
    assert post("login", email=shopper.email, password=STRONG).status_code == 200


def change(browser, old, new):
    return browser.post("/account/password/change/", {"oldpassword": old, "password1": new, "password2": new})


@pytest.mark.case("H1")
def test_gives_the_session_another_key_when_the_password_changes(browse_as, cookie_of, shopper, password):
    browser = browse_as(shopper)
    before = cookie_of(browser)

    change(browser, password, STRONG)

    assert cookie_of(browser) != before
    assert not StoredSession.objects.filter(pk=hash_of(before)).exists()


def test_changes_no_password_without_the_old_one(browse_as, shopper, password):
    answer = change(browse_as(shopper), "wrong", STRONG)

    assert "This is not your password." in answer.content.decode()
    shopper.refresh_from_db()
    assert shopper.check_password(password)


@pytest.mark.parametrize(
    "path",
    [
        "/account/login/",
        "/account/logout/",
        "/account/signup/",
        "/account/password/reset/",
        "/account/password/change/",
        "/account/reauthenticate/",
        "/account/login/code/",
        "/account/security/app/",
        "/account/security/app/remove/",
        "/account/security/codes/",
        "/account/sessions/end-others/",
        "/account/sessions/018f0000-0000-7000-8000-000000000000/end/",
    ],
)
@pytest.mark.case("H2")
def test_refuses_a_form_without_its_token(shopper, path):
    browser = Client(enforce_csrf_checks=True, headers={"Accept": "text/html"})
    browser.force_login(shopper)

    answer = browser.post(path, {"login": shopper.email, "password": "x"})

    assert answer.status_code == 403
    assert is_logged_in(browser)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/account/login/", "/account/logout/"])
@pytest.mark.case("H2")
def test_refuses_what_another_site_posts(browse_as, shopper, path, site):
    browser = browse_as(shopper)

    answer = browser.post(path, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert is_logged_in(browser)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost.evil.example:8000"])
@pytest.mark.case("H2", "H3")
def test_lets_no_other_origin_read_or_write(shopper, origin):
    browser = Client(enforce_csrf_checks=True, headers={"Accept": "text/html"})
    browser.get("/account/login/")
    token = browser.cookies["csrftoken"].value

    read = browser.get("/account/login/", headers={"Origin": origin})
    written = browser.post("/account/login/", {"csrfmiddlewaretoken": token}, headers={"Origin": origin})

    assert not [name for name in read.headers if name.startswith("Access-Control")]
    assert written.status_code == 403


@pytest.mark.parametrize(
    "path", ["/account/login/", "/account/signup/", "/account/password/reset/", "/account/inactive/"]
)
@pytest.mark.case("H5", "H7")
def test_has_nothing_inline_and_no_token_to_read(browser, path):
    answer = browser.get(path)
    page = answer.content.decode()

    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)|eyJ", page)


def test_writes_neither_password_nor_code_nor_cookie_to_the_log(
    caplog, capfd, signed_up, cookie_of, browse_as, shopper, password
):
    caplog.set_level(logging.DEBUG)
    code = code_in(mail.outbox[0])
    signed_up.post("/account/confirm-email/", {"code": code})
    key = cookie_of(signed_up)

    change(signed_up, STRONG, password + " more")

    written = caplog.text + "".join(capfd.readouterr())
    assert not [secret for secret in (STRONG, password, f'"{code}"', key) if secret in written]


def test_sends_strangers_from_the_account_to_log_in(browser):
    assert browser.get("/account").headers["Location"] == "/account/login/?next=/account"


@pytest.mark.parametrize(
    ("groups", "said", "unsaid"),
    [
        (["customer"], ["Customer", "/wallet", "/account/security/"], ["/staff", "/admin/gateway/"]),
        (["finance"], ["Looks after wallets", "/staff"], ["/admin/gateway/"]),
        (["superuser"], ["May do everything", "/staff", "/admin/gateway/"], []),
    ],
)
def test_shows_who_one_is(browse_as, make_user, groups, said, unsaid):
    user = make_user(groups=groups)

    main = browse_as(user).get("/account").content.decode().partition("<main")[2].partition("</main")[0]

    assert user.email in main
    assert [word for word in said if word not in main] == []
    assert [word for word in unsaid if word in main] == []


def test_keeps_the_number_of_queries(browse_as, shopper, django_assert_num_queries):
    browser = browse_as(shopper)

    with django_assert_num_queries(2):
        browser.get("/account")
    with django_assert_num_queries(0):
        Client(headers={"Accept": "text/html"}).get("/account/login/")
