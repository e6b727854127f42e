"""What `mercato restart` asks, and when it refuses; the failures suite shows it at work."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from mercato.home import Home, write_private_json
from mercato.main import main
from mercato.restarting import Restarts, RestartUnderWay, ask_for, only_one
from mercato.stack import Stack


@pytest.fixture
def restarts(home: Home, tmp_path: Path) -> Restarts:
    """A supervisor's side, with no process that could be replaced."""
    return Restarts(home, Stack([], tmp_path), list)


@pytest.mark.parametrize("processes", [(), ("wallet",), ("nobody",)])
def test_refuses_when_nothing_runs(home: Home, processes: tuple[str, ...]) -> None:
    done = CliRunner().invoke(main, ["restart", *processes, "--data", str(home.data_dir)])

    assert done.exit_code == 1


def test_two_restarts_do_not_mix(home: Home) -> None:
    with only_one(home), pytest.raises(RestartUnderWay), only_one(home):
        pytest.fail("there were two")


def test_waits_its_turn_after_somebody_who_has_gone(home: Home, restarts: Restarts) -> None:
    with only_one(home):
        ask_for(home, ["wallet"])

    with pytest.raises(RestartUnderWay), only_one(home):
        pytest.fail("its wish would be lost")
    restarts.look()
    with only_one(home):
        pass


def test_no_wish_is_written_over_an_answer_that_is_not_the_last(home: Home) -> None:
    write_private_json(home.restart_file, {"answers": "1", "replaced": [], "is_over": False})

    with pytest.raises(RestartUnderWay), only_one(home):
        pytest.fail("its wish would be lost")


def test_says_what_does_not_run(home: Home, restarts: Restarts) -> None:
    progress = ask_for(home, ["wallet"])
    before = progress()

    restarts.look()

    assert (before.is_over, progress().is_over) == (False, True)
    assert progress().failure == "not running: wallet"


def test_a_setting_of_a_restart_that_failed_is_forgotten(
    home: Home, restarts: Restarts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WALLET_WORKERS", "7")
    ask_for(home, ["wallet"])
    monkeypatch.setenv("WALLET_WORKERS", "1")

    restarts.look()

    assert os.environ["WALLET_WORKERS"] == "1"


def test_settings_are_for_their_user_only_and_gone_with_the_answer(
    home: Home, restarts: Restarts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_URL", "smtp://user:password@mail.example")
    ask_for(home, ["web"])
    mode = home.restart_file.stat().st_mode & 0o777

    restarts.look()

    assert mode == 0o600
    assert "password" not in home.restart_file.read_text()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"processes": ["wallet"]}'])
def test_no_file_stops_the_supervisor(home: Home, restarts: Restarts, content: str) -> None:
    home.restart_file.write_text(content)

    restarts.look()

    assert home.restart_file.read_text() == content


def test_a_wish_from_before_the_start_is_not_fulfilled(home: Home, tmp_path: Path) -> None:
    write_private_json(home.restart_file, {"number": "1", "processes": ["wallet"], "settings": {}})

    Restarts(home, Stack([], tmp_path), list)

    assert not home.restart_file.exists()
