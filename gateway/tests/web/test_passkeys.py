import json
import time
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.core import mail
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from gateway.accounts import passkeys
from gateway.accounts.models import StoredSession
from gateway.accounts.operations import void_sessions
from gateway.accounts.session_store import SessionStore
from gateway.limits.models import Counter
from gateway.limits.operations import Claim, take
from gateway.limits.quotas import CHALLENGE

pytestmark = pytest.mark.django_db

ADD = "/account/passkeys/add/"
LOG_IN = "/account/login/passkey/"
SECOND_STEP = "/account/login/code/"
REAUTHENTICATE = "/account/reauthenticate/"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Device:
    """What makes and uses a passkey, as an authenticator does (WebAuthn section 6)."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: uuid4().bytes)
    counter: int = 0
    owner: bytes = b""
    origin: str = "http://localhost:8000"
    host: str = "localhost"
    flags: int = PRESENT | VERIFIED

    def create(self, options):
        public = options["publicKey"]
        self.owner = public["user"]["id"]
        made = AttestedCredentialData.create(
            b"\0" * 16, self.id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = AuthenticatorData.create(self._host_hash(), self.flags | ATTESTED, self.counter, made)
        said = self._said(CollectedClientData.TYPE.CREATE, public["challenge"])
        attested = AttestationObject.create("none", data, {})
        return self._credential(clientDataJSON=said, attestationObject=bytes(attested))

    def get(self, options):
        self.counter += 1
        data = AuthenticatorData.create(self._host_hash(), self.flags, self.counter)
        said = self._said(CollectedClientData.TYPE.GET, options["publicKey"]["challenge"])
        signature = self.key.sign(data + sha256(said).digest(), ec.ECDSA(SHA256()))
        answer = self._credential(clientDataJSON=said, authenticatorData=data, signature=signature)
        answer["response"]["userHandle"] = self.owner
        return answer

    def _credential(self, **response):
        return {
            "id": websafe_encode(self.id),
            "rawId": websafe_encode(self.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {name: websafe_encode(value) for name, value in response.items()},
        }

    def _host_hash(self):
        return sha256(self.host.encode()).digest()

    def _said(self, kind, challenge):
        return CollectedClientData.create(kind, challenge, self.origin)


def challenge_of(browser, path="/account/passkeys/challenge/"):
    answer = browser.post(path)
    assert answer.status_code == 200, answer.headers
    return answer.json()


def sent(credential, **more):
    return {"credential": json.dumps(credential), **more}


def add(browser, device, name="Laptop"):
    return browser.post(ADD, sent(device.create(challenge_of(browser, f"{ADD}challenge/")), name=name))


def new_browser():
    return Client(headers={"Accept": "text/html"})


def use(browser, device, path=LOG_IN, **more):
    return browser.post(path, sent(device.get(challenge_of(browser)), **more))


def is_logged_in(browser):
    return browser.get("/account/password/change/").status_code == 200


@pytest.fixture(autouse=True)
def origin(settings):
    assert Device.origin == settings.ORIGIN


@pytest.fixture
def device():
    return Device()


@pytest.fixture
def added(browse_as, shopper, device):
    """The shopper's browser, in which the passkey of the device was added."""
    browser = browse_as(shopper)
    assert add(browser, device).status_code == 200
    return browser


def test_is_added_with_recovery_codes(browse_as, shopper, device):
    answer = add(browse_as(shopper), device)

    assert "Your recovery codes" in answer.content.decode()
    assert Authenticator.objects.filter(user=shopper, type="webauthn").count() == 1
    assert Authenticator.objects.filter(user=shopper, type="recovery_codes").count() == 1


def test_is_added_to_others_without_new_codes(added):
    assert add(added, Device(), "Phone").headers["Location"] == "/account/security/"

    page = added.get("/account/security/").content.decode()
    assert "Laptop" in page
    assert "Phone" in page


def test_asks_for_a_key_that_can_log_in_alone(browse_as, shopper):
    options = challenge_of(browse_as(shopper), f"{ADD}challenge/")["publicKey"]

    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["rp"] == {"id": "localhost", "name": "Mercato"}
    assert str(shopper.pk) not in options["user"]["id"]


@pytest.mark.case("H1")
def test_gives_the_session_another_key(browse_as, shopper, device, cookie_of):
    browser = browse_as(shopper)
    before = cookie_of(browser)

    add(browser, device)

    assert cookie_of(browser) != before
    assert SessionStore(cookie_of(browser))["amr"] == ["pwd", "hwk"]


def test_logs_in_without_a_password(added, device, cookie_of):
    browser = new_browser()

    answer = use(browser, device, next="/wallet")

    assert answer.headers["Location"] == "/wallet"
    assert is_logged_in(browser)
    assert SessionStore(cookie_of(browser))["amr"] == ["hwk"]


def test_opens_the_admins(browse_as, make_user, device, cookie_of, ask_with_cookie):
    add(browse_as(make_user(groups=["finance"]), with_otp=False), device)
    browser = new_browser()

    use(browser, device)

    assert ask_with_cookie(cookie_of(browser)).status_code == 200


def test_is_asked_for_after_the_password(added, shopper, password, device, cookie_of):
    browser = new_browser()
    browser.post("/account/login/", {"login": shopper.email, "password": password})
    assert not is_logged_in(browser)

    use(browser, device, SECOND_STEP)

    assert is_logged_in(browser)
    assert SessionStore(cookie_of(browser))["amr"] == ["pwd", "hwk"]


def test_proves_once_more_who_it_is(added, device, cookie_of):
    store = SessionStore(cookie_of(added))
    store["auth_time"] -= 3600
    store.save()

    answer = use(added, device, REAUTHENTICATE, next=ADD)

    assert answer.headers["Location"] == ADD
    assert SessionStore(cookie_of(added))["auth_time"] == pytest.approx(time.time(), abs=3)


FORGERIES = {
    "another origin": {"origin": "http://evil.example"},
    "a subdomain": {"origin": "http://sub.localhost:8000"},
    "another port": {"origin": "http://localhost:9000"},
    "another host": {"host": "evil.example"},
    "nobody there": {"flags": VERIFIED},
    "no finger": {"flags": PRESENT},
    "another key": {"key": ec.generate_private_key(ec.SECP256R1())},
    "an unknown key": {"id": b"unknown"},
    "another owner": {"owner": websafe_encode(uuid4().bytes)},
    "no owner": {"owner": ""},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_lets_nobody_in_with(added, device, forgery):
    for name, value in FORGERIES[forgery].items():
        setattr(device, name, value)
    browser = new_browser()

    assert use(browser, device).headers["Location"].startswith("/account/login/")
    assert not is_logged_in(browser)


@pytest.mark.parametrize("forgery", ["another origin", "another host", "nobody there", "no finger"])
def test_is_not_added_with(browse_as, shopper, device, forgery):
    for name, value in FORGERIES[forgery].items():
        setattr(device, name, value)

    add(browse_as(shopper), device)

    assert not Authenticator.objects.exists()


def test_lets_nobody_in_with_an_answer_of_before(added, device):
    options = challenge_of(new_browser())
    browser = new_browser()
    challenge_of(browser)

    browser.post(LOG_IN, sent(device.get(options)))

    assert not is_logged_in(browser)


def test_takes_an_answer_once(added, device):
    browser = new_browser()
    answer = sent(device.get(challenge_of(browser)))
    browser.post(LOG_IN, answer)
    browser.post("/account/logout/")

    browser.post(LOG_IN, answer)

    assert not is_logged_in(browser)


def test_takes_no_challenge_of_long_ago(added, device, monkeypatch):
    browser = new_browser()
    answer = sent(device.get(challenge_of(browser)))
    monkeypatch.setattr(passkeys, "_SECONDS", -1)

    browser.post(LOG_IN, answer)

    assert not is_logged_in(browser)


def test_refuses_a_copy_of_the_key(added, device):
    use(new_browser(), device)
    use(new_browser(), device)
    device.counter = 0
    browser = new_browser()

    use(browser, device)

    assert not is_logged_in(browser)


def test_takes_no_passkey_of_somebody_else_for_the_second_step(added, device, make_user, password, browse_as):
    other, theirs = make_user(), Device()
    victim = new_browser()
    victim.force_login(other)
    add(victim, theirs)
    attacker = new_browser()
    attacker.post("/account/login/", {"login": other.email, "password": password})

    use(attacker, device, SECOND_STEP)

    assert not is_logged_in(attacker)


def test_lets_nobody_in_who_may_not_log_in(added, device, shopper):
    shopper.is_active = False
    shopper.save(update_fields=["is_active"])
    browser = new_browser()

    use(browser, device)

    assert not is_logged_in(browser)


NONSENSE = [
    "",
    "x",
    "[]",
    "null",
    "{}",
    '{"a": 1, "a": 2}',
    "[" * 10_000,
    '{"a":' * 3_000,
    "x" * 20_000,
    '{"id": 1, "rawId": 1, "type": 1, "response": 1}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "", '
    '"authenticatorData": "", "signature": "", "userHandle": null}}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30", '
    '"authenticatorData": "AAAA", "signature": "AA", "userHandle": "AA"}}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30", '
    '"attestationObject": "_____w"}}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "W10", '
    '"attestationObject": "oA"}}',
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_takes_no_nonsense(added, shopper, nonsense):
    stranger = new_browser()
    challenge_of(stranger)
    assert stranger.post(LOG_IN, {"credential": nonsense}).status_code == 302

    challenge_of(added, f"{ADD}challenge/")
    assert added.post(ADD, {"credential": nonsense, "name": "x"}).status_code == 200
    challenge_of(added)
    assert added.post(REAUTHENTICATE, {"credential": nonsense}).status_code == 200
    assert not is_logged_in(stranger)
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_has_no_more_than_twenty(added, monkeypatch):
    monkeypatch.setattr(passkeys, "MOST", 1)

    assert "could not be added" in add(added, Device()).content.decode()
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def path_of(shopper):
    [row] = Authenticator.objects.filter(user=shopper, type="webauthn")
    return f"/account/passkeys/{row.data['id']}/"


def test_can_be_called_something_else(added, shopper):
    path = path_of(shopper)
    assert "Laptop" in added.get(path).content.decode()

    assert added.post(path, {"name": "The old <b>one</b>"}).status_code == 302

    assert "The old &lt;b&gt;one&lt;/b&gt;" in added.get("/account/security/").content.decode()
    assert added.post(path, {"name": ""}).status_code == 200
    assert added.post(path, {"name": "x" * 61}).status_code == 200


def test_can_be_removed(added, shopper, device, cookie_of):
    assert added.post(path_of(shopper), {"remove": "1"}).status_code == 302

    browser = new_browser()
    use(browser, device)
    assert not is_logged_in(browser)
    assert not Authenticator.objects.exists()
    assert SessionStore(cookie_of(added))["amr"] == ["pwd"]


@pytest.mark.case("K1")
@pytest.mark.parametrize("data", [{"name": "mine"}, {"remove": "1"}])
def test_is_nobody_elses_to_change(added, shopper, make_user, data):
    stranger = new_browser()
    stranger.force_login(make_user())

    assert stranger.get(path_of(shopper)).status_code == 404
    assert stranger.post(path_of(shopper), data).status_code == 404
    assert Authenticator.objects.get(user=shopper, type="webauthn").data["name"] == "Laptop"


@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example/", "/\\evil.example"])
@pytest.mark.case("H4")
def test_never_leads_off_the_site(added, device, where):
    browser = new_browser()

    assert use(browser, device, next=where).headers["Location"] == "/"
    assert use(added, device, REAUTHENTICATE, next=where).headers["Location"] == "/"


@pytest.mark.parametrize("path", [ADD, f"{ADD}challenge/", "/account/passkeys/challenge/", LOG_IN])
@pytest.mark.case("H2")
def test_needs_the_token_of_the_form(shopper, path):
    browser = Client(enforce_csrf_checks=True, headers={"Accept": "text/html"})
    browser.force_login(shopper)

    assert browser.post(path, {"credential": "{}"}).status_code == 403


@pytest.mark.parametrize(
    ("address", "is_possible"),
    [
        ("https://shop.example", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_needs_a_name_of_the_site(settings, address, is_possible):
    settings.ORIGIN = address

    assert passkeys.are_possible() is is_possible


def test_keeps_the_number_of_queries(added, device, django_assert_num_queries):
    browser = new_browser()
    options = challenge_of(browser)

    # Four of them for the mail about a new device, which is counted, in a transaction with the device.
    with django_assert_num_queries(19):
        browser.post(LOG_IN, sent(device.get(options)))


def told():
    return [message.subject.removeprefix("Your Mercato account: ") for message in mail.outbox]


def test_tells_its_owner_by_mail_that_it_was_added_and_removed(browse_as, shopper, device):
    browser = browse_as(shopper)
    add(browser, device, "<Call 0900>")
    key = passkeys.rows_of(shopper).get().data["id"]
    browser.post(f"/account/passkeys/{key}/", {"name": "another name"})

    browser.post(f"/account/passkeys/{key}/", {"remove": ""})

    assert told() == ["a passkey was added", "a passkey was removed"]
    # Who adds it chooses its name, and would choose what the owner reads.
    assert not [message for message in mail.outbox if "Call" in message.body]


def test_tells_nobody_of_one_that_was_not_added(browse_as, shopper):
    browse_as(shopper).post(ADD, sent({}, name="x"))

    assert told() == []


def test_tells_its_owner_of_a_log_in_from_a_new_browser(added, device):
    use(new_browser(), device)

    assert told()[1:] == ["a log-in from a new device"]


def test_counts_no_password_of_an_earlier_log_in(added, shopper, password, device):
    browser = new_browser()
    browser.post("/account/login/", {"login": shopper.email, "password": password})
    void_sessions(user=shopper)

    use(browser, device)

    assert is_logged_in(browser)


@pytest.mark.parametrize("tag", [b"\x81", b"\xa1\x01"], ids=["lists", "maps"])
def test_takes_no_boundlessly_nested_answer(added, shopper, device, tag):
    browser = new_browser()
    credential = device.get(challenge_of(browser))
    deep = device._host_hash() + b"\x85" + b"\0\0\0\x09" + tag * 4000
    credential["response"]["authenticatorData"] = websafe_encode(deep)

    assert browser.post(LOG_IN, sent(credential)).status_code == 302
    assert not is_logged_in(browser)


def test_adds_no_boundlessly_nested_passkey(browse_as, shopper, device):
    browser = browse_as(shopper)
    credential = device.create(challenge_of(browser, f"{ADD}challenge/"))
    credential["response"]["attestationObject"] = websafe_encode(b"\x81" * 8000)

    assert browser.post(ADD, sent(credential, name="Deep")).status_code == 200
    assert not Authenticator.objects.exists()


def test_gives_an_address_so_many_challenges_and_keeps_no_session_for_more():
    for _ in range(CHALLENGE.most):
        take(CHALLENGE, "192.0.2.1")
    kept = StoredSession.objects.count()

    refused = new_browser().post("/account/passkeys/challenge/", REMOTE_ADDR="192.0.2.1")

    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) <= CHALLENGE.seconds
    assert StoredSession.objects.count() == kept
    assert new_browser().post("/account/passkeys/challenge/", REMOTE_ADDR="192.0.2.2").status_code == 200


def test_counts_no_challenge_of_whoever_has_a_session(added):
    added.post("/account/passkeys/challenge/")

    assert not Counter.objects.filter(key=Claim(CHALLENGE, ("127.0.0.1",)).key).exists()


def test_counts_each_challenge_of_a_visitor():
    new_browser().post("/account/passkeys/challenge/")
    browser = new_browser()
    browser.post("/account/passkeys/challenge/")
    browser.post("/account/passkeys/challenge/")

    assert Counter.objects.get(key=Claim(CHALLENGE, ("127.0.0.1",)).key).count == 3
