"""What stands where in a keys folder, and what of it is published."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chassis.keys import GATEWAY, JWKS_FILE, public_jwk, thumbprint

ISSUER_JWKS_FILE: Final = "jwks-issuer.json"
STATE_FILE: Final = "state.json"
ACTIVE: Final = "active"

SERVICE_SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "catalog_category": "catalog:exists",
        "catalog_product": "catalog:exists",
        "catalog_variant": "listings:write catalog:exists",
    }
)
"""What each service's own key may grant when that service calls another one."""

KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {GATEWAY: ("access", "refresh")} | dict.fromkeys(SERVICE_SCOPES, ("service",))
)
_PUBLISHED_KINDS: Final = ("access", "service")


class UnusableKey(Exception):
    """A private key file that does not hold the key its name promises."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """One private key on disk, described without anything secret."""

    holder: str
    kind: str
    kid: str
    state: str
    created_at: datetime
    path: Path


def list_keys(keys_dir: Path) -> list[KeyInfo]:
    """Every private key below the folder, by holder and kind; the state of one nobody recorded is `unknown`.

    Raises: UnusableKey when a state file is malformed.
    """
    found = [
        _describe(path, read_state(path.parent))
        for holder in KINDS
        for path in sorted((private_dir(keys_dir) / holder).glob("*.pem"))
    ]
    return sorted(found, key=lambda key: (key.holder, key.kind, key.created_at, key.kid))


def private_dir(keys_dir: Path) -> Path:
    """Where each holder has a folder that nobody else may read."""
    return keys_dir / "private"


def public_dir(keys_dir: Path) -> Path:
    """What every service and the edge are given to read."""
    return keys_dir / "public"


def publications(keys_dir: Path) -> dict[str, bytes]:
    """The files that the public folder should have, by name: the public halves of all but refresh keys.

    Raises: UnusableKey.
    """
    # Outsiders verify access tokens only and know no key binding, so theirs carries the gateway's alone.
    published = [key for key in list_keys(keys_dir) if key.kind in _PUBLISHED_KINDS]
    all_keys = [public_jwk(load(key.path), **_binding(key.holder)) for key in published]
    issuer = [public_jwk(load(key.path)) for key in published if key.holder == GATEWAY]
    return {JWKS_FILE: encode({"keys": all_keys}), ISSUER_JWKS_FILE: encode({"keys": issuer})}


def _binding(holder: str) -> dict[str, str]:
    scope = SERVICE_SCOPES.get(holder)
    return {"holder": holder, "scope": scope} if scope else {"holder": holder}


def load(path: Path) -> EllipticCurvePrivateKey:
    """The private key in a file. Raises: UnusableKey when it is not the one the file is named after."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise UnusableKey(f"{path} is not an unencrypted private key.") from exc
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise UnusableKey(f"{path} is not a P-256 key.")
    if thumbprint(public_jwk(key)) != kid_of(path):
        raise UnusableKey(f"{path} is not named after its own thumbprint.")
    return key


def kid_of(path: Path) -> str:
    """The key id that a private key's file is named after."""
    return path.stem.partition("-")[2]


def _describe(path: Path, state: dict[str, dict[str, str]]) -> KeyInfo:
    kid = kid_of(path)
    entry = state.get(kid, {})
    return KeyInfo(
        holder=path.parent.name,
        kind=path.stem.partition("-")[0],
        kid=kid,
        state=entry.get("state", "unknown"),
        created_at=_created_at(entry, path),
        path=path,
    )


def _created_at(entry: dict[str, str], path: Path) -> datetime:
    written = entry.get("created_at")
    return datetime.fromisoformat(written) if written else datetime.fromtimestamp(path.stat().st_mtime, UTC)


def read_state(folder: Path) -> dict[str, dict[str, str]]:
    """Kind, state and creation of a holder's keys by key id. Raises: UnusableKey when it is malformed."""
    try:
        state: dict[str, dict[str, str]] = json.loads((folder / STATE_FILE).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as exc:
        raise UnusableKey(f"{folder / STATE_FILE} is malformed.") from exc
    return state


def encode(document: dict[str, Any]) -> bytes:
    """A document as JSON that is the same bytes for the same content."""
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"
