"""Codes of authenticator apps: those of the standard, and each given to one asker."""

import base64
from pathlib import Path

import pytest

from mercato.totp import PERIOD, Codes, code_at, new_secret

SECRET = base64.b32encode(b"12345678901234567890").decode()
STEP = 40_000_000
NOW = float(STEP * PERIOD + 10)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def codes(tmp_path: Path, pauses: list[float]) -> Codes:
    return Codes(tmp_path / "codes.json", clock=lambda: NOW, pause=pauses.append)


def given(codes: Codes, count: int) -> list[str]:
    return [codes.next("ann@example.com", SECRET) for _ in range(count)]


def at(*steps: int) -> list[str]:
    return [code_at(SECRET, STEP + step) for step in steps]


# RFC 6238, appendix B, the last six digits.
@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_makes_the_codes_of_the_standard(seconds: int, code: str) -> None:
    assert code_at(SECRET, seconds // PERIOD) == code


def test_makes_secrets_of_160_bits() -> None:
    assert len(base64.b32decode(new_secret())) == 20
    assert new_secret() != new_secret()


def test_gives_three_at_once_and_then_waits(codes: Codes, pauses: list[float]) -> None:
    assert given(codes, 4) == at(-1, 0, 1, 2)
    assert pauses == [20.0]


def test_gives_who_types_it_half_a_minute(codes: Codes) -> None:
    assert codes.next("ann@example.com", SECRET, to_type=True) == at(0)[0]


def test_remembers_for_the_next_call(codes: Codes, tmp_path: Path) -> None:
    given(codes, 1)

    assert given(Codes(tmp_path / "codes.json", clock=lambda: NOW), 1) == at(0)
    assert (tmp_path / "codes.json").stat().st_mode & 0o777 == 0o600


def test_gives_everybody_their_own(codes: Codes) -> None:
    given(codes, 2)

    assert codes.next("bob@example.com", SECRET) == at(-1)[0]


def test_goes_on_where_nothing_can_be_written() -> None:
    assert given(Codes(Path("/proc/codes.json"), clock=lambda: NOW), 2) == at(-1, 0)
