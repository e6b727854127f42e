"""Writes the gateway's published keys as PEM, for HAProxy reads no JWKS.

    python deploy/haproxy/pem_keys.py http://localhost:8000/.well-known/jwks.json FOLDER

first.pem and second.pem: while keys change there are two, else both are the same.
"""

import sys
from pathlib import Path

import jwt
import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def main(url: str, folder: Path) -> None:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    keys = [jwk for jwk in response.json()["keys"] if jwk["alg"] == "ES256"]
    if not 1 <= len(keys) <= 2:
        sys.exit(f"{len(keys)} keys are published; HAProxy is configured for one or two")
    for name, jwk in zip(("first.pem", "second.pem"), (keys[0], keys[-1]), strict=True):
        pem = jwt.PyJWK(jwk).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / name).write_bytes(pem)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
