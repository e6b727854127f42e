"""Codes of the personas' authenticator apps (RFC 6238): each is good once, so each is handed out once."""

import base64
import hmac
import secrets
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from hashlib import sha1
from pathlib import Path
from typing import Final

from chassis.files import alone
from mercato import console
from mercato.failures import Failure
from mercato.home import read_json, write_private_json

PERIOD: Final = 30
"""Seconds that a code stands for; the gateway also takes the one before and the one after."""


def new_secret() -> str:
    """A secret of 160 bits in base32, as authenticator apps take it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code_at(secret: str, step: int) -> str:
    """The six digits of a step, which is the Unix time divided by PERIOD (RFC 4226 section 5.3)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), sha1)
    [number] = struct.unpack_from(">I", digest, digest[-1] & 0x0F)
    return f"{(number & 0x7FFF_FFFF) % 1_000_000:06}"


class Codes:
    """Hands out codes. With a file it remembers which, for other processes and later calls too."""

    def __init__(
        self,
        file: Path | None = None,
        *,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._file = file
        self._clock = clock
        self._pause = pause
        self._lock = threading.Lock()
        self._given: dict[str, int] = {}

    def next(self, email: str, secret: str, *, to_type: bool = False) -> str:
        """A code that nobody was given before, and that is good now; to_type: for half a minute at least.

        Three can be had at once; for more of one person it waits, and says so.
        Raises: UnreadableFile.
        """
        now = int(self._clock()) // PERIOD
        with self._lock, self._alone():
            step = max(self._recall().get(email, 0) + 1, now if to_type else now - 1)
            self._remember(email, step)
        seconds = (step - 1) * PERIOD - self._clock()
        if seconds > 0:
            console.note(f"waiting {seconds:.0f} s: a code is good once, and {email} has used those of now")
            self._pause(seconds)
        return code_at(secret, step)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with alone(self._file.parent) if self._file else nullcontext():
            yield

    def _recall(self) -> dict[str, int]:
        return self._given | (read_json(self._file) if self._file else {})

    def _remember(self, email: str, step: int) -> None:
        self._given = self._recall() | {email: step}
        if self._file is None:
            return
        try:
            write_private_json(self._file, self._given)
        except Failure:
            # The log-ins may be where nothing can be written, as in a container. The gateway knows as well
            # which codes were used, so this only saves asking it.
            self._file = None
