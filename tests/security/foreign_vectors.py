#!/usr/bin/env python3
"""Try the verifier and the reader of key sets on test vectors of others, which are not in this repository.

tests/security/foreign_vectors.py FILE…    JSON files of Project Wycheproof, of either version

Known are the kinds JsonWebSignature (tokens), JsonWebKey (key sets), EcdsaP1363Verify and
RsassaPkcs1Verify (signatures). Nothing that is called invalid may pass, and nothing but a refusal may be
raised. Tokens of others are none of ours, for their headers have no type: the verifier must refuse all,
and where its reason is the header alone, their signatures are looked at too. Where a file has the private
half of a key that we take, a token of ours is signed with it, and must pass.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt

from chassis.keys import BadKeySet, KeySet, VerifyKey, parse_jwks, thumbprint
from chassis.testing.forge import Forge, encode, write_keys
from chassis.tokens import InvalidToken, Verifier

ISSUER, AUDIENCE = "http://localhost:8000", "wallet"
KEYS_AS_THEY_ARE = {"kty", "alg", "use", "key_ops", "crv", "x", "y", "n", "e", "d", "k"}

OF_THE_HEADER = {"header-members", "typ", "kid-malformed", "kid-unknown", "claims-not-json"}
"""Reasons of the verifier before it has looked at a signature, of whose form nothing can be said."""


@dataclass
class Report:
    """What came of the vectors: how many of each outcome, and which were not as they must be."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def note(self, name: str, outcome: str, *, is_wrong: bool = False) -> None:
        """Count an outcome, and keep the name of what should not have come to it."""
        self.outcomes[outcome] += 1
        if is_wrong:
            self.wrong.append(f"{name}: {outcome}")


class Fixed:
    """Keys that never change."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    def current(self) -> KeySet:
        """The keys."""
        return self._keys


def adapted(jwk: dict[str, Any]) -> dict[str, Any]:
    """A key of others as one of ours: with a holder, and with its thumbprint for a kid where it has one.

    Nothing else is changed: a wrong use, algorithm or point stays as it is.
    """
    own = {name: value for name, value in jwk.items() if name in KEYS_AS_THEY_ARE} | {"holder": "gateway"}
    try:
        return own | {"kid": thumbprint(own)}
    except BadKeySet:
        return own | {"kid": str(jwk.get("kid"))}


def read_set(members: list[dict[str, Any]]) -> KeySet | str:
    """The keys that we take of these, or why not."""
    try:
        return parse_jwks(json.dumps({"keys": members}).encode())
    except BadKeySet as exc:
        return str(exc)


def verify(keys: KeySet, token: str) -> str:
    """What a verifier with these keys says about a token: `passed`, or its reason."""
    verifier = Verifier(Fixed(keys), issuer=ISSUER, audience=AUDIENCE)
    try:
        verifier.verify(token)
    except InvalidToken as exc:
        return exc.reason
    return "passed"


def own_token(forge: Forge, jwk: dict[str, Any], kid: str) -> str:
    """A token of ours, signed with a private key of others."""
    header = {"kid": kid, "typ": "at+jwt"}
    return jwt.encode(forge.claims(AUDIENCE), jwt.PyJWK(jwk).key, algorithm=jwk["alg"], headers=header)


def try_keys(group: dict[str, Any], report: Report, forge: Forge) -> None:
    """A group of tokens under one key, or under a set of keys."""
    given = group.get("public") or group["private"]
    keys = read_set([adapted(member) for member in given.get("keys", [given])])
    for test in group["tests"]:
        said = f"key refused, {keys}" if isinstance(keys, str) else outcome(keys, str(test["jws"]))
        wrong = said == "passed" or (test["result"] == "invalid" and said.endswith("signature good"))
        report.note(name_of(group, test), f"{test['result']}: {said}", is_wrong=wrong)
    private = group.get("private", {})
    if not isinstance(keys, str) and "d" in private:
        said = verify(keys, own_token(forge, private, only(keys).kid))
        report.note(f"own token under {group['comment']}", f"own: {said}", is_wrong=said != "passed")


def outcome(keys: KeySet, token: str) -> str:
    """What the verifier says, and what its cryptography would have said."""
    said = verify(keys, token)
    if said not in OF_THE_HEADER:
        return said
    try:
        jwt.PyJWS().decode(token, only(keys).jwk, algorithms=[only(keys).alg])
    except jwt.PyJWTError:
        return f"{said}, signature bad"
    return f"{said}, signature good"


def only(keys: KeySet) -> VerifyKey:
    """The first key of a set."""
    return next(iter(keys.keys.values()))


def try_signatures(group: dict[str, Any], report: Report, alg: str) -> None:
    """A group of bare signatures under one key, checked by what checks those of tokens."""
    if group["sha"] != "SHA-256":
        report.note(str(group["type"]), "not ours: another hash")
        return
    jwk = group.get("publicKeyJwk") or group.get("keyJwk") or point(group["publicKey"])
    keys = read_set([adapted(jwk | {"alg": alg, "use": "sig"})])
    for test in group["tests"]:
        if isinstance(keys, str):
            report.note(name_of(group, test), f"{test['result']}: key refused, {keys}")
            continue
        key = only(keys).jwk
        passed = key.Algorithm.verify(bytes.fromhex(test["msg"]), key.key, bytes.fromhex(test["sig"]))
        said = "passed" if passed else "refused"
        wrong = f"{test['result']}: {said}" in {"invalid: passed", "valid: refused"}
        report.note(name_of(group, test), f"{test['result']}: {said}", is_wrong=wrong)


def point(key: dict[str, str]) -> dict[str, str]:
    """The JWK of a key of which only the coordinates are given."""
    x, y = (encode(int(key[name], 16).to_bytes(32)) for name in ("wx", "wy"))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def name_of(group: dict[str, Any], test: dict[str, Any]) -> str:
    """How the file calls a vector."""
    return f"{group['type']} {test['tcId']} {test.get('comment', '')}"


def groups(path: Path) -> Iterator[dict[str, Any]]:
    """The groups of a file, each with its type."""
    document = json.loads(path.read_text())
    for group in document["testGroups"]:
        yield {"type": document.get("type", "JsonWebSignature"), "comment": ""} | group


def run(paths: list[Path]) -> Report:
    """Try all vectors of these files."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        write_keys(Path(folder), services={})
        forge = Forge(Path(folder), issuer=ISSUER)
        for group in (group for path in paths for group in groups(path)):
            if group["type"] == "EcdsaP1363Verify":
                try_signatures(group, report, "ES256")
            elif group["type"] == "RsassaPkcs1Verify":
                try_signatures(group, report, "RS256")
            else:
                try_keys(group, report, forge)
    return report


def main(arguments: list[str]) -> int:
    """Try the files that are named; 0 when there were vectors and all were as they must be."""
    started = time.monotonic()
    report = run([Path(argument) for argument in arguments])
    for outcome, count in sorted(report.outcomes.items()):
        print(f"{count:6}  {outcome}")
    for line in report.wrong:
        print(f"WRONG   {line}")
    seconds = time.monotonic() - started
    print(f"{sum(report.outcomes.values())} checks, {len(report.wrong)} wrong, {seconds:.1f} s")
    return 0 if report.outcomes and not report.wrong else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
