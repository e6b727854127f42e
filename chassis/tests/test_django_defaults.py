import pytest

from chassis.django.defaults import allowed_hosts, app_role, database_owner, databases, server
from chassis.env import ConfigurationError


def test_reads_a_database_url_as_libpq_does(monkeypatch):
    monkeypatch.setenv(
        "SHOP_DATABASE_URL", "postgresql://app:p%40ss@/shop?host=/run/pg&port=5433&sslmode=require"
    )

    default = databases("SHOP")["default"]

    assert (default["USER"], default["PASSWORD"], default["NAME"]) == ("app", "p@ss", "shop")
    assert (default["HOST"], default["PORT"]) == ("/run/pg", "5433")
    assert default["OPTIONS"]["sslmode"] == "require"
    assert "statement_timeout=5000" in default["OPTIONS"]["options"]


@pytest.mark.parametrize("url", ["postgresql://:bad", "no url", "postgresql://host/", "postgresql://u@/"])
def test_refuses_a_database_url_it_cannot_use(monkeypatch, url):
    monkeypatch.setenv("SHOP_DATABASE_URL", url)

    with pytest.raises(ConfigurationError, match="SHOP_DATABASE_URL"):
        databases("SHOP")


def test_migrates_as_the_owner_when_there_is_one(monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE_URL", "postgresql://app@/shop")
    without = database_owner("SHOP")
    monkeypatch.setenv("SHOP_OWNER_DATABASE_URL", "postgresql://owner@/shop")

    assert (without["USER"], database_owner("SHOP")["USER"]) == ("app", "owner")


def test_listens_where_the_environment_says(monkeypatch):
    monkeypatch.setenv("SHOP_BIND", "0.0.0.0:9")

    assert server("SHOP", 8001) == {"bind": ("0.0.0.0", 9), "workers": 1, "threads": 4}  # noqa: S104


@pytest.mark.parametrize(
    ("origin", "hosts"),
    [
        ("https://shop.example", ["shop.example"]),
        ("https://shop.example:8443", ["shop.example"]),
        ("http://localhost:8000", ["127.0.0.1", "[::1]", "localhost"]),
    ],
)
def test_serves_the_host_of_the_origin(origin, hosts):
    assert allowed_hosts(origin) == hosts


def test_reads_a_database_url_from_a_file(monkeypatch, tmp_path):
    path = tmp_path / "url"
    path.write_text("postgresql://app:secret@db/shop\n")
    monkeypatch.setenv("SHOP_DATABASE_URL_FILE", str(path))

    assert databases("SHOP")["default"]["PASSWORD"] == "secret"


def test_takes_an_empty_owner_for_none(monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE_URL", "postgresql://app@/shop")
    monkeypatch.setenv("SHOP_OWNER_DATABASE_URL", "")

    assert database_owner("SHOP")["USER"] == "app"


def test_refuses_an_owner_of_another_database(monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE_URL", "postgresql://app@/shop")
    monkeypatch.setenv("SHOP_OWNER_DATABASE_URL", "postgresql://owner@/other")

    with pytest.raises(ConfigurationError, match="same database"):
        database_owner("SHOP")


def test_gives_migrations_the_time_they_take(monkeypatch):
    monkeypatch.setenv("SHOP_DATABASE_URL", "postgresql://app@/shop")

    assert "statement_timeout" not in database_owner("SHOP")["OPTIONS"]["options"]


@pytest.mark.parametrize(("owner", "role"), [("owner", "app"), ("app", "")])
def test_grants_to_the_running_role_unless_it_owns_everything(owner, role):
    assert app_role({"default": {"USER": "app"}}, {"USER": owner}) == role
