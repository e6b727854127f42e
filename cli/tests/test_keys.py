"""`mercato keys`: the steps of a key's life, and one line when one cannot be taken."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.tokens import keyring
from mercato.main import main


def keys(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["keys", arguments[0], "--data", str(data), *arguments[1:]])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    keyring.init(tmp_path / "keys")
    return tmp_path


def test_rotates_the_keys_of_a_data_directory(data: Path) -> None:
    made = keys(data, "next", "--holder", "catalog_variant")
    promoted = keys(data, "promote", "--now", "--kind", "service")

    assert (made.exit_code, made.output.count(" next ")) == (0, 1)
    assert (promoted.exit_code, promoted.output.count(" retiring ")) == (0, 1)
    assert keys(data, "retire").output == keys(data, "list").output == promoted.output
    assert keys(data, "check").output == "all well\n"


def test_revokes_a_key(data: Path) -> None:
    kid = keyring.list_keys(data / "keys")[0].kid

    done = keys(data, "revoke", kid)

    assert (done.exit_code, kid in done.output, done.output.count(" active ")) == (0, False, 5)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [(["promote"], "No key waits"), (["revoke", "nobody"], "There is no key nobody")],
)
def test_says_why_it_does_not(data: Path, arguments: list[str], problem: str) -> None:
    done = keys(data, *arguments)

    assert done.exit_code == 1
    assert problem in done.output
    assert "Traceback" not in done.output


def test_finds_what_is_wrong(data: Path) -> None:
    next((data / "keys" / "private").rglob("*.pem")).chmod(0o644)

    assert "others may use it" in keys(data, "check").output
