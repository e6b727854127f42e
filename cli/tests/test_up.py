"""The commands on a running system: edge, web, services and PostgreSQL."""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import requests
from terminal import Mercato

ALL = {"postgres", "web", "wallet", "category", "product", "variant", "banner", "edge"}


@pytest.fixture(scope="module")
def running(mercato: Mercato) -> Mercato:
    answer = mercato.up()
    assert answer.returncode == 0, answer.stderr
    return mercato


def test_every_process_is_well(running: Mercato) -> None:
    status = running.status()

    assert status["healthy"]
    assert {process["name"] for process in status["processes"]} == ALL
    assert {process["health"] for process in status["processes"]} == {"ok"}
    assert status["data_dir"] == os.fspath(running.data_dir)
    assert status["keys_dir"] == os.fspath(running.data_dir / "keys")
    assert status["origin"] == f"http://localhost:{running.port}"


def test_makes_a_login_for_each_persona(running: Mercato) -> None:
    logins = json.loads(running("logins", "--json").stdout)

    assert [login["persona"] for login in logins] == [
        "shopper",
        "shopper-2",
        "catalogue-editor",
        "stock-keeper",
        "marketing",
        "finance",
        "support",
        "superuser",
    ]
    assert logins[0].keys() == {"persona", "email", "password", "totp_secret", "sub", "scopes"}
    assert "wallet:read" in logins[0]["scopes"]
    assert len({login["password"] for login in logins}) == 8
    assert (running.data_dir / "logins.json").stat().st_mode & 0o777 == 0o600


def test_gives_staff_an_authenticator_app(running: Mercato) -> None:
    logins = json.loads(running("logins", "--json").stdout)

    with_app = {login["persona"] for login in logins if login["totp_secret"]}
    assert with_app == {login["persona"] for login in logins} - {"shopper", "shopper-2"}


def test_prints_a_code_that_logs_in(running: Mercato) -> None:
    email, password = running("logins", "support").stdout.split()
    code = running("otp", "support").stdout.strip()

    url = f"http://localhost:{running.port}/api/v1/auth/login"
    known = {"email": email, "password": password}
    bare, right, again = (
        requests.post(url, json=known | more, timeout=10) for more in ({}, {"otp": code}, {"otp": code})
    )

    assert (bare.status_code, bare.json()["code"]) == (401, "otp-required")
    assert "orders:admin" in right.json()["scope"]
    assert (again.status_code, again.json()["code"]) == (401, "wrong-otp")


def test_has_no_code_for_a_shopper(running: Mercato) -> None:
    answer = running("otp", "shopper")

    assert answer.returncode == 1
    assert "no second factor" in answer.stderr


def test_prints_one_login_for_scripts(running: Mercato) -> None:
    email, password = running("logins", "shopper").stdout.split()

    known = json.loads(running("logins", "shopper", "--json").stdout)
    assert [(login["email"], login["password"]) for login in known] == [(email, password)]


@pytest.mark.parametrize(("persona", "balance"), [("shopper", 50_000), ("shopper-2", 12_000)])
def test_funds_the_wallets(running: Mercato, persona: str, balance: int) -> None:
    answer = running.wallet(running.token(persona))

    assert answer.status_code == 200
    assert answer.json()["balances"][0]["balance_minor"] == balance


def test_fills_the_shop(running: Mercato) -> None:
    url = f"http://localhost:{running.port}/api/v1/products"

    products = requests.get(url, params={"limit": "100"}, timeout=10).json()["data"]

    assert len(products) >= 64
    assert all(product["image"] and product["brand"] for product in products)


def test_a_second_seed_changes_nothing(running: Mercato) -> None:
    before = running("logins", "--json").stdout

    answer = running("seed")

    assert answer.stdout == "0 users made, 0 adjustments booked, 0 things put into the shop\n"
    assert running("logins", "--json").stdout == before


def test_seeding_mends_a_lost_file_of_logins(running: Mercato) -> None:
    (running.data_dir / "logins.json").unlink()

    answer = running("seed")

    assert answer.stdout == "8 users made, 0 adjustments booked, 0 things put into the shop\n"
    assert running.wallet(running.token("shopper")).json()["balances"][0]["balance_minor"] == 50_000


def test_makes_a_user_who_can_log_in(running: Mercato) -> None:
    answer = running("user", "create", "--email", "new@example.org", "--group", "customer")

    password = answer.stdout.split()[-1]
    url = f"http://localhost:{running.port}/api/v1/auth/login"
    login = requests.post(url, json={"email": "new@example.org", "password": password}, timeout=10)
    assert login.status_code == 200


def test_says_why_a_user_cannot_be_made(running: Mercato) -> None:
    answer = running("user", "create", "--email", "new@example.org", "--group", "nobodies")

    assert answer.returncode == 1
    assert "nobodies" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_says_whose_token_it_cannot_get(running: Mercato) -> None:
    answer = running("token", "--as", "stranger")

    assert (answer.returncode, answer.stdout) == (1, "")
    assert "there is no log-in 'stranger'" in answer.stderr


def test_refuses_to_start_twice(running: Mercato) -> None:
    answer = running.up()

    assert answer.returncode == 1
    assert "already running" in answer.stderr
    assert running.status()["healthy"]


def test_refuses_to_start_beside_another(running: Mercato, tmp_path: Path) -> None:
    answer = Mercato(tmp_path / "other", running.port).up()

    assert answer.returncode == 1
    assert f"port {running.port + 10} (web) is in use" in answer.stderr


def test_refuses_to_take_the_demo_to_a_public_origin(tmp_path: Path, free_port: Callable[[], int]) -> None:
    shop = Mercato(tmp_path / "seeded", free_port())
    shop.data_dir.mkdir()
    (shop.data_dir / "logins.json").write_text('{"logins": []}')

    answer = shop.up(MERCATO_ORIGIN="https://shop.example", MAIL_URL="smtps://mail.invalid")

    assert answer.returncode == 1
    assert "demo log-ins, which must not exist on https://shop.example" in answer.stderr
    assert not (shop.data_dir / "postgres").exists()


def test_shows_the_log_of_one_process(running: Mercato) -> None:
    assert "ready to accept connections" in running("logs", "postgres").stdout
    assert running("logs", "nothing").returncode == 1


@pytest.mark.parametrize("command", [("logins",), ("seed",), ("otp", "superuser")])
def test_refuses_demo_logins_behind_a_public_origin(running: Mercato, command: tuple[str, ...]) -> None:
    answer = running(*command, MERCATO_ORIGIN="https://shop.example")

    assert (answer.returncode, answer.stdout) == (1, "")
    assert "loopback" in answer.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_each_process_knows_only_what_it_needs(running: Mercato) -> None:
    known = {name: " ".join(psutil.Process(pid).environ()) for name, pid in running.processes().items()}

    assert "WALLET_DATABASE_URL" in known["wallet"]
    assert not re.findall("EDGE_KEY|GATEWAY|PRIVATE|OWNER", known["wallet"])
    assert not re.findall("DATABASE|SECRET|PRIVATE", known["edge"])
    assert not re.findall("WALLET_(?!URL)|OWNER", known["web"])


def test_migrates_beside_the_running_system(running: Mercato) -> None:
    answer = running("migrate")

    assert answer.returncode == 0
    assert "wallet migrated" in answer.stderr
    assert running.status()["healthy"]
