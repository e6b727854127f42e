"""Writes and checks the keys folder; needs neither Django nor settings, so any command can use it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chassis.files import alone
from chassis.keys import public_jwk, thumbprint
from gateway.tokens.keyring.checks import check
from gateway.tokens.keyring.files import make_directory, remove_leftovers, write, write_if_changed
from gateway.tokens.keyring.folder import (
    ACTIVE,
    ISSUER_JWKS_FILE,
    KINDS,
    SERVICE_SCOPES,
    STATE_FILE,
    KeyInfo,
    UnusableKey,
    encode,
    kid_of,
    list_keys,
    private_dir,
    public_dir,
    publications,
    read_state,
)

__all__ = ["ISSUER_JWKS_FILE", "SERVICE_SCOPES", "KeyInfo", "UnusableKey", "check", "init", "list_keys"]

_DIRECTORY_MODE: Final = 0o700
_PRIVATE_MODE: Final = 0o600
_PUBLIC_MODE: Final = 0o644


def init(keys_dir: Path) -> list[KeyInfo]:
    """Create every key and file that is missing, publish the public halves, and describe all keys.

    Idempotent: existing keys stay as they are, whatever stopped an earlier run half-way. Two runs at a
    time take turns.
    Raises: UnusableKey when an existing private key cannot be read.
    """
    private = private_dir(keys_dir)
    make_directory(private, _DIRECTORY_MODE)
    with alone(private):
        make_directory(public_dir(keys_dir), 0o755)
        for holder, kinds in KINDS.items():
            _complete(private / holder, kinds)
        _publish(keys_dir)
    return list_keys(keys_dir)


def _complete(folder: Path, kinds: tuple[str, ...]) -> None:
    make_directory(folder, _DIRECTORY_MODE)
    remove_leftovers(folder)
    state = read_state(folder)
    for kind in kinds:
        # A key whose writer stopped before it wrote the state is taken into use, not replaced.
        found = [kid_of(path) for path in sorted(folder.glob(f"{kind}-*.pem"))]
        kids = found or [_create(folder, kind)]
        if not any(state.get(kid, {}).get("state") == ACTIVE for kid in kids):
            created_at = datetime.now(UTC).isoformat(timespec="seconds")
            state[kids[0]] = {"kind": kind, "state": ACTIVE, "created_at": created_at}
    write_if_changed(folder / STATE_FILE, encode(state), _PRIVATE_MODE)


def _create(folder: Path, kind: str) -> str:
    key = generate_private_key(SECP256R1())
    kid = thumbprint(public_jwk(key))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write(folder / f"{kind}-{kid}.pem", pem, _PRIVATE_MODE)
    return kid


def _publish(keys_dir: Path) -> None:
    remove_leftovers(public_dir(keys_dir))
    for name, content in publications(keys_dir).items():
        write_if_changed(public_dir(keys_dir) / name, content, _PUBLIC_MODE)
