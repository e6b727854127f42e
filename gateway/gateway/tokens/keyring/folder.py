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
NEXT: Final = "next"
ACTIVE: Final = "active"
RETIRING: Final = "retiring"
WITHDRAWN: Final = "withdrawn"
"""Not published and not used any more; its file goes as soon as nobody is told of it."""
UNKNOWN: Final = "unknown"

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
EVERY_KIND: Final = ("access", "refresh", "service")
_PUBLISHED_KINDS: Final = ("access", "service")
_TIMES: Final = frozenset({"created_at", "published_at", "retire_at"})


State = dict[str, dict[str, str]]
"""Of each key of a holder, by its id: kind, state, and times (ISO 8601) by what happened then."""


class UnusableKey(Exception):
    """A private key file that does not hold the key its name promises."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """One private key on disk, described without anything secret.

    state is `next`, `active`, `retiring`, `withdrawn`, or `unknown` for one that nobody recorded.
    """

    holder: str
    kind: str
    kid: str
    state: str
    created_at: datetime
    published_at: datetime
    retire_at: datetime | None
    path: Path

    def __str__(self) -> str:
        """A line for people."""
        until = f"  until {self.retire_at:%Y-%m-%d %H:%M}" if self.retire_at else ""
        return f"{self.holder:<18}{self.kind:<9}{self.state:<11}{self.created_at:%Y-%m-%d}  {self.kid}{until}"


def list_keys(keys_dir: Path) -> list[KeyInfo]:
    """Every private key below the folder, by holder and kind.

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
    """The files that the public folder should have, by name: the public halves of all keys but refresh keys
    and those that were withdrawn.

    Raises: UnusableKey.
    """
    # Outsiders verify access tokens only and know no key binding, so theirs carries the gateway's alone.
    published = [
        key for key in list_keys(keys_dir) if key.kind in _PUBLISHED_KINDS and key.state != WITHDRAWN
    ]
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


def _describe(path: Path, state: State) -> KeyInfo:
    kid = kid_of(path)
    entry = state.get(kid, {"state": UNKNOWN})
    created_at = _time(entry, "created_at") or datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    return KeyInfo(
        holder=path.parent.name,
        kind=path.stem.partition("-")[0],
        kid=kid,
        state=entry["state"],
        created_at=created_at,
        published_at=_time(entry, "published_at") or created_at,
        retire_at=_time(entry, "retire_at"),
        path=path,
    )


def _time(entry: dict[str, str], name: str) -> datetime | None:
    return datetime.fromisoformat(entry[name]) if name in entry else None


def read_state(folder: Path) -> State:
    """What a holder's folder says of its keys. Raises: UnusableKey when that is malformed."""
    try:
        state: State = json.loads((folder / STATE_FILE).read_bytes())
        for entry in state.values():
            if entry["state"] not in {NEXT, ACTIVE, RETIRING, WITHDRAWN}:
                raise ValueError(entry["state"])
            if any(datetime.fromisoformat(entry[name]).tzinfo is None for name in _TIMES & entry.keys()):
                raise ValueError("a time without its zone")
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise UnusableKey(f"{folder / STATE_FILE} cannot be read: {exc.strerror}.") from exc
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError) as exc:
        raise UnusableKey(f"{folder / STATE_FILE} is malformed.") from exc
    return state


def encode(document: dict[str, Any]) -> bytes:
    """A document as JSON that is the same bytes for the same content."""
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"
