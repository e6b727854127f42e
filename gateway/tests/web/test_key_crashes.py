"""A command about keys that is killed before any one of its changes of files leaves a set that works."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from chassis.ids import uuid7
from chassis.keys import KeyStore, SigningKeys
from chassis.testing.forge import Forge
from chassis.tokens import REFRESH, Verifier, sign, sign_for_service
from gateway.tokens import keyring

ISSUER = "http://localhost:8000"
KILLED = 137
CHANGES = {"os.mkdir", "os.chmod", "os.rename", "os.remove", "os.rmdir", "os.link", "os.truncate"}
LATER = timedelta(seconds=331)
AFTER_A_DAY = timedelta(days=2)


def is_change(event: str, arguments: tuple[object, ...]) -> bool:
    # Whatever is only read leaves the files as they were.
    return event in CHANGES or (
        event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    )


def killed_before(change: int, command: Callable[[], object]) -> int:
    """How a process ended that did this and was killed before that change of a file or a folder."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    left = change

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if is_change(event, arguments):
            left -= 1
            if left < 0:
                os._exit(KILLED)

    status = 1
    try:
        sys.addaudithook(count)
        command()
        status = 0
    finally:
        os._exit(status)


def wrecks(folder: Path, at: Path, command: Callable[[Path], object]) -> Iterator[Path]:
    """Copies of a folder, each with the command killed before another one of its changes, the last whole."""
    status, change = KILLED, 0
    while status == KILLED:
        wreck = shutil.copytree(folder, at / str(change))
        status = killed_before(change, partial(command, wreck))
        change += 1
        yield wreck
    assert status == 0
    assert change > 5, "a crash was tried before hardly anything"


class Tokens:
    """Tokens that were signed with the keys of a folder as it then was."""

    def __init__(self, folder: Path) -> None:
        self._access = [Forge(folder, issuer=ISSUER).mint("catalog_product")]
        self._access += [
            sign_for_service(
                key(folder, holder, "service"),
                issuer=ISSUER,
                service=holder,
                audience="catalog_product",
                scope="catalog:exists",
            )
            for holder in keyring.SERVICE_SCOPES
        ]
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "gateway", "sub": str(uuid7()), "jti": "1", "sid": "1"}
        times = {"iat": now, "exp": now + 60}
        self._refresh = sign(claims | times, key(folder, "gateway", "refresh"), REFRESH.typ)

    def check(self, folder: Path) -> None:
        """Verify them with what a process finds in a folder that starts now. Raises: InvalidToken."""
        public = Verifier(KeyStore(folder / "public"), issuer=ISSUER, audience="catalog_product")
        own = SigningKeys(folder / "private" / "gateway", "refresh")
        for token in self._access:
            public.verify(token)
        Verifier(own, issuer=ISSUER, audience="gateway", kind=REFRESH).verify(self._refresh)


def key(folder: Path, holder: str, kind: str):
    return SigningKeys(folder / "private" / holder, kind).active


def issuer_kids(folder: Path) -> set[str]:
    return {
        entry["kid"] for entry in json.loads((folder / "public" / "jwks-issuer.json").read_text())["keys"]
    }


def works(folder: Path, *earlier: Tokens) -> bool:
    """Whether what is signed now and what was signed earlier is believed, by others too."""
    for tokens in (*earlier, Tokens(folder)):
        tokens.check(folder)
    return key(folder, "gateway", "access").kid in issuer_kids(folder)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "keys"
    keyring.init(made)
    return made


@pytest.fixture
def rotated(folder):
    """A set in the middle of its life: of each kind one key retires, one signs and one waits."""
    keyring.add_next(folder)
    keyring.promote(folder, now=datetime.now(UTC) + LATER)
    keyring.add_next(folder)
    return folder


def promote(folder):
    keyring.promote(folder, now=datetime.now(UTC) + LATER)


def retire(folder):
    keyring.retire(folder, now=datetime.now(UTC) + AFTER_A_DAY)


def revoke(folder, kid):
    keyring.revoke(folder, kid, pause=lambda seconds: None)


def test_next(folder, tmp_path):
    earlier = Tokens(folder)

    for wreck in wrecks(folder, tmp_path, keyring.add_next):
        assert works(wreck, earlier)
        keyring.add_next(wreck)
        assert works(wreck, earlier)
        assert keyring.check(wreck) == []


def test_promote(rotated, tmp_path):
    earlier = Tokens(rotated)

    for wreck in wrecks(rotated, tmp_path, promote):
        assert works(wreck, earlier)
        keyring.init(wreck)
        assert works(wreck, earlier)
        assert keyring.check(wreck) == []


def test_retire(rotated, tmp_path):
    earlier = Tokens(rotated)

    for wreck in wrecks(rotated, tmp_path, retire):
        assert works(wreck, earlier)
        retire(wreck)
        assert works(wreck, earlier)
        assert keyring.check(wreck) == []
        assert "retiring" not in {
            found.state for found in keyring.list_keys(wreck) if found.kind != "refresh"
        }


@pytest.mark.parametrize("has_next", [True, False])
def test_revoke(folder, tmp_path, has_next):
    leaked = key(folder, "gateway", "access").kid
    _ = has_next and keyring.add_next(folder)

    for wreck in wrecks(folder, tmp_path, partial(revoke, kid=leaked)):
        assert works(wreck)
        before = {found.state for found in keyring.list_keys(wreck) if found.kid == leaked}
        keyring.init(wreck)
        assert works(wreck)
        assert keyring.check(wreck) == []
        # What was not withdrawn yet is there still, and whoever gave the command knows that it failed.
        assert (leaked in issuer_kids(wreck)) == (before == {"active"})


def test_init(tmp_path):
    nothing = tmp_path / "keys"
    nothing.mkdir()

    for wreck in wrecks(nothing, tmp_path, keyring.init):
        keyring.init(wreck)
        assert works(wreck)
        assert keyring.check(wreck) == []
