"""Finds what must stand in no log: tokens, cookies of sessions, private keys, and secrets that are known."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

# Shorter ones are words, and would be found in every log.
_MIN_SECRET_CHARS: Final = 12
_SECRET_NAMES: Final = ("password", "secret", "key")
_SHAPES: Final = {
    # The beginning of a JWT is enough: base64url of `{"`, as every header of ours begins.
    "a token": re.compile(r"eyJ[A-Za-z0-9_-]{8}"),
    "a cookie": re.compile(r"\b(?:__Host-)?(?:sid|sessionid|device|[a-z_]*csrf_?token)=[A-Za-z0-9._-]{16}"),
    "a private key": re.compile("PRIVATE " + "KEY-----"),
    "a password in a URL": re.compile(r"[a-z]+://[^\s/:@\"]+:[^\s/:@\"*]+@"),
    "an authorization": re.compile(r"\b(?:Bearer|Basic) [A-Za-z0-9+/_.=-]{16}"),
}


def leaks(text: str, secrets: Iterable[str] = ()) -> list[str]:
    """What this text gives away, as `a token in line 3`; never the thing itself."""
    known = [secret for secret in secrets if len(secret) >= _MIN_SECRET_CHARS]
    return [
        f"{what} in line {number}"
        for number, line in enumerate(text.splitlines(), 1)
        for what in _leaks_of(line, known)
    ]


def leaks_of_logs(folder: Path, secrets: Iterable[str] = ()) -> list[str]:
    """What the logs below a folder give away, the rotated ones too, as `logs/web.log: a token in line 3`."""
    known = list(secrets)
    paths = sorted(path for path in folder.rglob("*.log*") if path.is_file())
    return [
        f"{path.relative_to(folder)}: {leak}"
        for path in paths
        for leak in leaks(path.read_text(errors="replace"), known)
    ]


def secrets_in(path: Path) -> Iterator[str]:
    """What a JSON file has under names that speak of a password, a secret or a key; nothing without it."""
    if path.exists():
        yield from _secrets("", json.loads(path.read_bytes()))


def _leaks_of(line: str, known: list[str]) -> Iterator[str]:
    yield from (what for what, shape in _SHAPES.items() if shape.search(line))
    if any(secret in line for secret in known):
        yield "a secret"


def _secrets(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for member, item in value.items():
            yield from _secrets(member, item)
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(name, item)
    elif isinstance(value, str) and name.endswith(_SECRET_NAMES):
        yield value
