"""The answers that the edge gives by itself, and the head of those it passes on, as bytes."""

import json
from collections.abc import Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final

from chassis import problems

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE_LINE: Final = b"connection: close\r\n"

_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


def status_line(status: int) -> bytes:
    """The status line of a reply. The phrase is ours: one from elsewhere may hold any byte."""
    return _STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode()


def problem_status(code: str) -> int:
    """The status of a code of the problem catalogue."""
    return problems.CATALOGUE[code][0]


def problem(
    code: str,
    detail: str,
    *,
    request_id: str,
    fields: Sequence[tuple[str, str]] = (),
    closes: bool,
    is_head: bool = False,
    **extra: Any,
) -> bytes:
    """A whole reply that carries a problem document."""
    document = problems.generic(code, detail, request_id=request_id, **extra)
    return _reply(
        problem_status(code),
        problems.MEDIA_TYPE,
        problems.encode(document),
        fields=[("x-request-id", request_id), ("cache-control", "no-store"), *fields],
        closes=closes,
        is_head=is_head,
    )


def report(status: int, body: dict[str, Any], *, request_id: str, closes: bool, is_head: bool) -> bytes:
    """A whole reply about the edge's own health."""
    return _reply(
        status,
        "application/json",
        json.dumps(body, separators=(",", ":")).encode(),
        fields=[("x-request-id", request_id), ("cache-control", "no-store")],
        closes=closes,
        is_head=is_head,
    )


def _reply(
    status: int,
    media_type: str,
    body: bytes,
    *,
    fields: Sequence[tuple[str, str]],
    closes: bool,
    is_head: bool,
) -> bytes:
    lines = [
        ("date", formatdate(usegmt=True)),
        ("content-type", media_type),
        ("content-length", str(len(body))),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
        *fields,
    ]
    head = "".join([f"{name}: {value}\r\n" for name, value in lines]).encode("latin-1")
    return b"%b%b%b\r\n%b" % (
        status_line(status),
        head,
        CLOSE_LINE if closes else b"",
        b"" if is_head else body,
    )
