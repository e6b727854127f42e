"""Canonical request targets: what is not already canonical is refused, never repaired.

The gateway bugs of recent years are nearly all one: the path that was authorized is not the one that was
forwarded. So there is one spelling for a path, and what was checked is byte for byte what is sent on.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

MAX_TARGET_BYTES: Final = 8 * 1024

# RFC 3986: pchar without the semicolon (path parameters are how `..;/` gets past a check). No segment is
# empty or ends in a dot, which leaves no dot segments; a path may end in a slash.
_CHAR: Final = rb"(?:[A-Za-z0-9_~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})"
_SEGMENT: Final = rb"(?:\.*" + _CHAR + rb")+"
_PATH: Final = re.compile(rb"/(?:" + _SEGMENT + rb"/)*+(?:" + _SEGMENT + rb")?")
_QUERY: Final = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*+")

_ENCODED: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
# Unreserved characters have no business being encoded (RFC 3986 section 6.2.2.2), and the others would
# become structure for a server that decodes before it routes.
_NEVER_ENCODED: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" + b"/\\;%#?"
)


class NotCanonical(Exception):
    """The target is not an origin-form target (RFC 9112 section 3.2.1) in its one canonical spelling."""


def canonical_path(target: bytes) -> bytes:
    """The path of a target, exactly as it stands there.

    Raises: NotCanonical.
    """
    path, mark, query = target.partition(b"?")
    if _PATH.fullmatch(path) is None:
        raise NotCanonical("path")
    if mark and _QUERY.fullmatch(query) is None:
        raise NotCanonical("query")
    if b"%" in path:
        _check_encoded(path)
    return path


def _check_encoded(path: bytes) -> None:
    if any(int(match[1:], 16) in _NEVER_ENCODED for match in _ENCODED.findall(path)):
        raise NotCanonical("encoding")
    try:
        decoded = unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError as exc:
        raise NotCanonical("not UTF-8") from exc
    # isprintable refuses controls, invisible and unassigned characters; it takes the plain space.
    if not decoded.isprintable() or any(part != part.strip() for part in decoded.split("/")):
        raise NotCanonical("characters")
