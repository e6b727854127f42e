#!/usr/bin/env python3
"""What a verification costs, cached and cold, and how much of the cold one is the signature itself."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jwt

from chassis.ids import uuid7
from chassis.keys import KeyStore
from chassis.revocations import REVOCATIONS_FILE, Revocations, RevocationStore, sign_revocations
from chassis.testing.forge import Forge, write_keys
from chassis.tokens import Verifier

SCOPE = "wallet:read wallet:write orders:read orders:write account:write"
ROUNDS = 9
MOST_REVOKED = 5000


def microseconds(call: Callable[[], object], times: int) -> float:
    """The mean time of one call, in microseconds."""
    started = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - started) / times * 1e6


def main() -> None:
    """Print the medians of interleaved rounds."""
    with tempfile.TemporaryDirectory() as folder:
        keys_dir = Path(folder)
        write_keys(keys_dir, services={})
        forge = Forge(keys_dir, issuer="http://localhost:8000")
        store = KeyStore(keys_dir / "public")
        token = forge.mint("wallet", scope=SCOPE)
        key = store.current().keys[forge.access.kid]
        cached = Verifier(store, issuer=forge.issuer, audience="wallet")
        cold = Verifier(store, issuer=forge.issuer, audience="wallet", cache_size=0)
        everything = Revocations(sids=frozenset(str(uuid7()) for _ in range(MOST_REVOKED)))
        signed = sign_revocations(everything, forge.access, issuer=forge.issuer, now=int(time.time()))
        (keys_dir / "public" / REVOCATIONS_FILE).write_bytes(signed)
        revoked = RevocationStore(keys_dir / "public", store, issuer=forge.issuer)
        watchful = Verifier(store, issuer=forge.issuer, audience="wallet", revocations=revoked)
        calls: dict[str, tuple[Callable[[], object], int]] = {
            "cached verification": (lambda: cached.verify(token), 100_000),
            "the same, with a full list of revocations": (lambda: watchful.verify(token), 100_000),
            "cold verification": (lambda: cold.verify(token), 500),
            "jwt.decode alone (accepts what we refuse)": (
                lambda: jwt.decode(token, key.jwk, algorithms=["ES256"], audience="wallet"),
                500,
            ),
        }
        rounds = [{name: microseconds(*call) for name, call in calls.items()} for _ in range(ROUNDS)]
    print(f"token: {len(token)} bytes, ES256; median of {ROUNDS} interleaved rounds, µs per call")
    for name in calls:
        print(f"{statistics.median(row[name] for row in rounds):10.2f}  {name}")


if __name__ == "__main__":
    main()
