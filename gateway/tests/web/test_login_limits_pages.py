"""What happens when passwords are guessed by the form, and how a browser is known again."""

import re

import pytest
from django.core import mail
from django.test import Client

from gateway.accounts.models import User
from gateway.limits.models import KnownDevice
from gateway.limits.operations import take
from gateway.limits.quotas import LOG_IN, LOG_IN_ADDRESS, LOG_IN_UNKNOWN, SIGN_UP

pytestmark = pytest.mark.django_db

HERE = "192.0.2.1"
STRONG = "a long and unlikely phrase"


@pytest.fixture
def send(password):
    """Sends the form from an address."""

    def send(remote, email, secret=password, *, browser=None, **more):
        client = browser or Client(headers={"Accept": "text/html"})
        fields = {"login": email, "password": secret} | more
        return client.post("/account/login/", fields, REMOTE_ADDR=remote)

    return send


@pytest.fixture
def under_attack():
    """As if strangers in many networks had tried an account, so often that it asks them for a code."""

    def attack(email):
        for _ in range(LOG_IN_UNKNOWN.quota):
            take(LOG_IN_UNKNOWN, email)

    return attack


def code_in(message):
    return re.search(r"^([0-9]{8})$", message.body, re.MULTILINE)[1]


def text_of(answer):
    main = answer.content.decode().partition("<main")[2].partition("</main")[0]
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"value=\S*", "", main)).split())


def is_let_in(answer):
    return answer.status_code == 302


@pytest.mark.case("I2")
def test_shows_a_page_to_whoever_tries_too_often(send, shopper):
    for n in range(5):
        send(HERE, shopper.email, f"guess {n}")

    refused = send(HERE, shopper.email)

    assert refused.status_code == 429
    assert 290 <= int(refused.headers["Retry-After"]) <= 300
    assert refused.headers["RateLimit-Policy"] == '"login";q=5;w=300'
    assert "A little slower, please" in text_of(refused)
    assert f"Try again in {refused.headers['Retry-After']} seconds" in text_of(refused)
    assert "script-src 'self'" in refused.headers["Content-Security-Policy"]


def test_counts_the_form_and_the_api_together(send, post, shopper, password):
    for n in range(3):
        send("127.0.0.1", shopper.email, f"guess {n}")
        post("login", email=shopper.email, password=f"guess {n}")

    assert post("login", email=shopper.email, password=password).status_code == 429


@pytest.mark.case("I2")
def test_locks_no_victim_out_of_a_browser_that_they_have_used(send, browse_as, under_attack, shopper):
    browser = browse_as(shopper)
    browser.post("/account/logout/")
    under_attack(shopper.email)
    # Somebody beside them, behind the same address, uses up what that address has.
    for _ in range(LOG_IN_ADDRESS.quota):
        take(LOG_IN_ADDRESS, HERE)
    for _ in range(LOG_IN.quota):
        take(LOG_IN, shopper.email, "192.0.2.0/24")

    assert send(HERE, shopper.email).status_code == 429
    assert is_let_in(send(HERE, shopper.email, browser=browser))


def test_limits_what_a_known_browser_may_try(send, browse_as, shopper):
    browser = browse_as(shopper)
    browser.post("/account/logout/")

    answers = [send(HERE, shopper.email, "wrong", browser=browser).status_code for _ in range(6)]

    assert answers == [200] * 5 + [429]


@pytest.mark.case("I2")
def test_asks_a_new_browser_for_a_mailed_code(send, under_attack, shopper):
    under_attack(shopper.email)

    asked = send(HERE, shopper.email)
    let_in = send(HERE, shopper.email, code=code_in(mail.outbox[0]))

    assert "There were many attempts" in text_of(asked)
    assert "Code from the mail Log in" in text_of(asked)
    assert 'name="code"' in asked.content.decode()
    assert is_let_in(let_in)


def test_asks_again_when_the_code_is_wrong(send, under_attack, shopper):
    under_attack(shopper.email)
    send(HERE, shopper.email)

    answer = send(HERE, shopper.email, code="00000000")

    assert "This is not the code" in text_of(answer)
    assert 'name="code"' in answer.content.decode()


@pytest.mark.case("I1")
def test_asks_for_a_code_whether_or_not_there_is_an_account(send, under_attack, shopper):
    for email in (shopper.email, "nobody@example.com"):
        under_attack(email)

    answers = [send(HERE, email, "wrong") for email in (shopper.email, "nobody@example.com")]

    assert text_of(answers[0]) == text_of(answers[1])


def test_asks_for_no_code_in_peace(browser):
    assert 'name="code"' not in browser.get("/account/login/").content.decode()


def test_names_a_browser_when_somebody_logs_in(browse_as, shopper):
    cookie = browse_as(shopper).cookies["device"]

    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == 365 * 86_400
    assert KnownDevice.objects.get().user == shopper


def test_names_nobody_who_only_tries(send, shopper):
    browser = Client()

    send(HERE, shopper.email, "wrong", browser=browser)

    assert "device" not in browser.cookies
    assert not KnownDevice.objects.exists()


def test_knows_a_browser_for_the_accounts_that_used_it_alone(
    send, browse_as, under_attack, shopper, make_user
):
    browser = browse_as(make_user())
    browser.post("/account/logout/")
    under_attack(shopper.email)

    assert "There were many attempts" in text_of(send(HERE, shopper.email, browser=browser))


def test_keeps_a_browsers_name_for_all_who_use_it(send, browse_as, shopper, make_user):
    browser = browse_as(shopper)
    name = browser.cookies["device"].value
    browser.post("/account/logout/")

    send(HERE, make_user().email, browser=browser)

    assert browser.cookies["device"].value == name
    assert KnownDevice.objects.count() == 2


@pytest.mark.parametrize("value", ["", "made-up", "made-up.signature", "." * 500, "\u00e9.x"])
def test_believes_no_name_that_it_did_not_give(send, under_attack, shopper, value):
    browser = Client(headers={"Accept": "text/html"})
    browser.cookies["device"] = value
    under_attack(shopper.email)

    assert "There were many attempts" in text_of(send(HERE, shopper.email, browser=browser))


def test_knows_the_browser_of_a_reset_and_no_other_any_more(send, browse_as, under_attack, shopper):
    other = browse_as(shopper)
    other.post("/account/logout/")
    under_attack(shopper.email)
    browser = Client(headers={"Accept": "text/html"})
    browser.post("/account/password/reset/", {"email": shopper.email}, REMOTE_ADDR=HERE)
    [code] = re.findall(r"^([0-9]{6})$", mail.outbox[0].body, re.MULTILINE)
    browser.post("/account/password/reset/confirm/", {"code": code}, REMOTE_ADDR=HERE)
    browser.post("/account/password/reset/complete/", {"password1": STRONG, "password2": STRONG})

    assert is_let_in(send(HERE, shopper.email, STRONG, browser=browser))
    assert not is_let_in(send("203.0.113.1", shopper.email, STRONG, browser=other))


@pytest.mark.case("I4")
@pytest.mark.parametrize("email", ["shopper", "nobody"])
def test_mails_an_address_five_times_an_hour_from_one_network(browser, shopper, email):
    named = {"shopper": shopper.email, "nobody": "nobody@example.com"}[email]

    answers = [
        browser.post("/account/password/reset/", {"email": named}, REMOTE_ADDR=HERE).status_code
        for _ in range(6)
    ]

    assert answers == [302] * 5 + [429]
    assert len(mail.outbox) == 5


def test_mails_an_owner_whom_others_have_flooded(browse_as, shopper):
    browser = browse_as(shopper)
    browser.post("/account/logout/")
    for network in range(31):
        Client().post("/account/password/reset/", {"email": shopper.email}, REMOTE_ADDR=f"198.51.{network}.1")
    assert len(mail.outbox) == 30

    browser.post("/account/password/reset/", {"email": shopper.email}, REMOTE_ADDR=HERE)

    assert len(mail.outbox) == 31


def test_makes_thirty_accounts_an_hour_from_one_address():
    def sign_up(n):
        fields = {"email": f"new{n}@example.com", "password1": STRONG}
        return Client().post("/account/signup/", fields, REMOTE_ADDR=HERE).status_code

    for _ in range(SIGN_UP.quota - 1):
        take(SIGN_UP, HERE)

    assert (sign_up(0), sign_up(1)) == (302, 429)
    assert User.objects.count() == 1
