"""Attacks on the times in a truly signed token: rows B1 to B5."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from chassis.testing.attacks.case import ABSENT, Aim, Attack, bearer, with_claims, with_raw_claim, with_times
from chassis.tokens import LEEWAY_SECONDS

_DAY: Final = 86_400


def _times() -> Iterator[Attack]:
    yield bearer(
        "B1", "expired a second beyond the leeway", with_times(iat=-126, nbf=-126, exp=-LEEWAY_SECONDS - 1)
    )
    yield bearer("B1", "expired an hour ago", with_times(iat=-3720, nbf=-3720, exp=-3600))
    # Expiry counts from the very second on (RFC 7519 section 4.1.4), here the last one of the leeway.
    yield bearer("B2", "expires now, leeway included", with_times(iat=-125, nbf=-125, exp=-LEEWAY_SECONDS))
    for claim in ("exp", "iat", "nbf", "auth_time"):
        yield from _not_times(claim)
    yield bearer("B4", "lives for ten years", with_times(exp=3650 * _DAY))
    yield bearer("B4", "lives a second too long", with_times(exp=901))
    yield bearer("B5", "nbf in ten minutes", with_times(nbf=600, exp=800))
    yield bearer("B5", "iat in ten minutes", with_times(iat=600, exp=800))
    yield bearer("B5", "iat, nbf and exp in ten minutes", with_times(iat=600, nbf=600, exp=720))
    yield bearer("B5", "auth_time in ten minutes", with_times(auth_time=600))
    yield bearer("B5", "exp before iat", with_times(iat=3, exp=1))
    yield bearer("B5", "exp equal to iat", with_times(iat=0, exp=0))
    yield bearer("B5", "iat of 1970", with_claims(iat=1))


def _not_times(claim: str) -> Iterator[Attack]:
    values: list[tuple[str, Any]] = [
        ("null", None),
        ("a list", [99_999_999_999]),
        ("a dict", {}),
        ("true", True),
        ("-1", -1),
        ("0", 0),
        ("10**400", 10**400),
        ("2**63", 2**63),
        ("missing", ABSENT),
    ]
    id = "B5" if claim in ("iat", "nbf") else "B3"
    for name, value in values:
        yield bearer(id, f"{claim} {name}", with_claims(**{claim: value}))
    spellings: dict[str, Callable[[int], Any]] = {
        "as digits": str,
        "as digits in spaces": lambda at: f" {at} ",
        "as Arabic digits": lambda at: "".join(chr(0x0660 + int(digit)) for digit in str(at)),
        "as a float": float,
        "with an exponent": lambda at: f"{at}e0",
    }
    for name, spell in spellings.items():
        yield bearer(id, f"{claim} {name}", partial(_spelled_time, claim, spell))
    yield bearer(id, f"{claim} a bare exponent", with_raw_claim(claim, "99e9"))


def _spelled_time(claim: str, spell: Callable[[int], Any], aim: Aim) -> str:
    claims = aim.claims
    return aim.signed(payload=claims | {claim: spell(claims[claim])})


TIME_ATTACKS: Final = tuple(_times())
"""Rows B1 to B5."""
