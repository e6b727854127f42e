"""Identifiers: UUIDs that sort by time, and request ids that are safe to log."""

import os
import re
import time
from typing import Final
from uuid import UUID

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,128}")


def uuid7() -> UUID:
    """A new version 7 UUID (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then random bits."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def request_id(candidate: str | None = None) -> str:
    """The candidate when it is safe to repeat in a header and a log line, else a new id."""
    if candidate and _REQUEST_ID.fullmatch(candidate):
        return candidate
    return uuid7().hex
