"""Finds what is wrong with a keys folder."""

import json
import shutil
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from chassis.keys import JWKS_FILE, BadKeySet, parse_jwks
from gateway.tokens.keyring.folder import (
    ACTIVE,
    KINDS,
    NEXT,
    RETIRING,
    STATE_FILE,
    UNKNOWN,
    WITHDRAWN,
    KeyInfo,
    UnusableKey,
    list_keys,
    load,
    private_dir,
    public_dir,
    publications,
    read_state,
)

MAX_AGE: Final = timedelta(days=90)
MAX_WAIT: Final = timedelta(days=30)

_OTHERS: Final = 0o077
_FINISH: Final = "keys init does what is left to do"


def check(keys_dir: Path, *, now: datetime | None = None) -> list[str]:
    """What is wrong with the folder, one sentence each; nothing when all is well.

    Looks at file modes, at whether each private key is what its name says, at whether exactly one key of
    each kind is active and younger than 90 days, at keys that wait or retire for too long and steps that were
    not finished, at whether the published sets are exactly the public halves, and at whether git tracks
    anything private.
    """
    private = private_dir(keys_dir)
    if not private.is_dir():
        return [f"{private} does not exist."]
    return [
        *_wrong_modes(private),
        *_unusable_keys(keys_dir),
        *_wrong_states(keys_dir, now or datetime.now(UTC)),
        *_wrong_publications(keys_dir),
        *_tracked_files(private),
    ]


def _wrong_modes(private: Path) -> list[str]:
    return [problem for path in [private, *sorted(private.rglob("*"))] for problem in _wrong_mode(path)]


def _wrong_mode(path: Path) -> list[str]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        # What it leads to has a mode that others can change, in a place that others may reach.
        return [f"{path} is a link: keys stand in the folder itself."]
    return [f"{path} has mode {stat.S_IMODE(mode):04o}: others may use it."] if mode & _OTHERS else []


def _unusable_keys(keys_dir: Path) -> list[str]:
    return [
        problem for path in sorted(private_dir(keys_dir).glob("*/*.pem")) for problem in _unusable_key(path)
    ]


def _unusable_key(path: Path) -> list[str]:
    try:
        load(path)
    except UnusableKey as exc:
        return [str(exc)]
    return []


def _wrong_states(keys_dir: Path, now: datetime) -> list[str]:
    try:
        keys = list_keys(keys_dir)
        without_file = _without_file(keys_dir, {key.kid for key in keys})
    except UnusableKey as exc:
        return [str(exc)]
    active = [key for key in keys if key.state == ACTIVE]
    counted = [(holder, kind) for holder, kinds in KINDS.items() for kind in kinds]
    wrong = [
        f"{holder} must have exactly one active {kind} key."
        for holder, kind in counted
        if sum((key.holder, key.kind) == (holder, kind) for key in active) != 1
    ]
    return [
        *(problem for key in keys for problem in _wrong_state(key, now)),
        *wrong,
        *without_file,
    ]


def _wrong_state(key: KeyInfo, now: datetime) -> list[str]:
    age = now - key.created_at
    if key.state == UNKNOWN:
        return [f"{key.path} is not in {STATE_FILE}: {_FINISH}."]
    if key.state == WITHDRAWN:
        return [f"{key.path} was withdrawn and is still there: {_FINISH}."]
    if key.state == ACTIVE and age > MAX_AGE:
        return [f"{key.path} is older than {MAX_AGE.days} days: keys next, then keys promote."]
    if key.state == NEXT and age > MAX_WAIT:
        return [f"{key.path} is older than {MAX_WAIT.days} days and still waits: keys promote."]
    if key.state == RETIRING and (key.retire_at is None or key.retire_at <= now):
        return [f"{key.path} is older than all it has signed: keys retire."]
    return []


def _without_file(keys_dir: Path, kids: set[str]) -> list[str]:
    return [
        f"{private_dir(keys_dir) / holder / STATE_FILE} names {kid}, which has no file: {_FINISH}."
        for holder in KINDS
        for kid in read_state(private_dir(keys_dir) / holder)
        if kid not in kids
    ]


def _wrong_publications(keys_dir: Path) -> list[str]:
    try:
        expected = publications(keys_dir)
    except UnusableKey:
        return []  # Already reported; what should be published cannot be known.
    return [
        f"{public_dir(keys_dir) / name} is not exactly the public halves of the private keys."
        for name, content in expected.items()
        if not _same_json(public_dir(keys_dir) / name, content)
    ] + _unreadable_set(public_dir(keys_dir) / JWKS_FILE)


def _same_json(path: Path, content: bytes) -> bool:
    try:
        return bool(json.loads(path.read_bytes()) == json.loads(content))
    except (OSError, ValueError):
        return False


def _unreadable_set(path: Path) -> list[str]:
    try:
        parse_jwks(path.read_bytes())
    except (OSError, BadKeySet) as exc:
        return [f"{path} would be refused by every reader: {exc}."]
    return []


def _tracked_files(private: Path) -> list[str]:
    git = shutil.which("git")
    if git is None:
        return []
    # Outside a repository git fails and prints nothing, which is right: nothing is tracked there.
    listing = subprocess.run(
        [git, "ls-files", "--", "."], cwd=private, capture_output=True, text=True, timeout=10, check=False
    )
    return [f"{private / name} is tracked by git." for name in listing.stdout.splitlines()]
