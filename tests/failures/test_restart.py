"""`mercato restart` replaces every process while requests come, and none of them fails."""

import http.client
import itertools
import json
import select
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field

import pytest
from forms import log_in_by_form

AMOUNT = 7
# What a page must show to be whole; one that a service is missing from says something else.
PAGES = {"/search?q=hoodie": "Tideline Hoodie", "/wallet": "€", "/p/tideline-hoodie": "Tideline Hoodie"}


@dataclass
class Load:
    """One client that sends the same request over and over, and tells how each went."""

    system: object
    method: str
    target: str
    headers: dict = field(default_factory=dict)
    body: bytes | None = None
    status: int = 200
    shows: str = ""
    is_kept: bool = True
    pause: float = 0.05
    sent: int = 0
    longest: float = 0.0
    failures: list = field(default_factory=list)
    connection: http.client.HTTPConnection | None = None

    def run(self, is_over):
        while not is_over.is_set():
            began = time.monotonic()
            try:
                self.ask()
            except (OSError, http.client.HTTPException) as exc:
                self.failures.append(f"{self.method} {self.target}: {exc!r}")
                self.hang_up()
            self.longest = max(self.longest, time.monotonic() - began)
            self.sent += 1
            time.sleep(self.pause)
        self.hang_up()

    def ask(self):
        connection = self.connected()
        own = {"Idempotency-Key": str(uuid.uuid4())} if self.method == "POST" else {}
        connection.request(self.method, self.target, self.body, self.headers | own)
        response = connection.getresponse()
        text = response.read().decode()
        if response.status != self.status or self.shows not in text:
            self.failures.append(f"{self.method} {self.target}: {response.status} {text[:300]}")
        if response.will_close or not self.is_kept:
            self.hang_up()

    def connected(self):
        # A connection that was closed before anything was sent on it may be replaced (RFC 9112 section
        # 9.3.1); one that is closed afterwards is a request that failed, and counts as such.
        if self.connection and select.select([self.connection.sock], [], [], 0)[0]:
            self.hang_up()
        if self.connection is None:
            self.connection = http.client.HTTPConnection("localhost", self.system.port, timeout=30)
            self.connection.connect()
        return self.connection

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection = None


@pytest.fixture
def loads(own_system):
    """Reads, bookings and pages, each by a client that keeps its connection and one that does not."""
    session = log_in_by_form(own_system, "shopper")
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
    shopper, finance = (own_system.log_in(persona)["access"] for persona in ("shopper", "finance"))
    booking = {
        "sub": own_system.logins["shopper-2"]["sub"],
        "direction": "credit",
        "amount_minor": AMOUNT,
        "currency": "EUR",
        "reason": "Load",
    }
    json_type = {"Content-Type": "application/json"}
    page_headers = {"Cookie": cookies, "Accept": "text/html"}
    kinds = [
        {"method": "GET", "target": "/api/v1/products?limit=3"},
        {"method": "GET", "target": "/api/v1/wallet", "headers": {"Authorization": f"Bearer {shopper}"}},
        {
            "method": "POST",
            "target": "/api/v1/wallet/adjustments",
            "headers": {"Authorization": f"Bearer {finance}"} | json_type,
            "body": json.dumps(booking).encode(),
            "status": 201,
        },
        *(
            {"method": "GET", "target": page, "headers": page_headers, "shows": shown, "pause": 0.2}
            for page, shown in PAGES.items()
        ),
    ]
    return [
        Load(own_system, is_kept=is_kept, **kind) for kind, is_kept in itertools.product(kinds, (True, False))
    ]


@pytest.fixture
def under_load(loads):
    """Does something while the requests come; returns what it returned, when the last answer is here."""

    def do(something):
        is_over = threading.Event()
        threads = [threading.Thread(target=load.run, args=(is_over,)) for load in loads]
        for thread in threads:
            thread.start()
        try:
            return something()
        finally:
            is_over.set()
            for thread in threads:
                thread.join()

    return do


def restart(system, *processes, **settings):
    command = [system.command, "restart", *processes]
    return subprocess.run(
        command, env=system.env | settings, capture_output=True, text=True, timeout=150, check=False
    )


def pids(system):
    done = subprocess.run(
        [system.command, "status", "--json"], env=system.env, capture_output=True, timeout=30, check=False
    )
    return {process["name"]: process["pid"] for process in json.loads(done.stdout)["processes"]}


def balance(system):
    token = system.log_in("shopper-2")["access"]
    [found] = system.request("GET", "/api/v1/wallet", token=token).json()["balances"]
    return found["balance_minor"]


def guess(system):
    body = {"email": "nobody@example.com", "password": "certainly not this one"}
    return system.request("POST", "/api/v1/auth/login", json=body).status_code


@pytest.mark.case("I3", "L2")
def test_replaces_every_process_under_load_without_a_failed_request(
    own_system, loads, under_load, eventually
):
    before, booked_before = pids(own_system), balance(own_system)
    guesses = [guess(own_system) for _ in range(6)]

    done = under_load(lambda: restart(own_system))

    bookings = sum(load.sent for load in loads if load.method == "POST")
    after = pids(own_system)
    assert (done.returncode, [load.failures for load in loads if load.failures]) == (0, []), done.stderr
    assert min(load.sent for load in loads) > 20
    assert balance(own_system) - booked_before == bookings * AMOUNT
    assert {name for name in own_system.programs if after[name] == before[name]} == set()
    # What was counted before counts at the new processes.
    assert [*guesses, guess(own_system)] == [401] * 5 + [429] * 2
    eventually(lambda: pids(own_system).keys() == before.keys())


def test_what_cannot_start_replaces_nothing(own_system):
    before = pids(own_system)

    done = restart(own_system, "banner", BANNER_WORKERS="many")

    assert done.returncode == 1
    assert "BANNER_WORKERS must be a whole number" in done.stderr
    assert "the old banner goes on" in done.stderr
    assert pids(own_system) == before
    assert own_system.request("GET", "/api/v1/banners").status_code == 200
    assert restart(own_system, "banner").returncode == 0, "the bad setting was kept"
