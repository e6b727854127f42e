"""JSON read strictly: what two parsers could understand differently is no JSON here."""

import json
from typing import Any, Final, NoReturn

_MAX_DIGITS: Final = 17


def parse_object(data: bytes, *, integers_only: bool = False) -> dict[str, Any]:
    """The object that these bytes spell: UTF-8 without a mark, no member twice, no NaN, no half of a
    surrogate pair (RFC 8259 sections 4 and 8.2).

    integers_only refuses other numbers, and integers of more than 17 characters before they cost anything.
    Raises: ValueError, and nothing else whatever the bytes.
    """
    try:
        parsed = (_INTEGERS_ONLY if integers_only else _STRICT).decode(data.decode("utf-8"))
    except RecursionError as exc:
        raise ValueError("nested too deep") from exc
    if not isinstance(parsed, dict):
        raise ValueError("not an object")
    if b"\\ud" in data.lower():
        # Half of a surrogate pair is no character, and no text can be written that has one: this raises.
        json.dumps(parsed, ensure_ascii=False).encode()
    return parsed


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _parse_short(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("integer too long")
    return int(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"not a number here: {text[:32]}")


# Made once, for json.loads would make one each time.
_STRICT: Final = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse)
_INTEGERS_ONLY: Final = json.JSONDecoder(
    object_pairs_hook=_without_duplicates,
    parse_constant=_refuse,
    parse_float=_refuse,
    parse_int=_parse_short,
)
