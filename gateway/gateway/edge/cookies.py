"""Which cookies pass: to pages all in ASCII; to staff routes two of the service, the session's to the web."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from gateway.edge.headers import COOKIE, Fields, Head
from gateway.routes import Route

_SESSION: Final = re.compile(rb"[A-Za-z0-9_-]{16,128}")
# What Django and itsdangerous sign, and a token of Django's forms: no quotes, no separators, no spaces.
_VALUE: Final = re.compile(rb"[A-Za-z0-9._:-]{1,4000}")
_EMPTY: Final = frozenset({b"", b'""'})
_ATTRIBUTES: Final = frozenset({b"expires", b"httponly", b"max-age", b"path", b"samesite", b"secure"})


class AmbiguousCookie(Exception):
    """A cookie that says who asks stands twice, and two servers could read two different ones."""


def session(head: Head, name: bytes) -> str:
    """The value of the session cookie, empty when there is none that could be one of ours.

    Raises: AmbiguousCookie.
    """
    values = [value for known, value in _pairs(head) if known == name]
    if len(values) > 1:
        raise AmbiguousCookie
    return values[0].decode() if values and _SESSION.fullmatch(values[0]) else ""


def names(route: Route) -> tuple[bytes, bytes]:
    """The two cookies of a service's admin."""
    audience = route.audience.encode()
    return audience + b"_csrftoken", audience + b"_messages"


def line(head: Head, route: Route) -> bytes:
    """The Cookie line that a service gets: its two cookies and nothing else; empty without any.

    One that stands twice, or that no service of ours could have set, is left out.
    """
    wanted = names(route)
    found: dict[bytes, bytes] = {}
    doubled = set()
    for name, value in _pairs(head):
        if name in wanted:
            doubled |= {name} & found.keys()
            found[name] = value
    kept = [
        b"%b=%b" % (name, found[name])
        for name in wanted
        if name in found and name not in doubled and _VALUE.fullmatch(found[name])
    ]
    return b"cookie: %b\r\n" % b"; ".join(kept) if kept else b""


def in_ascii(lines: Sequence[bytes]) -> list[bytes]:
    """The lines of a head without the cookies that hold bytes beyond ASCII, for of a line with one a service
    might read none. None of ours does, and whoever has another's is not locked out by it.
    """
    return [kept for line in lines if (kept := line if line.isascii() else _in_ascii(line))]


def without_foreign(fields: Fields, route: Route) -> Fields:
    """The fields of a service's reply without any Set-Cookie but those of its own two, for its own path."""
    return [
        (name, value) for name, value in fields if name.lower() != b"set-cookie" or _may_be_set(value, route)
    ]


def _in_ascii(line: bytes) -> bytes:
    pairs = [pair.strip(b" \t") for pair in line[len(COOKIE) : -2].split(b";") if pair.isascii()]
    return b"%b%b\r\n" % (COOKIE, b"; ".join(pairs)) if pairs else b""


def _may_be_set(value: bytes, route: Route) -> bool:
    pair, *rest = value.split(b";")
    name, _, content = pair.partition(b"=")
    attributes = [_attribute(part) for part in rest]
    paths = [said for known, said in attributes if known == b"path"]
    return (
        name.strip(b" \t") in names(route)
        and (content.strip(b" \t") in _EMPTY or _VALUE.fullmatch(content.strip(b" \t")) is not None)
        # Domain is not among them: with it a cookie would be another's too.
        and _ATTRIBUTES.issuperset(known for known, _ in attributes)
        and paths == [route.prefix.encode() + b"/"]
    )


def _attribute(part: bytes) -> tuple[bytes, bytes]:
    name, _, value = part.partition(b"=")
    return name.strip(b" \t").lower(), value.strip(b" \t")


def _pairs(head: Head) -> Iterator[tuple[bytes, bytes]]:
    for _, field in head.lines:
        if field.startswith(COOKIE):
            for pair in field[len(COOKIE) :].split(b";"):
                name, _, value = pair.partition(b"=")
                yield name.strip(b" \t\r\n"), value.strip(b" \t\r\n")
