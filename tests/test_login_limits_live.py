"""Guessing passwords at the running shop, from many addresses of this machine and with made-up headers."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from requests.adapters import HTTPAdapter

PASSWORD = "certainly not this one"


class From(HTTPAdapter):
    """Sends from an address of this machine. All of 127.0.0.0/8 is its own."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, source_address=(self.address, 0), **options)


@pytest.fixture
def guess(system):
    """The answer to a wrong password from an address, through the edge unless told otherwise."""

    def guess(email, address, headers=None, origin=""):
        body = {"email": email, "password": PASSWORD}
        with requests.Session() as session:
            session.mount("http://", From(address))
            url = f"{origin or f'http://127.0.0.1:{system.port}'}/api/v1/auth/login"
            return session.post(url, json=body, headers=headers or {}, timeout=20)

    return guess


@pytest.fixture
def victim(save_user):
    """Somebody whom no other test logs in: in a new browser the attacked need a code from their mail."""
    login = {"email": "victim@example.com", "password": "correct horse battery staple"}
    save_user(**login, groups=["customer"])
    return login


def made_up(number):
    address = f"203.0.{number}.7"
    return {
        "X-Forwarded-For": address,
        "Forwarded": f"for={address}",
        "X-Real-IP": address,
        "X-Client-IP": address,
        "X-Edge-Key": "x" * 43,
        "Via": f"1.1 {address}",
    }


@pytest.mark.case("F4", "I2", "I3")
@pytest.mark.parametrize("process", ["edge", "web"])
def test_counts_an_address_whatever_headers_it_sends(system, guess, process):
    # Two addresses of one network, of which nothing is left for either.
    network = {"edge": 51, "web": 52}[process]
    origin = {"edge": "", "web": system.url_of("web")}[process]

    answers = [
        guess(f"nobody-{process}@example.com", f"127.0.{network}.{n % 2 + 1}", made_up(n), origin)
        for n in range(7)
    ]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 2
    # Through the edge, its limit of all requests stands beside it.
    assert answers[-1].headers["RateLimit-Policy"].partition(", ")[0] == '"login";q=5;w=300'
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 300


@pytest.mark.case("I2")
def test_lets_no_more_through_when_all_come_at_once(guess):
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda n: guess("nobody-at-once@example.com", "127.0.53.1"), range(20)))

    assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 15}


@pytest.mark.case("I2")
def test_locks_no_victim_out_however_many_addresses_try(system, guess, victim):
    # The address that tests log in from is known to the account; those of the attack are not.
    def log_in():
        return system.request("POST", "/api/v1/auth/login", json=victim).status_code

    assert log_in() == 200

    answers = [guess(victim["email"], f"127.1.{n}.1") for n in range(24)]

    codes = Counter(answer.json()["code"] for answer in answers)
    assert codes == {"wrong-credentials": 20, "login-code-required": 4}
    assert log_in() == 200
