"""Files that only their owner reads, and one supervisor at a time."""

from pathlib import Path

import pytest

from mercato.credentials import load_credentials
from mercato.failures import Failure
from mercato.home import AlreadyRunning, Home, UnreadableFile, read_json, write_private_json


def test_generates_secrets_once(home: Home) -> None:
    first = load_credentials(home, ["gateway", "wallet"])

    second = load_credentials(home, ["gateway", "wallet"])

    assert first == second
    assert home.secrets_file.stat().st_mode & 0o777 == 0o600


def test_no_two_secrets_are_alike(home: Home) -> None:
    made = load_credentials(home, ["gateway", "wallet"])

    of_services = [value for own in made.services.values() for value in vars(own).values()]
    everything = [made.edge_key, made.postgres_password, *of_services]
    assert len(set(everything)) == 8
    assert min(len(secret) for secret in everything) >= 48


def test_adds_secrets_of_a_new_service_and_keeps_the_rest(home: Home) -> None:
    before = load_credentials(home, ["gateway"])

    after = load_credentials(home, ["gateway", "wallet"])

    assert after.services["gateway"] == before.services["gateway"]
    assert after.edge_key == before.edge_key


def test_a_second_supervisor_is_refused(home: Home) -> None:
    with home.lock(), pytest.raises(AlreadyRunning, match="mercato down"), home.lock():
        pass

    assert not home.is_running()


def test_a_block_elsewhere_is_not_mistaken_for_another_supervisor(home: Home) -> None:
    with pytest.raises(BlockingIOError, match="of a pipe"), home.lock():
        raise BlockingIOError("of a pipe")


def test_replaces_a_file_with_a_private_one(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text("{}")
    path.chmod(0o644)

    write_private_json(path, {"a": 1})

    assert read_json(path) == {"a": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00"])
def test_says_which_file_is_broken(tmp_path: Path, content: str) -> None:
    path = tmp_path / "f.json"
    path.write_text(content)

    with pytest.raises(UnreadableFile, match=r"f\.json"):
        read_json(path)


def test_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Failure, match="cannot make the data directory"):
        Home.at(tmp_path / "file" / "data").prepare()
