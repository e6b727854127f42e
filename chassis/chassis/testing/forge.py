"""Mints tokens for tests: good ones with the real keys, and any malformed one that an attacker could send."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chassis.ids import uuid7
from chassis.keys import JWKS_FILE, SigningKey, load_signing_key, public_jwk, thumbprint

Segment = bytes | str | dict[str, Any] | list[Any] | int | None


class Forge:
    """Signs with the keys found in a `keys/` folder. Every claim and header member can be overridden."""

    def __init__(self, keys_dir: Path, *, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self.keys_dir = keys_dir
        self.issuer = issuer
        self._clock = clock
        self.access = load_signing_key(keys_dir / "private" / "gateway", "access")
        self.refresh = load_signing_key(keys_dir / "private" / "gateway", "refresh")

    def service_key(self, holder: str) -> SigningKey:
        """The key that a service signs with."""
        return load_signing_key(keys_dir_of(self.keys_dir, holder), "service")

    def claims(self, audience: str | list[str], **changes: Any) -> dict[str, Any]:
        """The claims of a user's access token, good for 120 s; a change to None removes a claim."""
        now = int(self._clock())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": audience,
            "sub": str(uuid7()),
            "client_id": "test",
            "iat": now,
            "nbf": now,
            "exp": now + 120,
            "jti": uuid7().hex,
            "sid": uuid7().hex,
            "scope": "",
            "roles": ["customer"],
            "auth_time": now,
            "amr": ["pwd"],
            "token_type": "access",
        }
        return without_none(claims | changes)

    def service_claims(self, audience: str, subject: str, scope: str, **changes: Any) -> dict[str, Any]:
        """The claims of a service's own token, good for 60 s."""
        gone = dict.fromkeys(("sid", "roles", "auth_time", "amr", "token_type"))
        now = int(self._clock())
        own = {"sub": subject, "client_id": subject.removeprefix("svc:"), "scope": scope, "exp": now + 60}
        return self.claims(audience, **gone | own | changes)

    def mint(self, audience: str | list[str], **changes: Any) -> str:
        """A good access token of a user for an audience, with these claims changed."""
        return self.sign(self.claims(audience, **changes))

    def sign(
        self, claims: Segment, *, key: SigningKey | None = None, header: dict[str, Any] | None = None
    ) -> str:
        """A token with any payload and any header, truly signed."""
        key = key or self.access
        members = without_none({"alg": "ES256", "kid": key.kid, "typ": "at+jwt"} | (header or {}))
        signed = f"{encode(members)}.{encode(claims)}"
        return f"{signed}.{encode(es256(key.private_key, signed.encode()))}"


def without_none(members: dict[str, Any]) -> dict[str, Any]:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def encode(part: Segment) -> str:
    """A part of a token as base64url without padding: bytes as they are, the rest as JSON."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(segment: str) -> bytes:
    """The bytes of a part of a token."""
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def es256(key: EllipticCurvePrivateKey, data: bytes) -> bytes:
    """A raw ES256 signature (RFC 7518 section 3.4): r and s, 32 bytes each."""
    r, s = decode_dss_signature(key.sign(data, ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def new_key() -> SigningKey:
    """A key that nobody published."""
    private_key = generate_private_key(SECP256R1())
    return SigningKey(thumbprint(public_jwk(private_key)), "ES256", private_key)


def keys_dir_of(keys_dir: Path, holder: str) -> Path:
    """The private folder of a holder."""
    return keys_dir / "private" / holder


def write_keys(keys_dir: Path, *, services: dict[str, str]) -> None:
    """Make a `keys/` folder: access and refresh key of the gateway, a key for each service with its scope."""
    access = _write_key(keys_dir, "gateway", "access")
    _write_key(keys_dir, "gateway", "refresh")
    members = [public_jwk(access, holder="gateway")]
    for service, scope in services.items():
        members.append(public_jwk(_write_key(keys_dir, service, "service"), holder=service, scope=scope))
    public = keys_dir / "public"
    public.mkdir(parents=True, exist_ok=True)
    (public / JWKS_FILE).write_text(json.dumps({"keys": members}))


def _write_key(keys_dir: Path, holder: str, kind: str) -> EllipticCurvePrivateKey:
    key = new_key()
    folder = keys_dir_of(keys_dir, holder)
    folder.mkdir(parents=True, exist_ok=True)
    pem = key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / f"{kind}-{key.kid}.pem"
    path.touch(mode=0o600)
    path.write_bytes(pem)
    return key.private_key
