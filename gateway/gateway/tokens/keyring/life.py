"""The life of a key: made, published, signed with, retired; or withdrawn at once.

Each holder's `state.json` is the truth. A file of a key stands before the state names it and goes after the
state has withdrawn it, and nobody signs with a key before it is published: so a run that is killed anywhere
leaves a set that works, and the next run does the rest.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from chassis.files import alone, sync_directory
from chassis.keys import GATEWAY, public_jwk, thumbprint
from gateway.tokens.keyring.files import make_directory, remove_leftovers, write, write_if_changed
from gateway.tokens.keyring.folder import (
    ACTIVE,
    KINDS,
    NEXT,
    RETIRING,
    STATE_FILE,
    UNKNOWN,
    WITHDRAWN,
    KeyInfo,
    State,
    encode,
    kid_of,
    list_keys,
    private_dir,
    public_dir,
    publications,
    read_state,
)

PUBLISHED_FIRST: Final = timedelta(seconds=330)
"""Others keep `/.well-known/jwks.json` for 300 s, so a key is published this long before it signs."""
FOLLOWED_SECONDS: Final = 1.5
"""Every process of ours has followed a change by then; it looks once a second."""
KEPT: Final = {"access": timedelta(days=1), "service": timedelta(days=1), "refresh": timedelta(days=31)}
"""How long a key is kept after it signed for the last time: longer than anything it signed."""

_GONE: Final = {"state": WITHDRAWN}
_DIRECTORY_MODE: Final = 0o700
_PRIVATE_MODE: Final = 0o600
_PUBLIC_MODE: Final = 0o644


class Refused(Exception):
    """A step that the keys are not ready for; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which keys a command is about; None means every holder, and every kind."""

    holder: str | None = None
    kind: str | None = None

    def has(self, holder: str, kind: str) -> bool:
        """Whether such keys are meant."""
        return self.holder in {None, holder} and self.kind in {None, kind}


EVERY_KEY: Final = Choice()


def init(keys_dir: Path) -> list[KeyInfo]:
    """Create every key and file that is missing, publish the public halves, and describe all keys.

    Idempotent: existing keys stay as they are, whatever stopped an earlier run half-way. Two runs at a
    time take turns.
    Raises: UnusableKey when an existing private key cannot be read.
    """
    with _alone(keys_dir):
        _settle(keys_dir)
        return list_keys(keys_dir)


def add_next(keys_dir: Path, choice: Choice = EVERY_KEY) -> list[KeyInfo]:
    """Make and publish a key of each chosen kind that nobody signs with yet, unless one waits already.

    Raises: UnusableKey.
    """
    with _alone(keys_dir):
        _settle(keys_dir)
        waiting = _waiting(keys_dir)
        for holder, kinds in KINDS.items():
            for kind in kinds:
                if choice.has(holder, kind) and (holder, kind) not in waiting:
                    _create(private_dir(keys_dir) / holder, kind)
        _settle(keys_dir)
        return list_keys(keys_dir)


def promote(
    keys_dir: Path,
    choice: Choice = EVERY_KEY,
    *,
    at_once: bool = False,
    now: datetime | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> list[KeyInfo]:
    """Sign with the chosen keys that waited; those that signed before are kept as long as their tokens live.

    With at_once it only waits, for 1.5 s at most, until our own processes know the new keys: others who keep
    the published set may refuse what they sign for up to 300 s.
    Raises: Refused when no key waits, or one has not waited for 330 s; UnusableKey.
    """
    with _alone(keys_dir):
        _settle(keys_dir)
        now = now or datetime.now(UTC)
        waiting = {kind: key for kind, key in _waiting(keys_dir).items() if choice.has(*kind)}
        _refuse_too_early([] if at_once else waiting.values(), now)
        if not waiting:
            raise Refused("No key waits to be promoted; make one with `keys next`.")
        _let_follow(waiting.values(), now, pause)
        _write_states(
            keys_dir,
            {
                key.kid: {"state": RETIRING, "retire_at": (now + KEPT[key.kind]).isoformat()}
                for key in list_keys(keys_dir)
                if key.state == ACTIVE and (key.holder, key.kind) in waiting
            }
            | {key.kid: {"state": ACTIVE} for key in waiting.values()},
        )
        return list_keys(keys_dir)


def retire(keys_dir: Path, choice: Choice = EVERY_KEY, *, now: datetime | None = None) -> list[KeyInfo]:
    """Unpublish and delete the chosen keys whose tokens are all dead.

    Raises: UnusableKey.
    """
    with _alone(keys_dir):
        _settle(keys_dir)
        now = now or datetime.now(UTC)
        dead = [
            key.kid
            for key in list_keys(keys_dir)
            if choice.has(key.holder, key.kind)
            and key.state == RETIRING
            and key.retire_at
            and key.retire_at <= now
        ]
        _write_states(keys_dir, dict.fromkeys(dead, _GONE))
        _settle(keys_dir)
        return list_keys(keys_dir)


def revoke(keys_dir: Path, kid: str, *, pause: Callable[[float], None] = time.sleep) -> list[KeyInfo]:
    """Unpublish and delete a key, and with it all that it signed.

    One that is signed with is replaced first, by the one that waits or else a fresh one. That takes up to
    3 s, in which every process follows, so that nobody else notices.
    Raises: Refused when there is no such key, UnusableKey.
    """
    with _alone(keys_dir):
        if _find(keys_dir, kid) is None:
            raise Refused(f"There is no key {kid}; `keys list` shows all.")
        _settle(keys_dir)
        key = _find(keys_dir, kid)
        if key is not None and key.state == ACTIVE:
            _replace(keys_dir, key, pause)
        elif key is not None:
            _write_states(keys_dir, {kid: _GONE})
        _settle(keys_dir)
        return list_keys(keys_dir)


@contextmanager
def _alone(keys_dir: Path) -> Iterator[None]:
    private = private_dir(keys_dir)
    make_directory(private, _DIRECTORY_MODE)
    # The holder's folder, for that is what several containers share; the public one anybody could keep.
    make_directory(private / GATEWAY, _DIRECTORY_MODE)
    with alone(private / GATEWAY):
        yield


def _settle(keys_dir: Path) -> None:
    """Make what is missing, and finish what an earlier run has begun."""
    make_directory(public_dir(keys_dir), 0o755)
    for holder, kinds in KINDS.items():
        _make_missing(private_dir(keys_dir) / holder, kinds)
    remove_leftovers(public_dir(keys_dir))
    for name, content in publications(keys_dir).items():
        write_if_changed(public_dir(keys_dir) / name, content, _PUBLIC_MODE)
    for holder, kinds in KINDS.items():
        _record(private_dir(keys_dir) / holder, kinds)


def _make_missing(folder: Path, kinds: tuple[str, ...]) -> None:
    make_directory(folder, _DIRECTORY_MODE)
    remove_leftovers(folder)
    state = read_state(folder)
    for kind in kinds:
        states = {_state_of(state, kid_of(path)) for path in _pems(folder, kind)}
        if states.isdisjoint({ACTIVE, NEXT, UNKNOWN}):
            _create(folder, kind)


def _create(folder: Path, kind: str) -> None:
    kid = "-"
    while kid.startswith("-"):  # On a command line that would be an option.
        key = generate_private_key(SECP256R1())
        kid = thumbprint(public_jwk(key))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write(folder / f"{kind}-{kid}.pem", pem, _PRIVATE_MODE)


def _record(folder: Path, kinds: tuple[str, ...]) -> None:
    """Delete what was withdrawn, and enter what is published and nobody entered."""
    state = read_state(folder)
    _delete([path for path in _pems(folder) if _state_of(state, kid_of(path)) == WITHDRAWN])
    kept = {kid: state[kid] for kid in map(kid_of, _pems(folder)) if kid in state}
    for kind in kinds:
        kept |= _completed(kind, [kid_of(path) for path in _pems(folder, kind)], kept)
    write_if_changed(folder / STATE_FILE, encode(kept), _PRIVATE_MODE)


def _completed(kind: str, kids: list[str], state: State) -> State:
    now = datetime.now(UTC).isoformat()
    fresh = {"kind": kind, "state": NEXT, "created_at": now, "published_at": now}
    entries = {kid: state.get(kid, fresh) for kid in kids}
    if not any(entry["state"] == ACTIVE for entry in entries.values()):
        # The first key of all, or one that waited when the one that signed was lost.
        first = next(kid for kid in kids if entries[kid]["state"] == NEXT)
        entries[first] = entries[first] | {"state": ACTIVE}
    return entries


def _delete(paths: list[Path]) -> None:
    for path in paths:
        path.unlink()
        # A key that came back after a power cut, when the state knows it no more, would count as a new one.
        sync_directory(path.parent)


def _replace(keys_dir: Path, key: KeyInfo, pause: Callable[[float], None]) -> None:
    kind = (key.holder, key.kind)
    if kind not in _waiting(keys_dir):
        _create(key.path.parent, key.kind)
        _settle(keys_dir)
    successor = _waiting(keys_dir)[kind]
    _let_follow([successor], datetime.now(UTC), pause)
    _write_states(keys_dir, {successor.kid: {"state": ACTIVE}, key.kid: _GONE})
    pause(FOLLOWED_SECONDS)


def _write_states(keys_dir: Path, changes: Mapping[str, dict[str, str]]) -> None:
    # One write for each holder, so whoever reads finds one active key of each kind, the old or the new one.
    for holder in KINDS:
        path = private_dir(keys_dir) / holder / STATE_FILE
        state = {kid: entry | changes.get(kid, {}) for kid, entry in read_state(path.parent).items()}
        write_if_changed(path, encode(state), _PRIVATE_MODE)


def _refuse_too_early(waiting: Iterable[KeyInfo], now: datetime) -> None:
    missing = max((key.published_at + PUBLISHED_FIRST - now for key in waiting), default=timedelta())
    if missing > timedelta():
        raise Refused(
            f"Too early by {missing.total_seconds():.0f} s: others may keep a set without the key as long. "
            "With --now they are not waited for."
        )


def _let_follow(keys: Iterable[KeyInfo], now: datetime, pause: Callable[[float], None]) -> None:
    published_for = now - max(key.published_at for key in keys)
    pause(max(0.0, FOLLOWED_SECONDS - published_for.total_seconds()))


def _waiting(keys_dir: Path) -> dict[tuple[str, str], KeyInfo]:
    """The key that is to be promoted next, by holder and kind: of several the oldest."""
    found = [key for key in list_keys(keys_dir) if key.state == NEXT]
    return {(key.holder, key.kind): key for key in reversed(found)}


def _find(keys_dir: Path, kid: str) -> KeyInfo | None:
    return next((key for key in list_keys(keys_dir) if key.kid == kid), None)


def _pems(folder: Path, kind: str = "*") -> list[Path]:
    return sorted(folder.glob(f"{kind}-*.pem"))


def _state_of(state: State, kid: str) -> str:
    return state[kid]["state"] if kid in state else UNKNOWN
