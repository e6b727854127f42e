"""A folder of messages, one file each, for those who develop: nothing in it was ever sent."""

import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

from chassis.files import replace_file

_SUFFIX: Final = ".eml"
_ID: Final = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}", re.ASCII)
_CODE: Final = re.compile(r"^\s*([0-9]{6})\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Message:
    """A message in plain text; code is the one that stands on a line of its own, "" without one."""

    id: str
    to: str
    subject: str
    sent_at: datetime
    text: str

    @property
    def code(self) -> str:
        """What the reader is asked to type."""
        found = _CODE.search(self.text)
        return found[1] if found else ""


class Box:
    """The messages of a folder. Their names are in the order in which they came."""

    def __init__(self, folder: Path, *, capacity: int = 200) -> None:
        self._folder = folder
        self._capacity = capacity

    def put(self, content: bytes) -> str:
        """Keep a message whole, readable by this user alone, and let go of the oldest beyond the capacity.

        Raises: OSError.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{time.time_ns():016x}-{secrets.token_hex(4)}"
        replace_file(self._folder / f"{name}{_SUFFIX}", content, mode=0o600)
        for path in self._paths()[self._capacity :]:
            path.unlink(missing_ok=True)
        return name

    def messages(self) -> list[Message]:
        """Every message, the newest first."""
        found = []
        for path in self._paths():
            with suppress(FileNotFoundError):  # Another process has just let go of it.
                found.append(_read(path))
        return found

    def get(self, id: str) -> Message | None:
        """One message, None when it is not there."""
        if not _ID.fullmatch(id):
            return None
        try:
            return _read(self._folder / f"{id}{_SUFFIX}")
        except FileNotFoundError:
            return None

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob(f"[!.]*{_SUFFIX}"), reverse=True)


def _read(path: Path) -> Message:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    return Message(
        id=path.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        sent_at=parsedate_to_datetime(str(message["Date"])),
        text=body.get_content() if body else "",
    )
