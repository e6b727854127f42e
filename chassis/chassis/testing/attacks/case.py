"""What an attack is, what it is aimed at, and how its token is put together."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from chassis.keys import SigningKey
from chassis.testing.forge import Forge, encode, es256

SUBJECT: Final = "00000000-0000-0000-0000-000000000001"
OTHER_SUBJECT: Final = "00000000-0000-0000-0000-000000000002"

ABSENT: Final = object()
"""As the value of a change: remove the member. None is JSON's null."""


class Answer(Enum):
    """What must come back: the status and the code of the problem document."""

    REFUSED = (401, "invalid-token")
    ANONYMOUS = (401, "authentication-required")
    ACCEPTED = (200, "")
    FORBIDDEN = (403, "insufficient-scope")
    MALFORMED = (400, "malformed-request")
    TOO_LARGE = (431, "headers-too-large")
    UNREADABLE = (400, "")
    """400 or 431 of the HTTP server itself, which never shows the request to the application."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.value[0]

    @property
    def code(self) -> str:
        """The code of the problem document, empty where there is none."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Aim:
    """What an attack is aimed at: whose keys, which audience, and a route that asks for a scope.

    sub must be somebody whom the target would let in with a good token, and sid a session of theirs where the
    target looks sessions up. listener is a URL that must never
    be fetched; secrets are those of the target that a MAC could have been keyed with.
    """

    forge: Forge
    audience: str
    scope: str = "wallet:read"
    sub: str = SUBJECT
    sid: str = "session"
    listener: str = "http://127.0.0.1:9/"
    secrets: tuple[str, ...] = ()
    now: int = field(default_factory=lambda: int(time.time()))

    @property
    def header(self) -> dict[str, Any]:
        """The header of a good token."""
        return {"alg": "ES256", "kid": self.forge.access.kid, "typ": "at+jwt"}

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of a good token."""
        return self.forge.claims(self.audience, sub=self.sub, sid=self.sid, scope=self.scope)

    @property
    def token(self) -> str:
        """A good token."""
        return self.signed()

    def signed(
        self,
        header: dict[str, Any] | bytes | None = None,
        payload: object = ABSENT,
        key: SigningKey | None = None,
    ) -> str:
        """A token with this header and payload, truly signed; what is not given is good, bytes stay bytes."""
        parts = [self.header if header is None else header, self.claims if payload is ABSENT else payload]
        text = ".".join(
            encode(part if isinstance(part, bytes) else json.dumps(part).encode()) for part in parts
        )
        return self.signed_text(text, key)

    def signed_text(self, text: str, key: SigningKey | None = None) -> str:
        """A token over this text of header and payload, whatever it is."""
        return f"{text}.{encode(es256((key or self.forge.access).private_key, text.encode()))}"


@dataclass(frozen=True, slots=True)
class Parts:
    """What an attack puts into a request: all its Authorization values, and where else a token may hide."""

    authorization: tuple[str, ...] = ()
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Attack:
    """A case: how to build it, and the answer of the verifier, a service and the edge."""

    id: str
    name: str
    build: Callable[[Aim], Parts]
    verifier: Answer
    service: Answer
    edge: Answer

    @property
    def label(self) -> str:
        """The name of its test."""
        return f"{self.id} {self.name}"


Token = Callable[[Aim], str]


def attack(
    id: str,
    name: str,
    build: Callable[[Aim], Parts],
    answer: Answer = Answer.REFUSED,
    *,
    service: Answer | None = None,
    edge: Answer | None = None,
) -> Attack:
    """An attack whose answer is the same everywhere but where said otherwise."""
    return Attack(id, name, build, answer, service or answer, edge or answer)


def bearer(
    id: str,
    name: str,
    token: Token,
    answer: Answer = Answer.REFUSED,
    *,
    service: Answer | None = None,
    edge: Answer | None = None,
) -> Attack:
    """An attack by the token alone."""
    return attack(id, name, lambda aim: Parts((f"Bearer {token(aim)}",)), answer, service=service, edge=edge)


def with_header(**changes: Any) -> Token:
    """A truly signed token with these members of the header changed."""
    return lambda aim: aim.signed(header=changed(aim.header, changes))


def with_claims(**changes: Any) -> Token:
    """A truly signed token with these claims changed."""
    return lambda aim: aim.signed(payload=changed(aim.claims, changes))


def with_times(**offsets: int) -> Token:
    """A truly signed token with these claims set to so many seconds from now."""
    return lambda aim: aim.signed(payload=aim.claims | {name: aim.now + s for name, s in offsets.items()})


def with_raw_claim(name: str, text: str) -> Token:
    """A truly signed token in which the value of a claim is this text, JSON or not."""
    return lambda aim: aim.signed(payload=appended(changed(aim.claims, {name: ABSENT}), f'"{name}": {text}'))


def changed(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The members with the changes made; what is ABSENT is removed."""
    return {name: value for name, value in (members | changes).items() if value is not ABSENT}


def appended(members: dict[str, Any], text: str) -> bytes:
    """The members as JSON with this text as one more of them."""
    return f"{json.dumps(members)[:-1]}, {text}}}".encode()
