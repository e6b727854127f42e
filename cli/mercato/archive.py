"""The file of a backup: a tar whose last member, the manifest, tells size and SHA-256 of every other."""

import hashlib
import io
import json
import os
import re
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from mercato.failures import Failure

FORMAT = 1
MANIFEST = "manifest.json"
_PUBLIC = "keys/public/"
_LONGEST_MANIFEST = 64 * 1024 * 1024  # bytes
_CHUNK = 1024 * 1024  # bytes
# Whatever restore puts somewhere has such a name; no part of one begins with a dot.
_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_NAMES = re.compile(
    rf"secrets\.json|logins\.json|databases/[a-z_]+\.dump|media/[a-z_]+(/{_PART})+|keys/(public|private)(/{_PART})+"
)


class BadArchive(Failure):
    """The file is no backup of ours, or not as it was written."""


@dataclass(frozen=True)
class DatabaseEntry:
    """What was dumped: the server's major version, the roles, and the migrations that it had had."""

    postgres: int
    owner: str
    app: str
    migrations: tuple[str, ...]


@dataclass(frozen=True)
class Member:
    """One file: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass
class Manifest:
    """What a backup is of. `first_at` and `last_at` are when the first and the last database were fixed."""

    version: str
    made_at: str
    origin: str
    is_seeded: bool
    first_at: str
    last_at: str
    databases: dict[str, DatabaseEntry]
    members: dict[str, Member] = field(default_factory=dict)


class Writer:
    """Adds files to a new archive and notes what they were."""

    def __init__(self, tar: tarfile.TarFile, check: Callable[[], None]) -> None:
        self._tar = tar
        self._check = check
        self.members: dict[str, Member] = {}

    def add(self, name: str, path: Path) -> None:
        """Add a file. Raises: OSError, Failure for a name that no restore would take."""
        if not is_safe(name):
            raise Failure(f"{path} has a name that no backup of ours has; move it away")
        self._check()
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            reader = _Summing(file)
            self._tar.addfile(_header(name, size), reader)
        self.members[name] = Member(size, reader.digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Add the manifest. Raises: OSError."""
        manifest.members = self.members
        data = json.dumps({"format": FORMAT} | asdict(manifest), indent=1).encode()
        self._tar.addfile(_header(MANIFEST, len(data)), io.BytesIO(data))


@contextmanager
def writing(path: Path, check: Callable[[], None]) -> Iterator[Writer]:
    """A new archive, mode 0600, on the disk when the block is over. `check` is called between files.

    Raises: OSError.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        # Not compressed: dumps and pictures are already, and so any member is found at once.
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            yield Writer(tar, check)
        file.flush()
        os.fsync(descriptor)


class Archive:
    """A backup that is read; nothing of it is believed before it was compared."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._found = {member.name: member for member in _plain_members(tar)}
        self.manifest = self._read_manifest()
        wanted = self.manifest.members.keys()
        if wanted != self._found.keys() - {MANIFEST}:
            raise BadArchive("the backup does not hold what its manifest says")

    def verify(self, check: Callable[[], None] = lambda: None) -> None:
        """Read everything once. Raises: BadArchive."""
        for name in self.manifest.members:
            check()
            self._copy(name, None)

    def extract(self, folder: Path, check: Callable[[], None] = lambda: None) -> None:
        """Put every file below an existing folder, files 0600 and folders 0700 but for the public keys.

        Raises: BadArchive, OSError.
        """
        for name in self.manifest.members:
            check()
            _make_folders(folder, name)
            mode = 0o644 if name.startswith(_PUBLIC) else 0o600
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as file:
                self._copy(name, file)

    def _copy(self, name: str, target: IO[bytes] | None) -> None:
        wanted, digest, size = self.manifest.members[name], hashlib.sha256(), 0
        source = self._tar.extractfile(self._found[name])
        assert source is not None  # noqa: S101  For the type checker: a plain file has a content.
        try:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if target is not None:
                    target.write(chunk)
        except (tarfile.TarError, EOFError) as exc:
            raise BadArchive(f"the backup ends in the middle of {name}") from exc
        if Member(size, digest.hexdigest()) != wanted:
            raise BadArchive(f"{name} in the backup is not what was written")

    def _read_manifest(self) -> Manifest:
        member = self._found.get(MANIFEST)
        if member is None or member.size > _LONGEST_MANIFEST:
            raise BadArchive("the file is no backup of Mercato, or it is not whole")
        source = self._tar.extractfile(member)
        try:
            content = json.loads(source.read() if source else b"")
            found = content.pop("format")
            if found != FORMAT:
                raise BadArchive(f"the backup has the format {found}; this version reads {FORMAT}")
            return _manifest(content)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, tarfile.TarError) as exc:
            raise BadArchive("the backup's manifest cannot be read") from exc


@contextmanager
def reading(path: Path) -> Iterator[Archive]:
    """An archive, its manifest read and its list of files compared with that.

    Raises: BadArchive, Failure when the file cannot be read.
    """
    try:
        file = path.open("rb")
    except OSError as exc:
        raise Failure(f"cannot read {path}: {exc.strerror}") from exc
    with file:
        try:
            with tarfile.open(fileobj=file, mode="r:") as tar:
                yield Archive(tar)
        except tarfile.TarError as exc:
            raise BadArchive(f"{path} is no backup of Mercato, or it is not whole") from exc


def is_safe(name: str) -> bool:
    """Whether a member of this name stays where restore puts it."""
    return _NAMES.fullmatch(name) is not None


def _plain_members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    seen: set[str] = set()
    for member in tar:
        # Links and devices are refused, not followed: no backup of ours has any.
        if member.type != tarfile.REGTYPE or member.name in seen:
            raise BadArchive(f"{member.name!r} in the backup is not a plain file, or there twice")
        if member.name != MANIFEST and not is_safe(member.name):
            raise BadArchive(f"{member.name!r} in the backup would not stay in its folder")
        seen.add(member.name)
        yield member


def _manifest(content: dict[str, Any]) -> Manifest:
    databases = {
        name: DatabaseEntry(**entry | {"migrations": tuple(entry["migrations"])})
        for name, entry in content.pop("databases").items()
    }
    members = {name: Member(**entry) for name, entry in content.pop("members").items()}
    return Manifest(**content, databases=databases, members=members)


def _make_folders(folder: Path, name: str) -> None:
    for parent in reversed(Path(name).parents[:-1]):
        is_public = _PUBLIC.startswith(f"{parent.as_posix()}/")
        (folder / parent).mkdir(mode=0o755 if is_public else 0o700, exist_ok=True)


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = size, 0o600, int(time.time())
    return header


class _Summing:
    """A file that sums what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data
