"""Databases of one's own, named in the environment."""

from pathlib import Path

import pytest

from chassis.env import ConfigurationError
from mercato.databases import external_urls
from mercato.topology import WALLET, DatabaseUrls


@pytest.fixture(autouse=True)
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WALLET_DATABASE_URL", "WALLET_OWNER_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def test_takes_the_urls_from_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "app").write_text("db://app\n")
    (tmp_path / "owner").write_text("db://owner\n")
    monkeypatch.setenv("WALLET_DATABASE_URL_FILE", str(tmp_path / "app"))
    monkeypatch.setenv("WALLET_OWNER_DATABASE_URL_FILE", str(tmp_path / "owner"))

    assert external_urls(WALLET) == DatabaseUrls("db://app", "db://owner")


def test_the_owner_is_the_app_role_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WALLET_DATABASE_URL", "db://app")

    assert external_urls(WALLET) == DatabaseUrls("db://app", "db://app")


@pytest.mark.parametrize("name", ["WALLET_DATABASE_URL", "WALLET_DATABASE_URL_FILE"])
def test_an_empty_variable_names_no_database(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, " ")

    assert external_urls(WALLET) is None


def test_refuses_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WALLET_DATABASE_URL_FILE", str(tmp_path / "nowhere"))

    with pytest.raises(ConfigurationError, match="WALLET_DATABASE_URL_FILE cannot be read"):
        external_urls(WALLET)
