"""The short form of the fuzzing of tokens, and that it would tell."""

import subprocess
import sys
from pathlib import Path

import pytest
from fuzz_tokens import Tally, Thrown, throw

from chassis.keys import KeyStore
from chassis.testing.attacks import Aim
from chassis.testing.forge import Forge, write_keys
from chassis.tokens import Verifier

PROGRAM = Path(__file__).with_name("fuzz_tokens.py")
ORIGIN = "http://localhost:8000"
COUNT = 3000


def answering(status):
    def app(_environ, start_response):
        start_response(status, [])
        return [b""]

    return app


def raising(_environ, _start_response):
    raise KeyError


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A verifier, and a token that it takes."""
    folder = tmp_path_factory.mktemp("keys")
    write_keys(folder, services={})
    token = Aim(Forge(folder, issuer=ORIGIN), "wallet").token
    return Verifier(KeyStore(folder / "public"), issuer=ORIGIN, audience="wallet"), token


def wrong(good, value, signed, app):
    tally = Tally()
    throw(Thrown(value, signed), good[0], app, "app", tally)
    return tally.wrong


@pytest.mark.case("A18", "A19", "A25", "A29", "A30", "A31", "A32", "B10", "D2")
def test_finds_nothing_among_a_few_thousand():
    command = [sys.executable, PROGRAM, "--count", str(COUNT)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{COUNT:,} tokens, 0 wrong" in done.stdout


@pytest.mark.parametrize(
    "app", [raising, answering("500 Internal Server Error"), answering("200 OK"), answering("302 Found")]
)
def test_would_tell_of_an_application_that_does_not_refuse(good, app):
    assert len(wrong(good, "Bearer a.b.c", "", app)) == 1


def test_would_tell_of_a_token_that_nobody_signed(good):
    assert len(wrong(good, f"Bearer {good[1]}", "another", answering("200 OK"))) == 1


def test_takes_a_good_token_for_what_it_is(good):
    assert wrong(good, f"Bearer {good[1]}", good[1].rpartition(".")[0], answering("200 OK")) == []
