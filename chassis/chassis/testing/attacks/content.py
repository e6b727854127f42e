"""Attacks on the JSON inside a token and on its size: rows A27, and A29 to A33."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from chassis.testing.attacks.case import (
    OTHER_SUBJECT,
    Aim,
    Answer,
    Attack,
    Parts,
    appended,
    attack,
    bearer,
    with_claims,
    with_header,
    with_raw_claim,
)
from chassis.testing.forge import encode
from chassis.tokens import MAX_TOKEN_BYTES


def _extensions() -> Iterator[Attack]:
    members: dict[str, dict[str, Any]] = {
        "crit that names an unknown member": {"crit": ["x"], "x": 1},
        "crit that names a missing member": {"crit": ["x"]},
        "crit empty": {"crit": []},
        "crit null": {"crit": None},
        "b64 false with crit": {"crit": ["b64"], "b64": False},
        "b64 false without crit": {"b64": False},
        "b64 true without crit": {"b64": True},
        "zip DEF": {"zip": "DEF"},
        "cty JWT": {"cty": "JWT"},
        "enc": {"enc": "A128GCM"},
        "x5t": {"x5t": "A" * 27},
        "an unknown member": {"x": 1},
        "an empty member": {"": ""},
    }
    for name, extra in members.items():
        yield bearer("A27", name, with_header(**extra))
    yield bearer("A27", "a token nested in a token", _nested)
    yield bearer("A27", "b64 false, payload unencoded", _unencoded)


def _nested(aim: Aim) -> str:
    return aim.signed(aim.header | {"cty": "JWT"}, aim.token.encode())


def _unencoded(aim: Aim) -> str:
    header = encode(aim.header | {"crit": ["b64"], "b64": False})
    return aim.signed_text(f"{header}.{json.dumps(aim.claims)}")


def _doubled() -> Iterator[Attack]:
    for text in ('"alg": "ES256"', '"alg": "none"', '"kid": "a"', '"typ": "JWT"', '"\\u0061lg": "none"'):
        yield bearer("A29", f"header with a later {text}", partial(_header_then, text))
        yield bearer("A29", f"header with an earlier {text}", partial(_header_after, text))
    for name in ("sub", "\\u0073ub", "aud", "exp"):
        yield bearer("A29", f"a second claim {name}", partial(_claims_then, f'"{name}": "{OTHER_SUBJECT}"'))
    yield bearer(
        "A29", "a member twice in act", with_raw_claim("act", '{"sub": "svc:gateway", "sub": "svc:wallet"}')
    )


def _claims_then(text: str, aim: Aim) -> str:
    return aim.signed(payload=appended(aim.claims, text))


def _header_then(text: str, aim: Aim) -> str:
    return aim.signed(appended(aim.header, text))


def _header_after(text: str, aim: Aim) -> str:
    return aim.signed(f"{{{text}, {json.dumps(aim.header)[1:]}".encode())


def _bombs() -> Iterator[Attack]:
    yield bearer(
        "A30", "header nested 100,000 deep", lambda aim: aim.signed(b"[" * 100_000), edge=Answer.TOO_LARGE
    )
    yield bearer("A30", "header nested 400 deep", lambda aim: aim.signed(b'{"a":' * 80 + b"1" + b"}" * 80))
    yield bearer(
        "A30",
        "payload nested 50,000 deep",
        with_raw_claim("x", "[" * 50_000 + "]" * 50_000),
        edge=Answer.TOO_LARGE,
    )
    yield bearer("A30", "payload nested 1,100 deep", with_raw_claim("x", "[" * 1_100 + "]" * 1_100))
    yield bearer(
        "A30", "payload opened 2,400 times", lambda aim: aim.signed(payload=b'{"a":' * 480 + b"[" * 400)
    )
    yield bearer("A30", "payload nested 9 deep", with_raw_claim("x", "[" * 8 + "]" * 8))
    yield bearer("A30", "integer of 5,000 digits", with_raw_claim("exp", "9" * 5_000))
    yield bearer("A30", "integer of 2,200 digits", with_raw_claim("exp", "9" * 2_200))
    for text in ("NaN", "Infinity", "-Infinity", "1e400", "-0", "0x7fffffff", "1_000"):
        yield bearer("A30", f"exp {text}", with_raw_claim("exp", text))
    yield bearer("A30", "NaN in a claim of no meaning", with_raw_claim("x", "NaN"))


def _charsets() -> Iterator[Attack]:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"):
        yield bearer("A31", f"header in {encoding}", partial(_header_in, encoding))
        yield bearer("A31", f"payload in {encoding}", partial(_payload_in, encoding))
    yield bearer("A31", "invalid UTF-8", lambda aim: aim.signed(payload=_bytes_claim(aim, b"\xff")))
    yield bearer("A31", "overlong UTF-8", lambda aim: aim.signed(payload=_bytes_claim(aim, b"\xc0\xaf")))
    yield bearer(
        "A31", "a surrogate in UTF-8", lambda aim: aim.signed(payload=_bytes_claim(aim, b"\xed\xa0\x80"))
    )
    for claim in ("sub", "jti", "client_id", "scope", "iss", "aud"):
        yield bearer("A31", f"a lone surrogate in {claim}", with_claims(**{claim: "\ud800"}))
    yield bearer("A31", "a lone surrogate in the header", with_header(kid="\ud800" * 43))


def _header_in(encoding: str, aim: Aim) -> str:
    return aim.signed(json.dumps(aim.header).encode(encoding))


def _payload_in(encoding: str, aim: Aim) -> str:
    return aim.signed(payload=json.dumps(aim.claims).encode(encoding))


def _bytes_claim(aim: Aim, data: bytes) -> bytes:
    return json.dumps(aim.claims).encode()[:-1] + b', "x": "' + data + b'"}'


def _not_objects() -> Iterator[Attack]:
    for name, value in (
        ("a list", []),
        ("a string", "a"),
        ("a number", 1),
        ("null", None),
        ("true", True),
        ("{}", {}),
    ):
        yield bearer("A32", f"payload {name}", partial(_payload_of, value))
        yield bearer("A32", f"header {name}", partial(_header_of, value))
    yield bearer("A32", "claims in a list", lambda aim: aim.signed(payload=[aim.claims]))
    yield bearer("A32", "claims as a list of pairs", lambda aim: aim.signed(payload=list(aim.claims.items())))
    yield bearer("A32", "payload empty", lambda aim: aim.signed(payload=b" "))


def _payload_of(value: object, aim: Aim) -> str:
    return aim.signed(payload=value)


def _header_of(value: object, aim: Aim) -> str:
    return aim.signed(json.dumps(value).encode())


def _of_size(size: int, aim: Aim) -> str:
    # Base64 has no length of one more than a multiple of four, so it may be a character more.
    short = aim.signed(payload=aim.claims | {"x": ""})
    fill = (size - len(short)) * 3 // 4
    tokens = (aim.signed(payload=aim.claims | {"x": "a" * (fill + more)}) for more in range(-3, 4))
    return next(token for token in tokens if len(token) >= size)


def _sizes() -> Iterator[Attack]:
    yield bearer("A33", "token of 4,097 bytes", partial(_of_size, MAX_TOKEN_BYTES + 1))
    yield bearer("A33", "token of 8 KB", partial(_of_size, 8192))
    yield bearer("A33", "token of 16 KB", partial(_of_size, 16_384), edge=Answer.TOO_LARGE)
    yield attack(
        "A33",
        "header of 2 MB",
        lambda aim: Parts((f"Bearer {'a' * 2_097_152}",)),
        service=Answer.UNREADABLE,
        edge=Answer.TOO_LARGE,
    )
    yield bearer(
        "A33",
        "header of more than 512 bytes",
        lambda aim: aim.signed(json.dumps(aim.header).encode() + b" " * 512),
    )


CONTENT_ATTACKS: Final = (
    *_extensions(),
    *_doubled(),
    *_bombs(),
    *_charsets(),
    *_not_objects(),
    *_sizes(),
)
"""Rows A27, A29 to A33."""
