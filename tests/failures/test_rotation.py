"""Keys are rotated and revoked under load: no valid client is refused, and what leaked is within a second."""

import json
import subprocess
import threading
import time
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import requests
from forms import log_in_by_form

from chassis.files import replace_file
from chassis.testing.forge import decode

WALLET = "/api/v1/wallet"
FOLLOWED_SECONDS = 1.0


class Account:
    """A client of the API that renews its tokens all the time."""

    def __init__(self, system, persona):
        self.system = system
        self.tokens = system.log_in_anew(persona)

    def renew(self, http):
        answer = ask(
            http, "POST", f"{self.system.origin}/api/v1/auth/refresh", json={"refresh": self.refresh}
        )
        if answer.status_code == 200:
            self.tokens = answer.json()
        return answer

    @property
    def access(self):
        return self.tokens["access"]

    @property
    def refresh(self):
        return self.tokens["refresh"]


def ask(http, method, url, *, token="", **options):
    headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    return http.request(method, url, headers=headers, timeout=10, **options)


@contextmanager
def under_load(clients):
    """Has the clients ask again and again; in the end all must have had the status that is theirs each time.

    A client is a status and what asks, given a connection of its own.
    """
    is_over, wrong, counts = threading.Event(), [], dict.fromkeys(clients, 0)

    def go_on(name):
        status, call = clients[name]
        with requests.Session() as http:
            while not is_over.wait(0.1):
                answer = call(http)
                counts[name] += 1
                if answer.status_code != status:
                    wrong.append(f"{name}: {answer.status_code} {answer.text[:300]}")

    threads = [threading.Thread(target=go_on, args=(name,)) for name in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert wrong == []
    assert min(counts.values()) >= 5, counts


@pytest.fixture(scope="module")
def shopper(own_system):
    return Account(own_system, "shopper")


@pytest.fixture(scope="module")
def editor(own_system):
    return Account(own_system, "catalogue-editor")


@pytest.fixture(scope="module")
def clients(own_system, shopper):
    """Who logs in, renews and looks at pages."""
    origin, known = own_system.origin, own_system.logins["shopper-2"]
    cookies = log_in_by_form(own_system, "shopper").cookies
    credentials = {"email": known["email"], "password": known["password"]}
    return {
        "log-in": (200, lambda http: ask(http, "POST", f"{origin}/api/v1/auth/login", json=credentials)),
        "page": (200, lambda http: shows_balance(ask(http, "GET", f"{origin}/wallet", cookies=cookies))),
        "renewal": (200, shopper.renew),
    }


@pytest.fixture(scope="module")
def callers(own_system, shopper, editor):
    """Who shows access tokens; what an editor asks makes each service of the catalog ask another one."""
    origin = own_system.origin
    category = own_system.request("GET", "/api/v1/categories?limit=1").json()["data"][0]["id"]
    path = f"{origin}/api/v1/categories/{category}"
    return {
        "wallet": (200, lambda http: ask(http, "GET", origin + WALLET, token=shopper.access)),
        "editor": (200, editor.renew),
        "category": (409, lambda http: delete(http, path, editor.access)),
        "product": (
            422,
            lambda http: ask(http, "POST", f"{origin}/api/v1/products", token=editor.access, json=product()),
        ),
        "variant": (
            422,
            lambda http: ask(http, "POST", f"{origin}/api/v1/variants", token=editor.access, json=variant()),
        ),
    }


def shows_balance(page):
    # A wallet that is away is said on a page that is otherwise well.
    if "€" not in page.text:
        page.status_code = 0
    return page


def product():
    return {"title": "Rotated", "categories": [str(uuid.uuid4())]}


def variant():
    price = {"amount_minor": 100, "currency": "EUR"}
    return {"product": str(uuid.uuid4()), "sku": uuid.uuid4().hex[:12], "options": {}, "price": price}


def delete(http, path, token):
    found = ask(http, "GET", path)
    return ask(http, "DELETE", path, token=token, headers={"If-Match": found.headers["ETag"]})


def keys(system, *arguments):
    """Runs a command about keys, which must end well, and returns what it says."""
    command = [system.command, "keys", *arguments]
    done = subprocess.run(command, env=system.env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def active_kid(system, kind):
    [line] = [
        line for line in keys(system, "list").splitlines() if f" {kind} " in line and " active " in line
    ]
    return line.split()[-1]


def published(system):
    return {key["kid"] for key in json.loads((system.keys_dir / "public" / "jwks.json").read_text())["keys"]}


def kid_of(token):
    return json.loads(decode(token.split(".")[0]))["kid"]


def let_a_month_pass(system):
    """Has the keys that retire be past their time."""
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    for path in (system.keys_dir / "private").glob("*/state.json"):
        state = json.loads(path.read_text())
        aged = {
            kid: entry | ({"retire_at": past} if "retire_at" in entry else {}) for kid, entry in state.items()
        }
        replace_file(path, json.dumps(aged).encode(), mode=0o600)


def statuses(system, token):
    """What edge and wallet say to an access token."""
    url = f"{system.wallet_url}{WALLET}"
    return [
        ask(requests, "GET", f"{system.origin}{WALLET}", token=token).status_code,
        ask(
            requests, "GET", url, token=token, headers={"Host": system.origin.partition("//")[2]}
        ).status_code,
    ]


@pytest.mark.case("C8")
def test_rotates_every_key_without_refusing_anybody(own_system, shopper, clients, callers):
    kept, before = shopper.access, published(own_system)

    with under_load(clients | callers):
        keys(own_system, "next")
        keys(own_system, "promote", "--now")
        time.sleep(2 * FOLLOWED_SECONDS)  # Everybody has renewed by then what the old keys had signed.
        with_both, is_still_good = published(own_system), statuses(own_system, kept)
        let_a_month_pass(own_system)
        keys(own_system, "retire")
        time.sleep(FOLLOWED_SECONDS + 0.5)

    assert (len(with_both), is_still_good) == (8, [200, 200])
    assert len(published(own_system)) == 4
    assert published(own_system) == with_both - before
    assert kid_of(shopper.access) in published(own_system)
    assert statuses(own_system, kept) == [401, 401]
    assert keys(own_system, "check") == "all well\n"


@pytest.mark.case("A26")
def test_an_access_key_that_leaked_is_void_within_a_second(own_system, shopper, clients, eventually):
    leaked = shopper.access
    assert statuses(own_system, leaked) == [200, 200]

    with under_load(clients):
        keys(own_system, "revoke", kid_of(leaked))
        eventually(lambda: statuses(own_system, leaked) == [401, 401], FOLLOWED_SECONDS)
        time.sleep(FOLLOWED_SECONDS)

    assert kid_of(leaked) not in published(own_system)
    assert statuses(own_system, shopper.access) == [200, 200]
    assert keys(own_system, "check") == "all well\n"


def test_a_refresh_key_that_leaked_is_void_within_a_second(own_system, shopper, clients, eventually):
    kid = active_kid(own_system, "refresh")
    others = {name: client for name, client in clients.items() if name != "renewal"}

    with under_load(others), requests.Session() as http:
        keys(own_system, "revoke", kid)
        eventually(lambda: shopper.renew(http).status_code == 401, FOLLOWED_SECONDS)
        shopper.tokens = own_system.log_in_anew("shopper")
        assert kid_of(shopper.refresh) == active_kid(own_system, "refresh") != kid
        assert shopper.renew(http).status_code == 200
