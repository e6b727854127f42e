import pytest

from chassis.env import (
    ConfigurationError,
    env_bind,
    env_directory,
    env_float,
    env_int,
    env_list,
    env_origin,
    env_secret,
    env_str,
)


def test_reads_a_value_without_the_space_around_it(monkeypatch):
    monkeypatch.setenv("THING", "  value ")

    assert env_str("THING") == "value"


def test_takes_the_default_for_an_empty_value(monkeypatch):
    monkeypatch.setenv("THING", " ")

    assert env_str("THING", "default") == "default"


def test_stops_the_process_in_one_line_without_a_required_value(monkeypatch):
    monkeypatch.delenv("THING", raising=False)

    with pytest.raises(SystemExit) as stop:
        env_str("THING")

    assert isinstance(stop.value, ConfigurationError)
    assert str(stop.value.code).endswith(": THING is not set.")


@pytest.mark.parametrize(("text", "number"), [("0.5", 0.5), ("10", 10.0), ("1.25", 1.25), ("", 2.0)])
def test_reads_a_number_with_a_point(monkeypatch, text, number):
    monkeypatch.setenv("THING", text)

    assert env_float("THING", 2.0, minimum=0.5, maximum=10) == number


@pytest.mark.parametrize("text", ["-1", "0.4", "10.1", "nan", "inf", "1e0", "1_0", "1.", ".9", "\u0661", "x"])
def test_refuses_a_number_with_a_point_that_is_none_or_out_of_range(monkeypatch, text):
    monkeypatch.setenv("THING", text)

    with pytest.raises(ConfigurationError, match=r"THING must be a number from 0.5 to 10\."):
        env_float("THING", minimum=0.5, maximum=10)


@pytest.mark.parametrize("text", ["-1", "1.5", "\u0661", "11", "x", "1e3"])
def test_refuses_a_number_that_is_none_or_out_of_range(monkeypatch, text):
    monkeypatch.setenv("THING", text)

    with pytest.raises(ConfigurationError):
        env_int("THING", maximum=10)


def test_reads_a_number_or_its_default(monkeypatch):
    monkeypatch.setenv("THING", "7")

    assert (env_int("THING"), env_int("OTHER_THING", 3)) == (7, 3)


def test_splits_a_list_at_commas(monkeypatch):
    monkeypatch.setenv("THING", "a, b,,c ")

    assert env_list("THING") == ["a", "b", "c"]


def test_reads_a_secret_from_a_file_before_the_variable(monkeypatch, tmp_path):
    path = tmp_path / "secret"
    path.write_text("f" * 32 + "\n")
    monkeypatch.setenv("THING", "v" * 32)
    monkeypatch.setenv("THING_FILE", str(path))

    assert env_secret("THING") == "f" * 32


def test_refuses_a_secret_file_that_cannot_be_read(monkeypatch, tmp_path):
    monkeypatch.setenv("THING_FILE", str(tmp_path / "missing"))

    with pytest.raises(ConfigurationError, match="THING_FILE cannot be read"):
        env_secret("THING")


def test_refuses_a_short_secret(monkeypatch):
    monkeypatch.setenv("THING", "short")

    with pytest.raises(ConfigurationError, match="at least 32"):
        env_secret("THING")


def test_takes_only_an_existing_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("THING", str(tmp_path))
    monkeypatch.setenv("OTHER", str(tmp_path / "missing"))

    assert env_directory("THING") == tmp_path
    with pytest.raises(ConfigurationError):
        env_directory("OTHER")


@pytest.mark.parametrize(
    ("text", "address"), [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:8001", ("::1", 8001))]
)
def test_reads_an_address_to_listen_on(monkeypatch, text, address):
    monkeypatch.setenv("BIND", text)

    assert env_bind("BIND", "x:1") == address


@pytest.mark.parametrize("text", ["8000", ":8000", "host:", "host:http", "host:99999"])
def test_refuses_an_address_without_host_or_port(monkeypatch, text):
    monkeypatch.setenv("BIND", text)

    with pytest.raises(ConfigurationError):
        env_bind("BIND", "x:1")


@pytest.mark.parametrize("origin", ["https://shop.example", "https://shop.example:8443", "http://[::1]:8000"])
def test_takes_an_origin(monkeypatch, origin):
    monkeypatch.setenv("MERCATO_ORIGIN", origin)

    assert env_origin() == origin


@pytest.mark.parametrize(
    "origin",
    [
        "http://shop.example",
        "https://shop.example/path",
        "https://user@shop.example",
        "ftp://localhost",
        "https://",
        "https://host:port",
        "https://[::1",
        "shop.example",
    ],
)
def test_refuses_what_is_no_origin(monkeypatch, origin):
    monkeypatch.setenv("MERCATO_ORIGIN", origin)

    with pytest.raises(ConfigurationError):
        env_origin()
