"""Every time and every limit can be told from outside, within what makes sense."""

from dataclasses import asdict, fields

import pytest

from chassis.env import ConfigurationError
from gateway.edge.config import (
    Limits,
    Times,
    limit_variable,
    read_limits,
    read_times,
    time_variable,
    variables,
)

TOGETHER = "EDGE_STREAMS and EDGE_UPLOADS must together be less than EDGE_UPSTREAM_CONNECTIONS."


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables():
        monkeypatch.delenv(name, raising=False)


def test_goes_by_the_defaults() -> None:
    assert (read_times(), read_limits()) == (Times(), Limits())


@pytest.mark.parametrize("name", [time.name for time in fields(Times)])
def test_reads_the_time(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(time_variable(name), "0.75")
    if name == "stream":
        monkeypatch.setenv(time_variable("stream_idle"), "0.5")

    assert asdict(read_times())[name] == 0.75


@pytest.mark.parametrize("name", [limit.name for limit in fields(Limits)])
def test_reads_the_limit(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    wanted = getattr(Limits(), name) - 1
    monkeypatch.setenv(limit_variable(name), str(wanted))

    assert asdict(read_limits())[name] == wanted


@pytest.mark.parametrize("name", [time_variable(time.name) for time in fields(Times)])
@pytest.mark.parametrize("value", ["0", "-1", "x", "86401", "nan", "1e1"])
def test_refuses_the_time(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=f"{name} must be a number from 0.01 to "):
        read_times()


@pytest.mark.parametrize("name", [limit_variable(limit.name) for limit in fields(Limits)])
@pytest.mark.parametrize("value", ["-1", "1.5", "x", "99999999999"])
def test_refuses_the_limit(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=f"{name} must be a whole number from "):
        read_limits()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("EDGE_POOLED_SECONDS", "30", "EDGE_POOLED_SECONDS must be a number from 0.01 to 29."),
        ("EDGE_TICK_SECONDS", "1.1", "EDGE_TICK_SECONDS must be a number from 0.01 to 1."),
        ("EDGE_STREAM_SECONDS", "59", "EDGE_STREAM_IDLE_SECONDS must not be more than EDGE_STREAM_SECONDS."),
        ("EDGE_BURST", "99", "EDGE_BURST must not be less than EDGE_REQUESTS_PER_SECOND."),
        ("EDGE_GUESSES_BURST", "49", "EDGE_GUESSES_BURST must not be less than EDGE_GUESSES_PER_SECOND."),
        ("EDGE_STREAMS", "48", TOGETHER),
        ("EDGE_UPLOADS", "48", TOGETHER),
        ("EDGE_UPSTREAM_CONNECTIONS", "32", TOGETHER),
    ],
)
def test_refuses_what_does_not_go_together(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as refused:
        read_times(), read_limits()
    assert str(refused.value.code).endswith(f": {said}")


def test_gives_no_two_settings_one_variable() -> None:
    assert len(set(variables())) == len(fields(Times)) + len(fields(Limits))
