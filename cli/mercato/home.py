"""Where the system keeps what it makes on this machine."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.files import replace_file
from mercato.failures import Failure

_MARK = Path("gateway", "manage.py")


class NotInARepository(Failure):
    """The services' folders were not found."""


class UnreadableFile(Failure):
    """A file of ours does not hold what we wrote into it."""


class AlreadyRunning(Failure):
    """A system runs from this data directory."""


@dataclass(frozen=True)
class Home:
    """The data directory, the keys folder, and the names in them.

    In a container there is no repository, and a home is only what it is told to be.
    """

    repository: Path | None
    data_dir: Path
    keys_dir: Path

    @classmethod
    def at(cls, data_dir: Path | None = None) -> "Home":
        """The default places in the repository, or everything (the keys too) in another data directory.

        Raises: NotInARepository when the default places are wanted and there is none.
        """
        root = _repository_root()
        if root is None:
            if data_dir is None:
                raise _not_found()
            return cls(None, data_dir.absolute(), data_dir.absolute() / "keys")
        default = root / ".mercato"
        chosen = (data_dir or default).absolute()
        return cls(root, chosen, root / "keys" if chosen == default else chosen / "keys")

    @property
    def root(self) -> Path:
        """The repository, where the services' folders are.

        Raises: NotInARepository.
        """
        if self.repository is None:
            raise _not_found()
        return self.repository

    @property
    def postgres_dir(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def log_dir(self) -> Path:
        return self.data_dir / "logs"

    @property
    def mail_dir(self) -> Path:
        """Where mail is kept instead of being sent."""
        return self.data_dir / "mail"

    @property
    def static_dir(self) -> Path:
        """Where the gateway's static files are collected."""
        return self.data_dir / "static"

    def media_dir(self, service: str) -> Path:
        """Where a service keeps its pictures."""
        return self.data_dir / "media" / service

    @property
    def state_file(self) -> Path:
        return self.data_dir / "state.json"

    @property
    def logins_file(self) -> Path:
        return self.data_dir / "logins.json"

    @property
    def codes_file(self) -> Path:
        """Which codes of the demo's authenticator apps were handed out."""
        return self.data_dir / "codes.json"

    @property
    def secrets_file(self) -> Path:
        return self.data_dir / "secrets.json"

    @property
    def restart_file(self) -> Path:
        """What `mercato restart` asks of the supervisor, and what came of it."""
        return self.data_dir / "restart.json"

    @property
    def stamps_file(self) -> Path:
        return self.data_dir / "stamps.json"

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self.log_dir / f"{name}.log"

    def prepare(self) -> None:
        """Make the data directory and the log folder.

        Raises: Failure when that is not allowed.
        """
        try:
            # 0711: should PostgreSQL run as another user, it must pass through. Every file in it is 0600.
            self.data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
            self.log_dir.mkdir(mode=0o700, exist_ok=True)
        except OSError as exc:
            raise Failure(f"cannot make the data directory {self.data_dir}: {exc.strerror}") from exc

    def make_media_dir(self, service: str) -> None:
        """Make the folder of a service's pictures.

        Raises: Failure when that is not allowed.
        """
        folder = self.media_dir(service)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            raise Failure(f"cannot make the folder {folder}: {exc.strerror}") from exc

    def is_running(self) -> bool:
        """Whether a supervisor lives, however it was started."""
        try:
            with self.lock():
                return False
        except AlreadyRunning:
            return True

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only supervisor of this data directory. The lock ends with the process, even a killed one.

        Raises: AlreadyRunning.
        """
        if not self.data_dir.is_dir():
            yield
            return
        descriptor = os.open(self.data_dir / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "w"):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise AlreadyRunning(
                    f"already running from {self.data_dir}; `mercato down` stops it"
                ) from exc
            yield


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file of ours; empty when there is no file.

    Raises: UnreadableFile.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise UnreadableFile(f"{path} cannot be read; move it away") from exc
    if not isinstance(content, dict):
        raise UnreadableFile(f"{path} is not a JSON object; move it away")
    return content


def write_private_json(path: Path, content: object) -> None:
    """Replace a file at once, readable by its owner only.

    Raises: Failure when it cannot be written.
    """
    try:
        replace_file(path, f"{json.dumps(content, indent=2)}\n".encode(), mode=0o600)
    except OSError as exc:
        raise Failure(f"cannot write {path}: {exc.strerror}") from exc


def _repository_root() -> Path | None:
    here = Path(__file__).resolve().parents[2]
    for folder in (here, Path.cwd(), *Path.cwd().parents):
        if (folder / _MARK).is_file():
            return folder
    return None


def _not_found() -> NotInARepository:
    return NotInARepository(
        "the services were not found: run mercato in the folder of the Mercato repository"
    )
