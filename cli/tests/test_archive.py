"""A backup's file: what was written comes back, and nothing else does."""

import io
import json
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mercato.archive import BadArchive, DatabaseEntry, Manifest, Writer, is_safe, reading, writing
from mercato.failures import Failure

Change = Callable[[tarfile.TarInfo, dict[str, str]], None]
Rewrite = Callable[[Change], Path]
FILES = {
    "databases/wallet.dump": b"rows",
    "media/banner/ab12/1280.jpg": b"picture" * 5000,
    "keys/public/jwks.json": b"{}",
    "keys/private/gateway/access-k.pem": b"private",
    "secrets.json": b"{}",
}


def manifest() -> Manifest:
    entry = DatabaseEntry(postgres=18, owner="wallet_owner", app="wallet_app", migrations=("wallet.0001",))
    return Manifest("0.1.0", "now", "http://localhost", True, "then", "later", {"wallet": entry})


def nothing() -> None:
    """Nobody interrupts."""


def add_all(writer: Writer, folder: Path) -> None:
    for name, content in FILES.items():
        source = folder / "source"
        source.write_bytes(content)
        writer.add(name, source)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "backup"
    with writing(path, nothing) as writer:
        add_all(writer, tmp_path)
        writer.finish(manifest())
    return path


@pytest.fixture
def rewritten(file: Path) -> Rewrite:
    """The same archive with each member's header changed; its manifest too, when the name changes."""

    def rewrite(change: Change) -> Path:
        target = file.with_name("rewritten")
        names: dict[str, str] = {}
        with tarfile.open(file) as source, tarfile.open(target, "w") as tar:
            for member in source:
                content = source.extractfile(member)
                data = content.read() if content else b""
                change(member, names)
                if member.name == "manifest.json":
                    found = json.loads(data)
                    found["members"] = {names.get(k, k): v for k, v in found["members"].items()}
                    data = json.dumps(found).encode()
                    member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
        return target

    return rewrite


def test_gives_back_what_was_written(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()

    with reading(file) as archive:
        archive.verify()
        archive.extract(out)
        databases = archive.manifest.databases

    files = [path for path in out.rglob("*") if path.is_file()]
    found = {path.relative_to(out).as_posix(): path.read_bytes() for path in files}
    assert found == FILES
    assert databases == manifest().databases


def test_is_its_owners_alone(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("keys/private", 0o700),
        ("keys/private/gateway", 0o700),
        ("keys/private/gateway/access-k.pem", 0o600),
        ("keys/public", 0o755),
        ("keys/public/jwks.json", 0o644),
        ("secrets.json", 0o600),
    ],
)
def test_opens_to_others_nothing_but_the_public_keys(
    file: Path, tmp_path: Path, name: str, mode: int
) -> None:
    with reading(file) as archive:
        archive.extract(tmp_path)

    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode


def test_refuses_a_changed_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[content.index(b"picture")] ^= 1
    file.write_bytes(content)

    with (
        pytest.raises(BadArchive, match=r"1280\.jpg in the backup is not what was written"),
        reading(file) as one,
    ):
        one.verify()


@pytest.mark.parametrize("share", [0, 0.02, 0.3, 0.5, 0.9])
def test_refuses_a_file_that_ends_early(file: Path, share: float) -> None:
    content = file.read_bytes().rstrip(b"\0")
    file.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(BadArchive), reading(file) as archive:
        archive.verify()


def test_refuses_any_other_file(file: Path) -> None:
    file.write_bytes(b"x" * 20_000)

    with pytest.raises(BadArchive, match="no backup of Mercato"), reading(file):
        pass


def test_says_when_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=r"cannot read .*: No such file"), reading(tmp_path / "none"):
        pass


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/cron.d/x",
        "media/../../evil",
        "keys/private/../../x",
        "media/banner/..",
        "other",
        "media/.x/y",
    ],
)
def test_refuses_a_name_that_leads_elsewhere(rewritten: Rewrite, name: str) -> None:
    def rename(member: tarfile.TarInfo, names: dict[str, str]) -> None:
        if member.name == "secrets.json":
            names[member.name] = name
            member.name = name

    path = rewritten(rename)

    with pytest.raises(BadArchive, match="would not stay in its folder"), reading(path):
        pass


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE]
)
def test_refuses_what_is_no_plain_file(rewritten: Rewrite, kind: bytes) -> None:
    def turn(member: tarfile.TarInfo, _names: dict[str, str]) -> None:
        if member.name == "secrets.json":
            member.type, member.linkname, member.size = kind, "/etc/passwd", 0

    path = rewritten(turn)

    with pytest.raises(BadArchive, match="not a plain file"), reading(path):
        pass


def test_refuses_the_same_name_twice(
    rewritten: Rewrite,
) -> None:
    def double(member: tarfile.TarInfo, _names: dict[str, str]) -> None:
        if member.name == "secrets.json":
            member.name = "keys/public/jwks.json"

    path = rewritten(double)

    with pytest.raises(BadArchive, match="there twice"), reading(path):
        pass


def test_refuses_a_file_that_the_manifest_does_not_name(tmp_path: Path) -> None:
    path = tmp_path / "backup"
    with writing(path, nothing) as writer:
        add_all(writer, tmp_path)
        del writer.members["secrets.json"]
        writer.finish(manifest())

    with pytest.raises(BadArchive, match="does not hold what its manifest says"), reading(path):
        pass


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"format": 1, "databases": []}', b"\xff", b"1"])
def test_refuses_a_manifest_that_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "backup"
    with tarfile.open(path, "w") as tar:
        header = tarfile.TarInfo("manifest.json")
        header.size = len(content)
        tar.addfile(header, io.BytesIO(content))

    with pytest.raises(BadArchive, match="manifest cannot be read"), reading(path):
        pass


def test_never_writes_what_it_would_not_read(tmp_path: Path) -> None:
    (tmp_path / "odd name").write_bytes(b"")

    with (
        pytest.raises(Failure, match="a name that no backup of ours has"),
        writing(tmp_path / "backup", nothing) as writer,
    ):
        writer.add("media/banner/odd name", tmp_path / "odd name")
    assert not is_safe("media/banner/odd name")
