"""The seed's door for a shop that runs elsewhere, as in containers."""

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mercato.api import Tokens
from mercato.main import main
from mercato.topology import wants_demo

NOBODY_THERE = "http://127.0.0.1:9"


def seed(folder: Path, **env: str) -> Result:
    return CliRunner().invoke(main, ["seed", "--edge", NOBODY_THERE, "--data", str(folder)], env=env)


@pytest.mark.parametrize("env", [{"SEED": "off"}, {"MERCATO_ORIGIN": "https://shop.example"}])
def test_asks_nobody_where_no_demo_is_wanted(tmp_path: Path, env: dict[str, str]) -> None:
    answer = seed(tmp_path, **env)

    assert (answer.exit_code, answer.output.split(":")[0]) == (0, "no demo")


def test_needs_the_log_ins(tmp_path: Path) -> None:
    answer = seed(tmp_path, SEED="on")

    assert answer.exit_code == 1
    assert "mercato provision makes them" in answer.stderr


def test_says_when_there_is_no_shop(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["provision", str(tmp_path)])

    answer = seed(tmp_path / "secrets" / "demo")

    assert answer.exit_code == 1
    assert f"no answer from {NOBODY_THERE}" in answer.stderr


@pytest.mark.parametrize(
    ("setting", "origin", "wanted"),
    [
        ("", "http://localhost:8000", True),
        ("on", "http://localhost:8000", True),
        ("off", "http://localhost:8000", False),
        ("on", "https://shop.example", False),
        ("on", "https://localhost", False),
    ],
)
def test_wants_a_demo_on_this_machine_unless_it_is_off(
    monkeypatch: pytest.MonkeyPatch, setting: str, origin: str, wanted: bool
) -> None:
    monkeypatch.setenv("SEED", setting)

    assert wants_demo(origin) is wanted


def test_refuses_another_word_for_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEED", "false")

    with pytest.raises(SystemExit, match="SEED must be on or off"):
        wants_demo("http://localhost:8000")


def test_reads_from_a_token_whom_it_speaks_for() -> None:
    payload = base64.urlsafe_b64encode(json.dumps({"sub": "0190-ann"}).encode()).decode().rstrip("=")

    assert Tokens(f"e30.{payload}.c2ln", "", 300).subject == "0190-ann"
