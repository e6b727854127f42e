"""Tokens for the contestants, signed with two keys that all of them know: one ES256, one RS256."""

import asyncio
import json
import threading
import time
import uuid
from pathlib import Path
from typing import Any, Final

import jwt
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis.keys import SigningKey, public_jwk, thumbprint
from chassis.tokens import sign
from gateway.edge.testing import ORIGIN, SUBJECT

ALGORITHMS: Final = ("ES256", "RS256")
_SECONDS: Final = 900


class Issuer:
    """Signs tokens; leaves jwks.json and the same keys as PEM in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        elliptic, rivest = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
        private: dict[str, Any] = {"ES256": elliptic, "RS256": rivest}
        jwks = {"ES256": public_jwk(elliptic, holder="gateway"), "RS256": _rsa_jwk(rivest.public_key())}
        self._keys = {name: SigningKey(jwks[name]["kid"], name, private[name]) for name in ALGORITHMS}
        (folder / "jwks.json").write_text(json.dumps({"keys": list(jwks.values())}))
        for name, key in private.items():
            pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            (folder / f"{name}.pem").write_bytes(pem)

    def mint(self, algorithm: str = "ES256", **claims: Any) -> str:
        """A customer's log-in token as the web signs it, with the claims given."""
        now = int(time.time())
        usual = {
            "iss": ORIGIN,
            "aud": ["gateway", "wallet"],
            "sub": SUBJECT,
            "client_id": "bench",
            "iat": now,
            "nbf": now,
            "exp": now + _SECONDS,
            "jti": uuid.uuid4().hex,
            "sid": uuid.uuid4().hex,
            "scope": "account:write orders:read orders:write wallet:read wallet:write",
            "roles": ["customer"],
            "auth_time": now,
            "amr": ["pwd"],
            "token_type": "access",
        }
        return sign(usual | claims, self._keys[algorithm], "at+jwt")

    def tokens(self, algorithm: str, kind: str, many: int) -> list[str]:
        """The tokens of a case: `one` good one, `many` distinct ones, or `bad` signatures only."""
        if kind == "one":
            return [self.mint(algorithm)]
        if kind == "many":
            return [self.mint(algorithm) for _ in range(many)]
        return [spoil(self.mint(algorithm)) for _ in range(100)]


class Web:
    """Stands in for the web: answers every Ask at once, with a token that it signed before.

    What minting costs the web is no part of the comparison; what asking costs the edge is.
    """

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._answer = b""
        self._signed_at = 0.0
        self._loop = uvloop.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        starting = asyncio.run_coroutine_threadsafe(self._start(), self._loop)
        self.port: int = starting.result(5)

    async def _start(self) -> int:
        server = await self._loop.create_server(lambda: _Asked(self.answer), "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    def answer(self) -> bytes:
        """A whole reply to POST /internal/token."""
        if self._signed_at < time.monotonic() - 30:
            expires_at = int(time.time()) + 120
            token = self._issuer.mint(aud="wallet", exp=expires_at)
            body = json.dumps({"token": token, "exp": expires_at, "sub": SUBJECT}).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self._answer = head.encode() + body
            self._signed_at = time.monotonic()
        return self._answer


class _Asked(asyncio.Protocol):
    # The edge sends one question at a time on a connection, with its length, and waits for the answer.
    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, separator, body = self._data.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self._data = b""
            self._transport.write(self._answer())  # type: ignore[attr-defined]


def spoil(token: str) -> str:
    """The token with another signature of the same form."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[:10]}{'A' if signature[10] != 'A' else 'B'}{signature[11:]}"


def _rsa_jwk(key: rsa.RSAPublicKey) -> dict[str, str]:
    jwk = {
        name: value
        for name, value in json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key)).items()
        if name in {"kty", "n", "e"}
    }
    return jwk | {"kid": thumbprint(jwk), "use": "sig", "alg": "RS256", "holder": "gateway"}
