"""What happens when passwords are guessed, by the API; test_login_limits_pages.py has the form."""

import re
import threading
from collections import Counter
from datetime import timedelta

import pytest
from argon2 import low_level
from django.core import mail
from django.db import connection, connections
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from gateway.accounts.factors import set_totp
from gateway.limits.models import Counter as Attempts
from gateway.limits.models import KnownDevice
from gateway.limits.operations import take
from gateway.limits.quotas import CODE, LOG_IN_ADDRESS, LOG_IN_UNKNOWN, REFRESH, RESET, SIGN_UP

NOBODY = "nobody@example.com"
HERE = "192.0.2.1"
MAILED = re.compile(r"^([0-9]{8})$", re.MULTILINE)


@pytest.fixture
def log_in_from(anonymous, password):
    """Logs in from an address, with the right password unless told otherwise."""

    def attempt(remote, email, secret=password, **more):
        body = {"email": email, "password": secret} | more
        return anonymous.post("/api/v1/auth/login", body, format="json", REMOTE_ADDR=remote)

    return attempt


@pytest.fixture
def guess(log_in_from):
    """Tries wrong passwords from an address: the answers' statuses."""

    def attempt(remote, email, times=1):
        return [log_in_from(remote, email, f"guess {n}").status_code for n in range(times)]

    return attempt


@pytest.fixture
def under_attack():
    """As if strangers in many networks had tried an account, so often that it asks them for a code."""

    def attack(email):
        for _ in range(LOG_IN_UNKNOWN.quota):
            take(LOG_IN_UNKNOWN, email)

    return attack


def code_in(message):
    return MAILED.search(message.body)[1]


def later(**by):
    Attempts.objects.update(ends_at=F("ends_at") - timedelta(**by))


def said(answer):
    """An answer without what differs between any two."""
    times = re.compile(r";t=[0-9]+")
    headers = {name: times.sub("", value) for name, value in answer.headers.items() if name != "X-Request-ID"}
    return answer.status_code, headers, {k: v for k, v in answer.json().items() if k != "request_id"}


@pytest.mark.django_db
@pytest.mark.case("I2")
def test_refuses_the_sixth_wrong_password_from_a_network(guess, log_in_from, shopper):
    assert guess(HERE, shopper.email, 5) == [401] * 5

    refused = log_in_from("192.0.2.200", shopper.email)

    assert refused.status_code == 429
    assert refused.json()["code"] == "too-many-requests"
    assert 290 <= int(refused.headers["Retry-After"]) <= 300
    assert refused.headers["RateLimit-Policy"] == '"login";q=5;w=300'
    assert refused.headers["RateLimit"].startswith('"login";r=0;t=')


@pytest.mark.django_db
def test_says_how_many_attempts_are_left(log_in_from, shopper):
    answer = log_in_from(HERE, shopper.email, "wrong")

    assert answer.headers["RateLimit-Policy"] == '"login";q=5;w=300, "login-address";q=30;w=600'
    assert answer.headers["RateLimit"] == '"login";r=4;t=300, "login-address";r=29;t=600'


@pytest.mark.django_db
def test_lets_in_after_the_window(guess, log_in_from, shopper):
    guess(HERE, shopper.email, 5)
    later(seconds=301)

    assert log_in_from(HERE, shopper.email).status_code == 200


@pytest.mark.django_db
@pytest.mark.case("I2")
def test_refuses_one_address_that_tries_many_accounts(guess, log_in_from, shopper):
    sprayed = [guess(HERE, f"somebody{n}@example.com")[0] for n in range(30)]

    refused = log_in_from(HERE, shopper.email)

    assert sprayed == [401] * 30
    assert (refused.status_code, refused.headers["RateLimit-Policy"]) == (429, '"login-address";q=30;w=600')
    assert log_in_from("192.0.2.2", shopper.email).status_code == 200


@pytest.mark.django_db
@pytest.mark.case("I2")
def test_forgives_nothing_else_when_one_attempt_succeeds(guess, log_in_from, shopper, make_user):
    own = make_user().email
    for n in range(3):
        guess(HERE, f"somebody{n}@example.com")
        log_in_from(HERE, own)
    for _ in range(27):
        take(LOG_IN_ADDRESS, HERE)

    assert guess(HERE, shopper.email) == [429]


@pytest.mark.django_db
@pytest.mark.case("I2")
def test_counts_no_success(log_in_from, shopper):
    answers = [log_in_from(HERE, shopper.email).status_code for _ in range(7)]

    assert answers == [200] * 7


@pytest.mark.django_db
@pytest.mark.case("I2")
@pytest.mark.parametrize(
    "spellings",
    [
        ("kate@example.com", "KATE@example.com", "Kate@EXAMPLE.com", "\N{KELVIN SIGN}ate@example.com"),
        ("nobody@example.com", "NOBODY@example.com", "Nobody@Example.com", " nobody@example.com "),
    ],
)
def test_counts_all_spellings_of_an_email_together(guess, make_user, spellings):
    make_user(email="kate@example.com")

    answers = [guess(HERE, spelling)[0] for spelling in (*spellings, *spellings)]

    assert answers == [401] * 5 + [429] * 3


@pytest.mark.django_db
@pytest.mark.case("F4", "I2")
@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"]
)
def test_counts_the_same_whatever_a_client_says_about_its_address(anonymous, shopper, name):
    def attempt(which):
        value = f"for=203.0.{which}.9" if name == "Forwarded" else f"203.0.{which}.9"
        body = {"email": shopper.email, "password": "wrong"}
        return anonymous.post("/api/v1/auth/login", body, format="json", headers={name: value}).status_code

    assert [attempt(which) for which in range(6)] == [401] * 5 + [429]


@pytest.mark.django_db
def test_counts_the_address_that_the_edge_tells_of(settings, shopper):
    edge = APIClient()
    edge.credentials(HTTP_X_EDGE_KEY=settings.EDGE_KEY)

    def attempt(remote):
        body = {"email": shopper.email, "password": "wrong"}
        return edge.post("/api/v1/auth/login", body, format="json", headers={"X-Forwarded-For": remote})

    assert [attempt(HERE).status_code for _ in range(6)] == [401] * 5 + [429]
    assert attempt("203.0.113.1").status_code == 401


@pytest.mark.case("I2", "I3")
def test_lets_five_of_many_parallel_guesses_through(committed, make_user, password):
    shopper = make_user()
    start = threading.Barrier(30)
    answers = []

    def attempt(n):
        client = APIClient()
        start.wait()
        body = {"email": shopper.email, "password": f"guess {n}"}
        answers.append(client.post("/api/v1/auth/login", body, format="json").status_code)
        connections.close_all()

    threads = [threading.Thread(target=attempt, args=(n,)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(answers) == {401: 5, 429: 25}


class Hashing:
    """Stands before the library that computes Argon2, and counts what it is asked."""

    def __init__(self, real):
        self.real = real
        self.count = 0

    def __getattr__(self, name):
        self.count += name in {"argon2_hash", "argon2_verify"}
        return getattr(self.real, name)


@pytest.fixture
def hashing(monkeypatch):
    spy = Hashing(low_level.lib)
    monkeypatch.setattr(low_level, "lib", spy)
    return spy


@pytest.fixture
def emails(shopper, make_user, post):
    """One of each kind of account, and of none."""
    post("register", email="unproved@example.com", password="a long and unlikely phrase")
    assert len(mail.outbox) == 1
    mail.outbox.clear()
    return {
        "known": shopper.email,
        "unknown": NOBODY,
        "inactive": make_user(is_active=False).email,
        "unproved": "unproved@example.com",
    }


KINDS = ["known", "unknown", "inactive", "unproved"]


@pytest.mark.django_db
@pytest.mark.case("I1", "I2")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_attacked", [False, True], ids=["in peace", "under attack"])
def test_computes_one_hash_whoever_is_named(log_in_from, under_attack, emails, hashing, kind, is_attacked):
    if is_attacked:
        under_attack(emails[kind])
    hashing.count = 0

    log_in_from(HERE, emails[kind], "wrong")

    assert hashing.count == 1


@pytest.mark.django_db
def test_computes_one_hash_when_the_password_is_right_and_none_past_a_limit(
    log_in_from, guess, shopper, hashing
):
    log_in_from(HERE, shopper.email)
    assert hashing.count == 1

    guess(HERE, shopper.email, 5)
    hashing.count = 0
    assert log_in_from(HERE, shopper.email).status_code == 429
    assert hashing.count == 0


@pytest.mark.django_db
@pytest.mark.case("I1")
@pytest.mark.parametrize("kind", KINDS[1:])
def test_says_the_same_under_attack_whoever_is_named(log_in_from, under_attack, emails, kind):
    for email in (emails["known"], emails[kind]):
        under_attack(email)

    known = log_in_from(HERE, emails["known"], "wrong")
    other = log_in_from("203.0.113.1", emails[kind], "wrong")

    assert known.json()["code"] == "login-code-required"
    assert known.headers["WWW-Authenticate"] == 'Bearer realm="mercato"'
    assert said(known) == said(other)


@pytest.mark.django_db
@pytest.mark.case("I1")
def test_asks_the_database_as_often_under_attack_whoever_is_named(log_in_from, under_attack, emails):
    asked = {}
    for kind in KINDS:
        under_attack(emails[kind])
        log_in_from(HERE, emails[kind], "wrong")  # The mail goes out once.
        with CaptureQueriesContext(connection) as queries:
            log_in_from(HERE, emails[kind], "wrong")
        asked[kind] = len(queries)

    assert set(asked.values()) == {asked["known"]}


@pytest.mark.django_db
@pytest.mark.case("I2")
def test_asks_everybody_new_for_a_code_when_many_addresses_have_tried_one_account(
    log_in_from, guess, shopper
):
    answers = [
        guess(f"198.51.{network}.{which}", shopper.email) for network in range(5) for which in range(4)
    ]

    assert answers == [[401]] * 20
    assert log_in_from("203.0.113.1", shopper.email).json()["code"] == "login-code-required"


@pytest.mark.django_db
@pytest.mark.case("I2")
def test_asks_a_device_that_is_new_for_a_mailed_code_when_many_have_tried(log_in_from, under_attack, shopper):
    under_attack(shopper.email)

    asked = log_in_from(HERE, shopper.email)
    let_in = log_in_from(HERE, shopper.email, code=code_in(mail.outbox[0]))

    assert (asked.status_code, asked.json()["code"]) == (401, "login-code-required")
    assert mail.outbox[0].to == [shopper.email]
    assert let_in.status_code == 200


@pytest.mark.django_db
def test_mails_no_code_to_whom_it_would_not_help(log_in_from, under_attack, emails):
    for kind in ("unknown", "inactive"):
        under_attack(emails[kind])
        log_in_from(HERE, emails[kind])

    assert len(mail.outbox) == 0


@pytest.mark.django_db
def test_needs_the_password_beside_the_code(log_in_from, under_attack, shopper):
    under_attack(shopper.email)
    log_in_from(HERE, shopper.email)
    code = code_in(mail.outbox[0])

    refused = log_in_from(HERE, shopper.email, "wrong", code=code)
    let_in = log_in_from(HERE, shopper.email, code=code)

    assert (refused.status_code, refused.json()["code"]) == (401, "wrong-credentials")
    assert let_in.status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["00000000", "1", "\u0661" * 8, "x" * 16])
def test_tells_a_wrong_code_from_a_missing_one_and_says_nothing_of_the_password(
    log_in_from, under_attack, shopper, code
):
    under_attack(shopper.email)
    log_in_from(HERE, shopper.email)

    answers = [log_in_from(HERE, shopper.email, code=code), log_in_from(HERE, NOBODY, code=code)]
    wrong = log_in_from(HERE, shopper.email, "wrong", code=code)

    assert answers[0].json()["code"] == "login-code-required"
    assert "not the code" in answers[0].json()["detail"]
    assert answers[0].json()["detail"] == wrong.json()["detail"]


@pytest.mark.django_db
def test_takes_a_log_in_code_once(log_in_from, under_attack, shopper):
    under_attack(shopper.email)
    log_in_from(HERE, shopper.email)
    code = code_in(mail.outbox[0])
    log_in_from(HERE, shopper.email, code=code)

    again = log_in_from("203.0.113.1", shopper.email, code=code)

    assert again.json()["code"] == "login-code-required"
    assert code_in(mail.outbox[1]) != code


@pytest.mark.django_db
def test_takes_a_log_in_code_for_twenty_minutes(log_in_from, under_attack, shopper):
    under_attack(shopper.email)
    log_in_from(HERE, shopper.email)
    later(minutes=20, seconds=1)

    again = log_in_from(HERE, shopper.email, code=code_in(mail.outbox[0]))

    assert again.json()["code"] == "login-code-required"


@pytest.mark.django_db
def test_takes_no_code_of_another_account(log_in_from, under_attack, shopper, make_user):
    other = make_user()
    for user in (shopper, other):
        under_attack(user.email)
    log_in_from(HERE, other.email)

    refused = log_in_from(HERE, shopper.email, code=code_in(mail.outbox[0]))

    assert refused.json()["code"] == "login-code-required"


@pytest.mark.django_db
def test_mails_three_codes_an_hour_at_most(log_in_from, under_attack, shopper):
    under_attack(shopper.email)

    for minute in range(0, 55, 5):
        log_in_from(f"203.0.{minute}.1", shopper.email)
        Attempts.objects.filter(count__lt=20).update(ends_at=F("ends_at") - timedelta(minutes=5))

    assert len(mail.outbox) == 3


@pytest.mark.django_db
@pytest.mark.case("I2")
def test_locks_no_victim_out_from_where_they_have_logged_in_before(log_in_from, under_attack, guess, shopper):
    assert log_in_from(HERE, shopper.email).status_code == 200

    under_attack(shopper.email)
    guess("198.51.100.1", shopper.email, 9)

    assert log_in_from("192.0.2.77", shopper.email).status_code == 200


@pytest.mark.django_db
@pytest.mark.case("I2")
def test_locks_no_victim_out_of_a_new_device(log_in_from, under_attack, guess, shopper):
    under_attack(shopper.email)
    log_in_from(HERE, shopper.email)
    code = code_in(mail.outbox[0])

    # Strangers elsewhere try codes, and have as many mailed as they can.
    strangers = [
        log_in_from(f"203.0.{n}.1", shopper.email, "wrong", code=f"{n:08}").status_code for n in range(9)
    ]

    assert strangers == [401] * 9
    assert log_in_from(HERE, shopper.email, code=code).status_code == 200


@pytest.mark.django_db
def test_limits_the_tries_of_a_code_from_one_network(log_in_from, under_attack, shopper):
    under_attack(shopper.email)

    answers = [log_in_from(HERE, shopper.email, code=f"{n:08}").status_code for n in range(7)]

    assert answers == [401] * 5 + [429] * 2


@pytest.mark.django_db
def test_knows_a_network_for_thirty_days(log_in_from, under_attack, shopper):
    log_in_from(HERE, shopper.email)
    under_attack(shopper.email)
    [device] = KnownDevice.objects.all()
    left = device.expires_at - timezone.now()

    KnownDevice.objects.update(expires_at=timezone.now())

    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)
    assert log_in_from(HERE, shopper.email).json()["code"] == "login-code-required"


@pytest.mark.django_db
def test_knows_the_network_of_a_reset_and_no_other_any_more(
    log_in_from, under_attack, anonymous, shopper, password
):
    log_in_from("203.0.113.1", shopper.email)
    under_attack(shopper.email)

    def reset(**more):
        body = {"email": shopper.email} | more
        return anonymous.post("/api/v1/auth/password/reset", body, format="json", REMOTE_ADDR=HERE)

    reset()
    [code] = re.findall(r"^([0-9]{6})$", mail.outbox[0].body, re.MULTILINE)
    reset(code=code, password=password + "!")

    assert log_in_from(HERE, shopper.email, password + "!").status_code == 200
    assert log_in_from("203.0.113.1", shopper.email, password + "!").status_code == 401


@pytest.mark.django_db
def test_reads_no_device_cookie(anonymous, browse_as, under_attack, shopper, password):
    browser = browse_as(shopper)
    under_attack(shopper.email)
    anonymous.cookies = browser.cookies

    body = {"email": shopper.email, "password": password}
    answer = anonymous.post("/api/v1/auth/login", body, format="json", REMOTE_ADDR=HERE)

    assert answer.json()["code"] == "login-code-required"


@pytest.mark.django_db
def test_writes_neither_code_nor_email_nor_address_to_log_or_tables(
    log_in_from, under_attack, shopper, caplog, capfd
):
    under_attack(shopper.email)
    log_in_from(HERE, shopper.email)
    log_in_from(HERE, shopper.email, code=code_in(mail.outbox[0]))

    kept = [*Attempts.objects.values_list("key"), *KnownDevice.objects.values_list("key")]
    written = caplog.text + "".join(capfd.readouterr()) + str(kept)
    assert [secret for secret in (code_in(mail.outbox[0]), shopper.email, HERE) if secret in written] == []


@pytest.mark.django_db
@pytest.mark.case("I2")
def test_lets_nobody_who_has_the_password_use_up_the_tries_of_a_known_device(
    log_in_from, make_user, totp_secret, otp_of
):
    clerk = make_user()
    set_totp(clerk, totp_secret)
    let_in = log_in_from(HERE, clerk.email, otp=otp_of(clerk))
    strangers = [log_in_from(f"203.0.{n}.1", clerk.email, otp="000000").status_code for n in range(11)]

    assert let_in.status_code == 200
    assert strangers == [401] * 10 + [429]
    assert log_in_from(HERE, clerk.email, otp="000000").json()["code"] == "wrong-otp"


@pytest.mark.django_db
@pytest.mark.case("I4")
@pytest.mark.parametrize("name", ["email/verify", "password/reset"])
def test_limits_the_tries_of_mailed_codes_from_an_address(anonymous, name):
    def attempt(n):
        body = {"email": f"somebody{n}@example.com", "code": "000000"}
        more = {"password": "a long and unlikely phrase"} if name == "password/reset" else {}
        return anonymous.post(
            f"/api/v1/auth/{name}", body | more, format="json", REMOTE_ADDR=HERE
        ).status_code

    for _ in range(CODE.quota - 1):
        take(CODE, HERE)

    assert [attempt(n) for n in range(2)] == [400, 429]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "limit"), [("register", SIGN_UP), ("password/reset", RESET)])
def test_limits_what_makes_accounts_and_mail_from_an_address(anonymous, name, limit):
    def ask(n):
        body = {"email": f"somebody{n}@example.com"}
        more = {"password": "a long and unlikely phrase"} if name == "register" else {}
        return anonymous.post(f"/api/v1/auth/{name}", body | more, format="json", REMOTE_ADDR=HERE)

    for _ in range(limit.quota - 1):
        take(limit, HERE)

    answers = [ask(n) for n in range(2)]

    assert [answer.status_code for answer in answers] == [202, 429]
    assert answers[1].headers["RateLimit-Policy"] == f'"{limit.name}";q=30;w=3600'


@pytest.mark.django_db
def test_limits_a_client_that_never_stops_renewing(anonymous):
    for _ in range(2):
        take(REFRESH, HERE)
    Attempts.objects.update(count=REFRESH.quota - 1)

    answers = [
        anonymous.post("/api/v1/auth/refresh", {"refresh": "x"}, format="json", REMOTE_ADDR=HERE).status_code
        for _ in range(2)
    ]

    assert answers == [401, 429]
