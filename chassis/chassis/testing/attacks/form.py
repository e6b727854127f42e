"""Attacks on the form of a token: rows A18 and A20 to A22."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from chassis.testing.attacks.case import (
    Aim,
    Answer,
    Attack,
    appended,
    bearer,
)
from chassis.testing.forge import encode

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_NAMES: Final = ("header", "payload", "signature")


def _segments(change: Callable[[str, str, str], str], aim: Aim) -> str:
    header, payload, signature = aim.token.split(".")
    return change(header, payload, signature)


def _stripped() -> Iterator[Attack]:
    changes: dict[str, Callable[[str, str, str], str]] = {
        "empty signature": lambda h, p, s: f"{h}.{p}.",
        "two segments": lambda h, p, s: f"{h}.{p}",
        "one segment": lambda h, p, s: h,
        "four segments": lambda h, p, s: f"{h}.{p}.{s}.{s}",
        "four segments, last empty": lambda h, p, s: f"{h}.{p}.{s}.",
        "five segments": lambda h, p, s: f"{h}.{p}.{s}.{s}.{s}",
        "a leading dot": lambda h, p, s: f".{h}.{p}.{s}",
        "empty payload": lambda h, p, s: f"{h}..{s}",
        "empty header": lambda h, p, s: f".{p}.{s}",
        "two dots": lambda h, p, s: "..",
        "one dot": lambda h, p, s: ".",
    }
    for name, change in changes.items():
        yield bearer("A18", name, partial(_segments, change))
    yield bearer("A18", "nothing", lambda aim: "")


def _edited(segment: int, edit: Callable[[str], str], aim: Aim) -> str:
    parts = aim.token.split(".")
    parts[segment] = edit(parts[segment])
    return ".".join(parts)


def _padded_with(padding: str, segment: str) -> str:
    return segment + padding


def _edited_then_signed(segment: int, edit: Callable[[str], str], aim: Aim) -> str:
    parts = aim.signed(payload=_padded(aim.claims)).split(".")[:2]
    parts[segment] = edit(parts[segment])
    return aim.signed_text(".".join(parts))


def _padded(claims: dict[str, Any]) -> bytes:
    # Two bytes more than a multiple of three, so that the last character has unused bits and takes one `=`.
    data = json.dumps(claims).encode()
    return data + b" " * (-(len(data) + 1) % 3)


def _with_unused_bits(segment: str) -> str:
    return segment[:-1] + _ALPHABET[_ALPHABET.index(segment[-1]) | 1]


def _standard_alphabet(aim: Aim) -> str:
    claims = appended(aim.claims, '"x": ">>>>???"')
    text = ".".join(aim.signed(payload=claims).split(".")[:2])
    return aim.signed_text(text.replace("-", "+").replace("_", "/"))


def _spelled() -> Iterator[Attack]:
    for segment, name in enumerate(_NAMES):
        for padding in ("=", "==", "==="):
            yield bearer(
                "A20", f"{name} with {padding}", partial(_edited, segment, partial(_padded_with, padding))
            )
    for segment, name in enumerate(_NAMES[:2]):
        yield bearer(
            "A20", f"{name} with =, signed so", partial(_edited_then_signed, segment, lambda t: f"{t}=")
        )
    yield bearer("A21", "unused bits set in the signature", partial(_edited, 2, _with_unused_bits))
    yield bearer(
        "A21", "unused bits set in the payload, signed so", partial(_edited_then_signed, 1, _with_unused_bits)
    )
    yield bearer("A21", "plus and slash, signed so", _standard_alphabet)


def _inserted(text: str, place: float, aim: Aim) -> str:
    token = aim.token
    index = int(len(token) * place)
    return token[:index] + text + token[index:]


_INSERTED: Final = (
    ("a space", " ", Answer.REFUSED, Answer.REFUSED),
    ("a tab", "\t", Answer.REFUSED, Answer.REFUSED),
    # Granian hands a value with such bytes over as an empty one, which counts as none.
    ("a non-ASCII byte", "\xe9", Answer.ANONYMOUS, Answer.REFUSED),
    ("a no-break space", "\xa0", Answer.ANONYMOUS, Answer.REFUSED),
    ("a newline", "\n", Answer.UNREADABLE, Answer.MALFORMED),
    ("a carriage return", "\r", Answer.UNREADABLE, Answer.MALFORMED),
    ("a line break", "\r\n", Answer.UNREADABLE, Answer.MALFORMED),
    ("a folded line", "\r\n ", Answer.UNREADABLE, Answer.MALFORMED),
    ("NUL", "\0", Answer.UNREADABLE, Answer.MALFORMED),
    ("a vertical tab", "\x0b", Answer.UNREADABLE, Answer.MALFORMED),
    ("DEL", "\x7f", Answer.UNREADABLE, Answer.MALFORMED),
)


def _alien_characters() -> Iterator[Attack]:
    for name, text, service, edge in _INSERTED:
        build = partial(_inserted, text, 0.5)
        yield bearer("A21", f"{name} inside", build, Answer.REFUSED, service=service, edge=edge)
    yield bearer("A21", "a space before it", lambda aim: f" {aim.token}")
    # RFC 9110 section 5.5: what surrounds a field value is not part of it, so HTTP takes the space away.
    yield bearer(
        "A21",
        "a space after it",
        lambda aim: f"{aim.token} ",
        service=Answer.ACCEPTED,
        edge=Answer.ACCEPTED,
    )


def _flattened(aim: Aim) -> str:
    header, payload, signature = aim.token.split(".")
    return json.dumps({"payload": payload, "protected": header, "signature": signature})


def _general(aim: Aim) -> str:
    header, payload, signature = aim.token.split(".")
    return json.dumps({"payload": payload, "signatures": [{"protected": header, "signature": signature}]})


def _unsecured_json(aim: Aim) -> str:
    header = {"alg": "none"}
    return json.dumps({"payload": encode(aim.claims), "header": header, "signature": ""})


def _encrypted(aim: Aim) -> str:
    header = encode({"alg": "dir", "enc": "A128GCM", "kid": aim.forge.access.kid, "typ": "at+jwt"})
    return ".".join([header, "", encode(bytes(12)), encode(aim.claims), encode(bytes(16))])


def _serialised() -> Iterator[Attack]:
    yield bearer("A22", "flattened JSON serialization", _flattened)
    yield bearer("A22", "general JSON serialization", _general)
    yield bearer("A22", "unsecured JWS in JSON", _unsecured_json)
    yield bearer("A22", "JWE of five parts", _encrypted)
    yield bearer("A22", "JWE with a key part", lambda aim: _encrypted(aim).replace("..", ".AAAA."))
    yield bearer("A22", "JSON in base64url", lambda aim: encode(_flattened(aim).encode()))


FORM_ATTACKS: Final = (
    *_stripped(),
    *_spelled(),
    *_alien_characters(),
    *_serialised(),
)
"""Rows A18, A20 to A22."""
