"""The answers that the edge gives by itself, as bytes."""

import json
from collections.abc import Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final

from chassis import problems
from gateway.edge import pages

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE_LINE: Final = b"connection: close\r\n"
NO_CONTENT: Final = 204
FOUND: Final = 302
NOT_MODIFIED: Final = 304

_SANDBOX: Final = "default-src 'none'; sandbox"
_STATUS_LINES: Final = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


def status_line(status: int) -> bytes:
    """The status line of a reply. The phrase is ours: one from elsewhere may hold any byte."""
    return _STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode()


def problem_status(code: str) -> int:
    """The status of a code of the problem catalogue."""
    return problems.CATALOGUE[code][0]


def refusal(
    code: str,
    detail: str,
    *,
    request_id: str,
    fields: Sequence[tuple[str, str]] = (),
    closes: bool,
    is_head: bool = False,
    is_page: bool = False,
    quota: bytes = b"",
    **extra: Any,
) -> bytes:
    """A whole reply that says no: a problem document, or a page to those who look at it in a browser.
    quota: the lines that say what the client has left.
    """
    status = problem_status(code)
    if is_page:
        media_type, policy, body = pages.MEDIA_TYPE, pages.POLICY, pages.page(status, request_id, code)
    else:
        document = problems.generic(code, detail, request_id=request_id, **extra)
        media_type, policy, body = problems.MEDIA_TYPE, _SANDBOX, problems.encode(document)
    return _reply(
        status,
        media_type,
        body,
        policy=policy,
        fields=[("x-request-id", request_id), ("cache-control", "no-store"), *fields],
        closes=closes,
        is_head=is_head,
        quota=quota,
    )


def redirect(location: str, *, request_id: str, closes: bool, quota: bytes = b"") -> bytes:
    """A whole reply that leads to another page of this origin."""
    fields = [("location", location), ("x-request-id", request_id), ("cache-control", "no-store")]
    return _reply(FOUND, "", b"", fields=fields, closes=closes, is_head=False, quota=quota)


def options(methods: Sequence[str], *, request_id: str, closes: bool) -> bytes:
    """A whole reply that tells which methods there are; of no methods, that the edge is there at all."""
    allow = f"allow: {', '.join(methods)}\r\n" if methods else ""
    return b"%bdate: %b\r\n%bx-request-id: %b\r\ncache-control: no-store\r\n%b\r\n" % (
        status_line(NO_CONTENT),
        formatdate(usegmt=True).encode(),
        allow.encode(),
        request_id.encode(),
        CLOSE_LINE if closes else b"",
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
    policy: str = _SANDBOX,
    quota: bytes = b"",
) -> bytes:
    lines = [
        ("date", formatdate(usegmt=True)),
        *([("content-type", media_type)] if media_type else []),
        ("content-length", str(len(body))),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", policy),
        *fields,
    ]
    head = "".join([f"{name}: {value}\r\n" for name, value in lines]).encode("latin-1")
    return b"%b%b%b%b\r\n%b" % (
        status_line(status),
        head,
        quota,
        CLOSE_LINE if closes else b"",
        b"" if is_head else body,
    )
