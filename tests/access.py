#!/usr/bin/env python3
"""Who may do what: every route and method of every service against everybody who could ask.

tests/access.py    write docs/access.md anew, from the URL tables of the services
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from check import environment

from gateway.accounts.roles import AUDIENCE_PREFIXES, granted_scopes, roles_of
from gateway.routes import ROUTES, Credential
from gateway.tokens.keyring import SERVICE_SCOPES
from mercato import topology

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "access.md"
PROBES = {"/livez", "/readyz", "/metrics"}
UNSEEN = "anybody, unseen"
ANYBODY = "anybody"
EDGE = "the edge's key"
GATEWAY_ADMIN = "gateway:admin"
PAGE = "page"
ADMIN = "admin"
FRESH = "fresh "
SERVICE = "service "
YES, REFUSED, FORBIDDEN, HIDDEN = "yes", "401", "403", "404"
_ROW = re.compile(r"\| ([A-Z]+) `([^`]+)` \| ([^|]+) \| .")
MADE_UP = "0190b0a0-0000-7000-8000-000000000000"
EVERYONE, LOGGED_IN, STAFF = "everyone", "whoever is logged in", "staff"
PAGES = {
    "/": EVERYONE,
    "/account": LOGGED_IN,
    "/account/confirm-email": EVERYONE,
    "/account/inactive": EVERYONE,
    "/account/login": EVERYONE,
    "/account/logout": EVERYONE,
    "/account/passkeys/challenge": EVERYONE,
    "/account/password/reset": EVERYONE,
    "/account/signup": EVERYONE,
    "/c": EVERYONE,
    "/dev/mail": EVERYONE,
    "/developers": EVERYONE,
    "/favicon.ico": EVERYONE,
    "/p": EVERYONE,
    "/problems": EVERYONE,
    "/robots.txt": EVERYONE,
    "/search": EVERYONE,
    "/staff": STAFF,
    "/status": EVERYONE,
    "/styleguide": EVERYONE,
    "/theme": EVERYONE,
    "/wallet": LOGGED_IN,
}
"""Whom a page is for, with all below it; what is not here is a page that nobody thought about."""

CALLER = "catalog_variant"
"""The service that tries what it may not."""


@dataclass(frozen=True)
class Operation:
    """A method of a path at a service, and what it asks for (tests/list_urls.py says how that reads)."""

    service: str
    method: str
    path: str
    asked: str

    @property
    def scope(self) -> str:
        """The scope that it asks for."""
        return self.asked.removeprefix(FRESH).removeprefix(SERVICE)

    @property
    def is_internal(self) -> bool:
        """Whether only services ask there, past the edge."""
        return self.path.startswith("/internal/")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Actor:
    """Somebody who asks; group is empty for whoever has no token of a user."""

    name: str
    group: str = ""
    amr: tuple[str, ...] = ("pwd", "otp")
    is_stale: bool = False
    is_bad: bool = False
    is_service: bool = False

    def scopes(self, audience: str) -> frozenset[str]:
        """What a token of theirs may carry for a service."""
        if self.is_service:
            return frozenset(SERVICE_SCOPES[CALLER].split())
        everything = granted_scopes([self.group], self.amr) if self.group else frozenset()
        return frozenset(scope for scope in everything if scope.startswith(AUDIENCE_PREFIXES[audience]))

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of their tokens."""
        return roles_of([self.group])


ANONYMOUS = Actor("anonymous")
PEOPLE = (
    Actor("customer", "customer", ("pwd",)),
    *(
        Actor(group, group)
        for group in ("catalogue-editor", "stock-keeper", "marketing", "finance", "support", "superuser")
    ),
)
WITHOUT_FACTOR = Actor("password alone", "superuser", ("pwd",))
LONG_AGO = Actor("long ago", "superuser", is_stale=True)
MISADDRESSED = Actor("other audience", "superuser", is_bad=True)
EXPIRED = Actor("expired", "superuser", is_bad=True)
A_SERVICE = Actor("a service", is_service=True)
ACTORS = (ANONYMOUS, *PEOPLE, WITHOUT_FACTOR, LONG_AGO, MISADDRESSED, EXPIRED, A_SERVICE)


def outcome(operation: Operation, actor: Actor) -> str:
    """What a service answers somebody who asks it directly: it lets them in, or 401, or 403."""
    if operation.asked == EDGE:
        return HIDDEN
    if operation.asked == UNSEEN:
        return YES
    if actor.is_bad:
        return REFUSED
    if operation.asked == ANYBODY:
        return YES
    if actor == ANONYMOUS:
        return REFUSED
    if operation.scope not in actor.scopes(operation.service):
        return FORBIDDEN
    if operation.asked.startswith(FRESH) and actor.is_stale:
        return REFUSED
    return YES


def outcome_at_edge(operation: Operation, actor: Actor) -> str:
    """The same through the edge, where no service has any business."""
    if actor.is_service and operation.asked != UNSEEN:
        return FORBIDDEN
    return outcome(operation, actor)


def readers_of(path: str) -> str:
    """Whom a page is for. Raises: KeyError when nobody has said so."""
    parts = path.rstrip("/").split("/")
    prefixes = ["/".join(parts[:size]) for size in range(len(parts), 1, -1)] if path != "/" else ["/"]
    return next((PAGES[prefix] for prefix in prefixes if prefix in PAGES), None) or PAGES[path]


def written() -> list[Operation]:
    """The operations of the document as it stands."""
    found, service = [], ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            service = line.removeprefix("## ")
        elif row := _ROW.match(line):
            found.append(Operation(service, row[1], row[2], row[3].replace(f"*{FRESH.strip()}* ", FRESH)))
    return found


def written_pages() -> list[Operation]:
    """The pages of the document as it stands, asked for being whom they are for."""
    rows = re.findall(r"^\| ([A-Z]+) `([^`]+)` \| ([^|]+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    return [Operation(PAGE, *row) for row in rows]


def operations() -> Iterator[Operation]:
    """Every method of every path that a service of this repository knows, its probes excepted."""
    for service in topology.SERVICES:
        for path, asked in urls_with_what_they_ask(service.name):
            if path not in PROBES:
                yield from (
                    Operation(service.name, method, path, _guard(path, what))
                    for method, what in asked.items()
                )


def _guard(path: str, asked: str) -> str:
    return EDGE if path.startswith("/internal/") and asked == UNSEEN else asked


@cache
def urls_with_what_they_ask(service: str) -> list[tuple[str, dict[str, str]]]:
    """Every path of a service, and what each of its methods asks for; starting a service takes seconds."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, ROOT / "tests" / "list_urls.py", service],
            env=environment(Path(folder)),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    return [(path, asked) for path, asked in json.loads(done.stdout.splitlines()[-1])]


_HEAD = """\
# Who may do what

Made by `tests/access.py` from the URL tables of the services and the roles of the gateway; do not edit it.
[tests/test_access.py](../tests/test_access.py) asks every service directly, and the whole shop through the
edge, as everybody in this table, and compares. It fails as well when a service has a route that is not here.

- `yes`: let in, whatever becomes of the request then. What belongs to another customer is 404.
- *fresh* before a scope: the log-in must be of the last 15 minutes.
- **password alone**: a superuser without a second factor. **long ago**: one whose log-in is too old for that.
- **other audience**, **expired**: a superuser's tokens for another service, and of yesterday.
- **a service**: the variant service with its own key. The edge lets no service in.
"""


_PAGES = """\
## Pages of the gateway

By the session cookie. Who is not logged in is led to the log-in and back.

| request | for |
|---|---|"""

_ADMINS = """\
## Admins

By the session cookie, for staff who have shown a second factor. Every change needs a log-in of the last
15 minutes.
[tests/test_staff_route.py](../tests/test_staff_route.py) tries every role at each.

| path, and all below | scope |
|---|---|"""


def render(found: list[Operation]) -> str:
    """The document."""
    parts = [_HEAD]
    for service in topology.SERVICES:
        rows = [one for one in found if one.service == service.name and one.asked not in {PAGE, ADMIN}]
        names = [actor.name for actor in ACTORS]
        parts.append(f"## {service.name}\n")
        parts.append(f"| request | asks for | {' | '.join(names)} |")
        parts.append("|---|---|" + "---|" * len(names))
        parts += [_row(one) for one in sorted(rows, key=lambda one: (one.path, one.method))]
        parts.append("")
    pages = sorted({(one.path, one.method) for one in found if one.asked == PAGE})
    parts += [_PAGES, *(f"| {method} `{path}` | {readers_of(path)} |" for path, method in pages), ""]
    admins = sorted(route.prefix for route in ROUTES if route.credential is Credential.STAFF)
    parts += [_ADMINS, *(f"| `{prefix}/` | {_opener(prefix)} |" for prefix in admins)]
    return "\n".join([*parts, f"| `/admin/gateway/` | {GATEWAY_ADMIN} |", ""])


def _opener(prefix: str) -> str:
    [scope] = next(route.scopes for route in ROUTES if route.prefix == prefix)
    return scope


def _row(operation: Operation) -> str:
    said = operation.asked.replace(FRESH, f"*{FRESH.strip()}* ")
    answers = [outcome(operation, actor) for actor in ACTORS]
    return f"| {operation.method} `{operation.path}` | {said} | {' | '.join(answers)} |"


if __name__ == "__main__":
    DOCUMENT.write_text(render(list(operations())))
