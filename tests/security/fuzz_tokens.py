#!/usr/bin/env python3
"""Throw mutated tokens at the verifier, at a Django and a Flask service, and at a running shop.

tests/security/fuzz_tokens.py [--count 1000000] [--processes 2] [--seed N]
    [--at http://localhost:8001 --keys .mercato/keys --origin http://localhost:8000]

Each token goes to the verifier and to one of the two applications, in this process; with an address, of
the edge or of the wallet in a shop that runs, every tenth also goes there, signed with that shop's keys.
Nothing but a refusal may be raised, no answer may be 5xx, an application must say what the verifier
says, and whatever is let in must be, byte for byte, a header and payload that our key has signed.
"""

import argparse
import http.client
import io
import json
import logging
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chassis.keys import KeyStore
from chassis.testing.attacks import ATTACKS, Aim
from chassis.testing.forge import Forge, decode, encode, write_keys
from chassis.tokens import InvalidToken, Verifier

ROOT = Path(__file__).resolve().parents[2]
ORIGIN, AUDIENCE, SCOPE = "http://localhost:8000", "wallet", "wallet:read"
RENEWED_AFTER = 1000
OVER_HTTP = 10
STATUSES = {200, 401, 403}
ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1,
        2**31,
        2**53,
        2**63,
        1.5,
        1e300,
        10**30,
        "",
        " ",
        "0",
        "a" * 200,
        "\0",
        "\n",
    ),
    *(
        "none",
        "HS256",
        "es256",
        "RS256",
        "JWT",
        "rt+jwt",
        "at+jwt",
        "AT+JWT",
        "svc:gateway",
        "svc:",
        "*",
        "gateway",
    ),
    *(
        "../../etc/passwd",
        "' OR 1=1--",
        "http://127.0.0.1:9/",
        "\u0661\u0662",
        "\u202e",
        "\U0001f511",
        "{}",
        "[]",
    ),
    *([], {}, [[]], {"": ""}, ["wallet", "gateway"], ["wallet", None], {"sub": "svc:gateway"}, [1] * 12),
)
NAMES = (
    *(
        "alg",
        "kid",
        "typ",
        "crit",
        "b64",
        "zip",
        "jku",
        "jwk",
        "x5u",
        "x5c",
        "cty",
        "enc",
        "iss",
        "aud",
        "sub",
    ),
    *(
        "exp",
        "nbf",
        "iat",
        "jti",
        "sid",
        "scope",
        "roles",
        "amr",
        "auth_time",
        "token_type",
        "act",
        "client_id",
        "",
    ),
)
SPICE = "AZaz09-_.=+/~ \t\x00\x7f\xe9\u0130\u2028\ud800,;:\"'{}[]%\\"

App = Callable[[dict[str, Any], Callable[..., Any]], Any]


@dataclass(frozen=True)
class Thrown:
    """The value of an Authorization header, and the header and payload in it that were truly signed."""

    value: str
    signed: str


@dataclass
class Tally:
    """What came of it: outcomes by number, and what must never have come of it."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Fuzzer:
    """Makes mutated tokens without end; the same seed makes the same mutations."""

    def __init__(self, forge: Forge, seed: int) -> None:
        self._forge = forge
        self._random = random.Random(seed)
        self._count = 0
        self._aim = Aim(forge, AUDIENCE, SCOPE)
        self._good = self._aim.token

    def __iter__(self) -> Iterator[Thrown]:
        kinds = (self._characters, self._segments, self._signed, self._signature, self._header, self._known)
        while True:
            if self._count % RENEWED_AFTER == 0:
                self._aim = Aim(self._forge, AUDIENCE, SCOPE)
                self._good = self._aim.token
            self._count += 1
            yield self._random.choice(kinds)()

    def _thrown(self, token: str) -> Thrown:
        return Thrown(f"Bearer {token}", self._good.rpartition(".")[0])

    def _characters(self) -> Thrown:
        return self._thrown(self._edited(self._good))

    def _edited(self, text: str) -> str:
        for _ in range(self._random.choice((1, 1, 1, 2, 5, 30))):
            at = self._random.randrange(len(text) + 1)
            until = min(len(text), at + self._random.choice((0, 1, 1, 2, 50)))
            new = "".join(self._random.choices(SPICE, k=self._random.choice((0, 1, 1, 3, 5000))))
            text = text[:at] + self._random.choice((new, text[at:until] * 2)) + text[until:]
        return text

    def _segments(self) -> Thrown:
        parts = [*self._good.split("."), self._random.choice(("", "e30", "A", "AA"))]
        chosen = [self._random.choice(parts) for _ in range(self._random.choice((0, 1, 2, 3, 3, 3, 4, 5)))]
        return self._thrown(".".join(chosen))

    def _signed(self) -> Thrown:
        header, payload = self._changed(self._aim.header), self._changed(self._aim.claims)
        parts = [self._random.choice((header, self._aim.header)), payload]
        texts = [json.dumps(part) for part in parts]
        if self._random.random() < 0.3:
            texts[self._random.randrange(2)] = self._edited(self._random.choice(texts))
        token = self._aim.signed(*(text.encode("utf-8", "surrogatepass") for text in texts))
        return Thrown(f"Bearer {token}", token.rpartition(".")[0])

    def _changed(self, members: dict[str, Any]) -> dict[str, Any]:
        changed = dict(members)
        for _ in range(self._random.choice((0, 1, 1, 2, 4))):
            name = self._random.choice(NAMES)
            if self._random.random() < 0.2:
                changed.pop(name, None)
            else:
                changed[name] = self._random.choice((*ODD, *members.values()))
        return changed

    def _signature(self) -> Thrown:
        text, _, signature = self._good.rpartition(".")
        raw = bytearray(decode(signature))
        for _ in range(self._random.choice((1, 2, 64))):
            raw[self._random.randrange(64)] = self._random.choice((0, 255, self._random.randrange(256)))
        size = self._random.choice((64, 64, 64, 0, 1, 63, 65, 128, 512))
        return self._thrown(f"{text}.{encode((bytes(raw) * 8)[:size])}")

    def _header(self) -> Thrown:
        return Thrown(self._edited(f"Bearer {self._good}"), self._good.rpartition(".")[0])

    def _known(self) -> Thrown:
        # What is known to be an attack, with a mutation on top; those of megabytes would take all the time.
        case = self._random.choice(ATTACKS)
        values = case.build(self._aim).authorization or ("",)
        value = values[0][:10_000]
        scheme, _, token = value.partition(" ")
        signed = token.rpartition(".")[0] if scheme.lower() == "bearer" else ""
        return Thrown(value if self._random.random() < 0.5 else self._edited(value), signed)


def throw(thrown: Thrown, verifier: Verifier, app: App, name: str, tally: Tally) -> None:
    """One token at the verifier and at an application, and what came of it."""
    let_in = said = None
    try:
        let_in = verifier.authenticate([thrown.value])
        said = "let in" if let_in else "nobody"
    except InvalidToken:
        said = "refused"
    except Exception as exc:  # noqa: BLE001  Whatever else is raised is what this looks for.
        said = f"raised {type(exc).__name__}"
        tally.wrong.append(f"{said}: {thrown.value!r}")
    tally.outcomes[f"verifier: {said}"] += 1
    if let_in and (not thrown.signed or thrown.signed not in thrown.value):
        tally.wrong.append(f"let in: {thrown.value!r}")
    status = ask(app, thrown.value)
    tally.outcomes[f"{name}: {status}"] += 1
    differs = (status == 200) is not bool(let_in) and status != 403
    if status not in STATUSES or (differs and on_the_wire(thrown.value) == thrown.value):
        tally.wrong.append(f"{name} {status}: {thrown.value!r}")


def ask(app: App, value: str) -> int:
    """The status of a GET with this Authorization; 599 when the application raised.

    A value reaches an application as latin-1, in one line.
    """
    answered: list[int] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/api/v1/whoami",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost:8000",
        "HTTP_AUTHORIZATION": on_the_wire(value),
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    }
    try:
        body = app(environ, lambda status, *_rest: answered.append(int(status[:3])))
        for _ in body:
            pass
        getattr(body, "close", lambda: None)()
    except Exception:  # noqa: BLE001  An application that raises is what this looks for.
        return 599
    return answered[-1]


def on_the_wire(value: str) -> str:
    """What of a value can stand in a header at all."""
    return value.encode("utf-8", "replace").translate(None, b"\r\n\0").decode("latin-1").strip(" \t")


def over_http(at: str, thrown: Thrown, tally: Tally) -> None:
    """One token at a running shop."""
    where = urlsplit(at)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=10)
    try:
        connection.putrequest("GET", "/api/v1/wallet")
        connection.putheader("Authorization", on_the_wire(thrown.value).encode("latin-1"))
        connection.endheaders()
        status = connection.getresponse().status
    finally:
        connection.close()
    tally.outcomes[f"http: {status}"] += 1
    if status >= 500:
        tally.wrong.append(f"http {status}: {thrown.value!r}")


def applications() -> dict[str, App]:
    """A Django and a Flask service, as small as they can be."""
    sys.path.insert(0, str(ROOT / "chassis" / "tests"))
    os.environ["DJANGO_SETTINGS_MODULE"] = "chassis_site"
    from django.core.wsgi import get_wsgi_application
    from flask_site import make_app

    return {"django": get_wsgi_application(), "flask": make_app()}


def fuzz(seed: int, count: int, at: str = "", keys: str = "", origin: str = ORIGIN) -> Tally:
    """So many tokens from this seed, signed with the keys in a folder, or with new ones."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(keys or name)
        if not keys:
            write_keys(folder, services={"catalog_variant": "listings:write"})
        os.environ |= {
            "MERCATO_ORIGIN": origin,
            "KEYS_PUBLIC": str(folder / "public"),
            "KEYS_PRIVATE": str(folder / "private" / "gateway"),
        }
        apps = list(applications().items())
        verifier = Verifier(KeyStore(folder / "public"), issuer=origin, audience=AUDIENCE)
        tally = Tally()
        for number, thrown in zip(range(count), Fuzzer(Forge(folder, issuer=origin), seed), strict=False):
            name, app = apps[number % len(apps)]
            throw(thrown, verifier, app, name, tally)
            if at and number % OVER_HTTP == 0:
                over_http(at, thrown, tally)
    return tally


def main(arguments: list[str]) -> int:
    """Fuzz as the arguments say; 0 when nothing went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(2**31))
    parser.add_argument("--at", default="")
    parser.add_argument("--keys", default="")
    parser.add_argument("--origin", default=ORIGIN)
    given = parser.parse_args(arguments)
    started = time.monotonic()
    total = Tally()
    count = given.count // given.processes
    work = partial(fuzz, count=count, at=given.at, keys=given.keys, origin=given.origin)
    with ProcessPoolExecutor(given.processes) as pool:
        for tally in pool.map(work, range(given.seed, given.seed + given.processes)):
            total.outcomes += tally.outcomes
            total.wrong += tally.wrong
    for outcome, number in sorted(total.outcomes.items()):
        print(f"{number:9,}  {outcome}")
    for line in total.wrong[:20]:
        print(f"WRONG  {line[:500]}")
    seconds = time.monotonic() - started
    print(f"{given.count:,} tokens, {len(total.wrong)} wrong, seed {given.seed}, {seconds:.0f} s")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
