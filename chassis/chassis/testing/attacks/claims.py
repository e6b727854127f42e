"""Attacks on what a truly signed token says: rows B6, B7, B9 to B12."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from chassis.testing.attacks.case import (
    ABSENT,
    Aim,
    Answer,
    Attack,
    Token,
    bearer,
    changed,
    with_claims,
)
from chassis.testing.forge import encode


def _changed(claim: str, change: Callable[[Any], Any]) -> Token:
    return lambda aim: aim.signed(payload=aim.claims | {claim: change(aim.claims[claim])})


def _issuers() -> Iterator[Attack]:
    changes: dict[str, Callable[[str], Any]] = {
        "another": lambda iss: "https://evil.example",
        "a prefix": lambda iss: iss[:-1],
        "with a suffix": lambda iss: f"{iss}.evil",
        "with a slash": lambda iss: f"{iss}/",
        "in upper case": lambda iss: iss.upper(),
        "a list": lambda iss: [iss],
        "a dict": lambda iss: {iss: iss},
        "empty": lambda iss: "",
        "null": lambda iss: None,
        "with user information": lambda iss: iss.replace("//", "//a@"),
    }
    for name, change in changes.items():
        yield bearer("B6", f"iss {name}", _changed("iss", change))
    yield bearer("B6", "iss missing", with_claims(iss=ABSENT))


def _audiences() -> Iterator[Attack]:
    changes: dict[str, Callable[[str], Any]] = {
        "another service": lambda aud: "somebody_else",
        "a list of others": lambda aud: ["somebody_else", "another"],
        "a substring": lambda aud: aud[:-1],
        "a longer string": lambda aud: f"{aud}2",
        "a dict": lambda aud: {aud: True},
        "an empty list": lambda aud: [],
        "an empty string": lambda aud: "",
        "in upper case": lambda aud: aud.upper(),
        "null": lambda aud: None,
        "a number": lambda aud: 1,
        "true": lambda aud: True,
        "a list in a list": lambda aud: [[aud]],
        "a list with a number": lambda aud: [aud, 1],
        "a list with null": lambda aud: [aud, None],
        "of eleven items": lambda aud: [aud, *(f"a{number}" for number in range(10))],
        "names joined": lambda aud: f"somebody_else {aud}",
        "a wildcard": lambda aud: "*",
    }
    for name, change in changes.items():
        yield bearer("B7", f"aud {name}", _changed("aud", change))
    yield bearer("B7", "aud missing", with_claims(aud=ABSENT))
    yield bearer(
        "B7",
        "aud a list that includes me",
        _changed("aud", lambda aud: ["somebody_else", aud]),
        Answer.ACCEPTED,
    )


def _refresh_claims(aim: Aim) -> dict[str, Any]:
    names = ("iss", "aud", "sub", "iat", "exp", "jti", "sid")
    return {name: value for name, value in aim.claims.items() if name in names} | {"exp": aim.now + 600}


def _as_refresh(aim: Aim, *, typ: str, key: str, full: bool) -> str:
    signer = aim.forge.refresh if key == "refresh" else aim.forge.access
    claims = aim.claims | {"token_type": "refresh"} if full else _refresh_claims(aim)
    return aim.signed({"alg": "ES256", "kid": signer.kid, "typ": typ}, claims, signer)


def _revocations(typ: str, aim: Aim) -> str:
    revoked = {"seq": 1, "sids": ["a"], "subs": {aim.sub: aim.now}, "not_before": 0}
    return aim.signed(aim.header | {"typ": typ}, {"iss": aim.forge.issuer, "iat": aim.now} | revoked)


def _kinds() -> Iterator[Attack]:
    refresh = partial(_as_refresh, typ="rt+jwt", key="refresh", full=False)
    yield bearer("B9", "a refresh token", refresh)
    yield bearer(
        "B9",
        "the refresh key signs an access token",
        partial(_as_refresh, typ="at+jwt", key="refresh", full=True),
    )
    yield bearer(
        "B9",
        "the access key signs a refresh token",
        partial(_as_refresh, typ="rt+jwt", key="access", full=False),
    )
    yield bearer(
        "B9",
        "refresh claims under the access type",
        partial(_as_refresh, typ="at+jwt", key="access", full=False),
    )
    yield bearer("B9", "token_type refresh", with_claims(token_type="refresh"))
    yield bearer("B9", "token_type null", with_claims(token_type=None))
    yield bearer("B9", "a revocation list", partial(_revocations, "revocation+jwt"))
    yield bearer("B9", "a revocation list under the access type", partial(_revocations, "at+jwt"))


_SUBJECTS: Final[tuple[tuple[str, Any], ...]] = (
    ("empty", ""),
    ("a number", 1),
    ("a list", ["00000000-0000-0000-0000-000000000001"]),
    ("a dict", {}),
    ("true", True),
    ("null", None),
    ("missing", ABSENT),
    ("NUL", "\0"),
    ("a UUID and NUL", "00000000-0000-0000-0000-000000000001\0"),
    ("a UUID and a newline", "00000000-0000-0000-0000-000000000001\n"),
    ("a UUID in upper case", "ABCDEFAB-0000-0000-0000-000000000001"),
    ("a UUID without dashes", "00000000000000000000000000000001"),
    ("a UUID in braces", "{00000000-0000-0000-0000-000000000001}"),
    ("SQL", "1 OR 1=1"),
    ("of another issuer", "auth0|5f7c8ec7c33c6c004bbafe82"),
    ("an e-mail", "shopper@example.com"),
    ("a service unknown", "svc:"),
    ("a service in upper case", "svc:Wallet"),
)

_STRINGS: Final[tuple[tuple[str, str, Any], ...]] = (
    ("jti", "a list", ["a"]),
    ("jti", "missing", ABSENT),
    ("jti", "a number", 1),
    ("jti", "empty", ""),
    ("jti", "of 129 characters", "a" * 129),
    ("jti", "with a space", "a b"),
    ("sid", "a list", ["a"]),
    ("sid", "missing", ABSENT),
    ("client_id", "a dict", {}),
    ("client_id", "missing", ABSENT),
    ("scope", "a list", ["wallet:read"]),
    ("scope", "null", None),
    ("scope", "missing", ABSENT),
    ("scope", "with two spaces", "wallet:read  wallet:write"),
    ("scope", "with a newline", "wallet:read\nwallet:write"),
    ("scope", "of 1,025 characters", "a" * 1025),
    ("roles", "a string", "staff"),
    ("roles", "a dict", {"staff": True}),
    ("roles", "with a number", ["staff", 1]),
    ("roles", "of eleven items", ["a"] * 11),
    ("roles", "null", None),
    ("roles", "missing", ABSENT),
    ("amr", "a string", "pwd"),
    ("amr", "missing", ABSENT),
    ("act", "a string", "svc:gateway"),
    ("act", "with more than sub", {"sub": "svc:gateway", "x": 1}),
    ("act", "null", None),
    ("act", "empty", {}),
)


def _strings() -> Iterator[Attack]:
    for name, value in _SUBJECTS:
        yield bearer("B10", f"sub {name}", with_claims(sub=value))
    yield bearer(
        "B10",
        "sub of 1 MB",
        with_claims(sub="a" * 1_048_576),
        service=Answer.UNREADABLE,
        edge=Answer.TOO_LARGE,
    )
    for claim, name, value in _STRINGS:
        yield bearer("B10", f"{claim} {name}", with_claims(**{claim: value}))


def _service_token(aim: Aim, *, subject: str, scope: str, holder: str = "") -> str:
    key = aim.forge.service_key(holder) if holder else aim.forge.access
    claims = aim.forge.service_claims(aim.audience, subject, scope)
    return aim.signed(aim.header | {"kid": key.kid}, claims, key)


def _user_token_by_a_service(aim: Aim, **changes: Any) -> str:
    key = aim.forge.service_key("catalog_variant")
    return aim.signed(aim.header | {"kid": key.kid}, changed(aim.claims, changes), key)


def _forged_services() -> Iterator[Attack]:
    own = "listings:write"
    # A service speaks for itself at services only; the edge forwards nothing for it.
    yield bearer(
        "B11",
        "a service's own token on a user's route",
        partial(_service_token, subject="svc:catalog_variant", scope=own, holder="catalog_variant"),
        Answer.ACCEPTED,
        service=Answer.FORBIDDEN,
        edge=Answer.FORBIDDEN,
    )
    yield bearer(
        "B11",
        "the gateway's service token without the scope",
        partial(_service_token, subject="svc:gateway", scope="wallet:settle"),
        Answer.ACCEPTED,
        service=Answer.FORBIDDEN,
        edge=Answer.FORBIDDEN,
    )
    yield bearer(
        "B11",
        "a service signs as another",
        partial(_service_token, subject="svc:gateway", scope=own, holder="catalog_variant"),
    )
    yield bearer(
        "B11",
        "a service grants itself a scope",
        partial(_service_token, subject="svc:catalog_variant", scope="wallet:read", holder="catalog_variant"),
    )
    yield bearer(
        "B11",
        "a service adds a scope to its own",
        partial(
            _service_token,
            subject="svc:catalog_variant",
            scope=f"{own} wallet:settle",
            holder="catalog_variant",
        ),
    )
    yield bearer(
        "B11",
        "the gateway's key signs as a service",
        partial(_service_token, subject="svc:wallet", scope=own),
    )
    yield bearer("B11", "a service mints a user", _user_token_by_a_service)
    yield bearer(
        "B11", "a service mints a user with its own scope", partial(_user_token_by_a_service, scope=own)
    )
    yield bearer("B11", "a service mints a user without a scope", partial(_user_token_by_a_service, scope=""))


def _with_original_signature(aim: Aim, **changes: Any) -> str:
    header, _, signature = aim.token.split(".")
    return f"{header}.{encode(aim.claims | changes)}.{signature}"


def _edits() -> Iterator[Attack]:
    edits: dict[str, dict[str, Any]] = {
        "is_staff true": {"is_staff": True},
        "is_superuser 1": {"is_superuser": 1},
        "roles admin": {"roles": ["admin"]},
        "roles staff": {"roles": ["staff", "superuser"]},
        "a scope added": {"scope": "wallet:read wallet:admin"},
        "another sub": {"sub": "00000000-0000-0000-0000-000000000002"},
        "a later exp": {"exp": 4_102_444_800},
    }
    for name, edit in edits.items():
        id = "B11" if "scope" in edit else "B12"
        yield bearer(id, f"{name}, original signature", partial(_with_original_signature, **edit))


CLAIM_ATTACKS: Final = (
    *_issuers(),
    *_audiences(),
    *_kinds(),
    *_strings(),
    *_forged_services(),
    *_edits(),
)
"""Rows B6, B7, B9 to B12."""
