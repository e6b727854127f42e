"""Backup and restore with databases of one's own, where nothing has to be started.

The drill with a running shop is in tests/test_backup.py of the repository.
"""

import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner, Result
from terminal import Mercato

from gateway.tokens import keyring
from mercato import restore
from mercato.archive import DatabaseEntry, Manifest, reading, writing
from mercato.dumps import is_empty
from mercato.home import Home
from mercato.main import main
from mercato.postgres import Cluster, PostgresUnavailable, connect, find_client, provide, temporary_cluster
from mercato.topology import SERVICES, WALLET

TABLES = """
    CREATE TABLE django_migrations (id int, app text, name text);
    INSERT INTO django_migrations VALUES (1, 'wallet', '0001_ledger'), (2, 'contenttypes', '0001_initial');
    CREATE TABLE entry (amount int); INSERT INTO entry VALUES (42);
    GRANT SELECT ON entry TO wallet_app
"""
EMPTIED = """
    DROP SCHEMA public CASCADE;
    CREATE SCHEMA public AUTHORIZATION wallet_owner;
    GRANT USAGE ON SCHEMA public TO PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE wallet_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
    ALTER DEFAULT PRIVILEGES FOR ROLE wallet_owner IN SCHEMA public REVOKE ALL ON TABLES FROM wallet_app
"""
PICTURE = Path("media", "banner", "ab12", "1280.jpg")
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """The wallet's database and one for all others; those called _2 are empty, to restore into."""
    with temporary_cluster() as cluster:
        for name in ("wallet", "rest"):
            provide(cluster, name, owner_password="o", app_password="a")
            with connect(cluster.superuser_url()) as connection, connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {name}_2 OWNER {name}_owner")
        with connect(urls(cluster)["WALLET_OWNER_DATABASE_URL"]) as connection, connection.cursor() as cursor:
            cursor.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO wallet_app")
            cursor.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
            cursor.execute("CREATE EXTENSION pg_trgm")
            cursor.execute(TABLES)
            cursor.execute("REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON entry FROM wallet_app")
        yield cluster


@pytest.fixture
def others(cluster: Cluster) -> Iterator[dict[str, str]]:
    """The URLs of databases with nothing in them."""
    yield urls(cluster, "_2")
    with connect(cluster.superuser_url("wallet_2")) as connection, connection.cursor() as cursor:
        cursor.execute(EMPTIED)


def urls(cluster: Cluster, suffix: str = "") -> dict[str, str]:
    return {
        f"{service.prefix}{variable}": cluster.url(
            user=f"{name}_{role}", password=role[0], database=f"{name}{suffix}"
        )
        for service in SERVICES
        for name in ["wallet" if service is WALLET else "rest"]
        for variable, role in (("_DATABASE_URL", "app"), ("_OWNER_DATABASE_URL", "owner"))
    }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory as a stopped shop leaves it."""
    home = Home.at(tmp_path_factory.mktemp("template") / "data")
    home.prepare()
    keyring.init(home.keys_dir)
    home.secrets_file.write_text("{}")
    (home.data_dir / PICTURE).parent.mkdir(parents=True)
    (home.data_dir / PICTURE).write_bytes(b"picture")
    with home.lock():
        return home.data_dir


@pytest.fixture
def shop(template: Path, tmp_path: Path) -> Home:
    """A home of that kind."""
    return Home.at(Path(shutil.copytree(template, tmp_path / "data")))


@pytest.fixture(scope="module")
def run(cluster: Cluster) -> Run:
    """The command in this process, which names the databases."""

    def call(*arguments: object, env: Mapping[str, str] | None = None) -> Result:
        return CliRunner().invoke(main, [*map(str, arguments)], env=urls(cluster) | dict(env or {}))

    return call


@pytest.fixture(scope="module")
def file(template: Path, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    path = tmp_path_factory.mktemp("backups") / "shop"
    answer = run("backup", path, "--data", template)
    assert answer.exit_code == 0, answer.output
    return path


@pytest.fixture
def altered(file: Path, tmp_path: Path) -> Callable[..., Path]:
    """The same backup with another entry for the wallet's database, or another dump; its sums are right."""

    def alter(dump: bytes | None = None, **entry: object) -> Path:
        folder, target = tmp_path / "unpacked", tmp_path / "altered"
        folder.mkdir()
        with reading(file) as archive, writing(target, lambda: None) as writer:
            archive.extract(folder)
            if dump is not None:
                (folder / "databases" / "wallet.dump").write_bytes(dump)
            for name in archive.manifest.members:
                writer.add(name, folder / name)
            changed = vars(archive.manifest.databases["wallet"]) | entry
            archive.manifest.databases["wallet"] = DatabaseEntry(**changed)
            writer.finish(archive.manifest)
        return target

    return alter


def assert_refused(answer: Result, why: str) -> None:
    assert answer.exit_code == 1
    assert why in answer.output
    assert len(answer.output.strip().splitlines()) == 1, answer.output


def rows(url: str, question: str) -> list[tuple[object, ...]]:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        return list(cursor.fetchall())


def test_brings_everything_back(
    file: Path, template: Path, run: Run, others: dict[str, str], tmp_path: Path
) -> None:
    target = tmp_path / "target"

    answer = run("restore", file, "--data", target, env=others)

    assert answer.exit_code == 0, answer.output
    assert (target / PICTURE).read_bytes() == b"picture"
    assert [key.kid for key in keyring.list_keys(target / "keys")] == [
        key.kid for key in keyring.list_keys(template / "keys")
    ]
    assert keyring.check(target / "keys") == []
    assert rows(others["WALLET_DATABASE_URL"], "SELECT amount FROM entry") == [(42,)]
    assert not (target / "databases").exists()


def test_withholds_what_was_withheld(
    file: Path, run: Run, cluster: Cluster, others: dict[str, str], tmp_path: Path
) -> None:
    rights = """SELECT oid::regclass::text, relacl::text, relowner::regrole::text FROM pg_class
                 WHERE relnamespace = 'public'::regnamespace
                 UNION ALL SELECT oid::regprocedure::text, proacl::text, proowner::regrole::text FROM pg_proc
                 WHERE pronamespace = 'public'::regnamespace
                 UNION ALL SELECT 'default', defaclacl::text, defaclrole::regrole::text FROM pg_default_acl
                 ORDER BY 1, 2"""

    run("restore", file, "--data", tmp_path / "target", env=others)

    before = rows(cluster.superuser_url("wallet"), rights)
    assert len(before) > 30
    assert rows(cluster.superuser_url("wallet_2"), rights) == before
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        rows(others["WALLET_DATABASE_URL"], "DELETE FROM entry")


def test_leaves_nothing_beside_the_file(file: Path) -> None:
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_verifies_without_restoring(file: Path, run: Run, tmp_path: Path) -> None:
    answer = run("restore", "--verify", file, "--data", tmp_path / "target")

    assert answer.exit_code == 0
    assert "is whole" in answer.output
    assert not (tmp_path / "target").exists()


def test_refuses_to_write_over_a_file(file: Path, shop: Home, run: Run) -> None:
    before = file.read_bytes()

    assert_refused(run("backup", file, "--data", shop.data_dir), "is there already")
    assert file.read_bytes() == before


def test_refuses_to_back_up_nothing(run: Run, tmp_path: Path) -> None:
    assert_refused(run("backup", tmp_path / "f", "--data", tmp_path / "none"), "there is no shop in")


def test_says_when_the_folder_is_not_there(shop: Home, run: Run, tmp_path: Path) -> None:
    answer = run("backup", tmp_path / "none" / "f", "--data", shop.data_dir)

    assert_refused(answer, "No such file or directory")


def test_a_wrong_password_leaves_nothing(shop: Home, run: Run, cluster: Cluster, tmp_path: Path) -> None:
    wrong = cluster.url(user="wallet_owner", password="wrong", database="wallet")
    (tmp_path / "to").mkdir()

    answer = run(
        "backup", tmp_path / "to" / "f", "--data", shop.data_dir, env={"WALLET_OWNER_DATABASE_URL": wrong}
    )

    assert_refused(answer, "password authentication failed")
    assert list((tmp_path / "to").iterdir()) == []


def test_a_full_disk_leaves_nothing(shop: Home, cluster: Cluster, tmp_path: Path) -> None:
    (shop.data_dir / PICTURE).write_bytes(b"x" * 2_000_000)
    (tmp_path / "to").mkdir()
    command = [*Mercato(shop.data_dir, 0).command("backup"), str(tmp_path / "to" / "f")]

    # A limit on the size of files stands in for a disk without space; only the archive gets so big.
    answer = subprocess.run(
        ["prlimit", "--fsize=1000000", *command, "--data", str(shop.data_dir)],
        env=os.environ | urls(cluster),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.returncode, answer.stdout) == (1, "")
    assert "File too large" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert list((tmp_path / "to").iterdir()) == []


def fake_client(folder: Path, version: int, body: str = "") -> Path:
    folder.mkdir()
    program = folder / "pg_dump"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) {version}.1" && exit\n{body}\n'
    )
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(
    shop: Home, cluster: Cluster, tmp_path: Path, number: signal.Signals
) -> None:
    to, begun = tmp_path / "to", tmp_path / "begun"
    to.mkdir()
    slow = fake_client(tmp_path / "slow", 99, f"touch {begun}; exec sleep 60")
    command = [*Mercato(shop.data_dir, 0).command("backup"), str(to / "f"), "--data", str(shop.data_dir)]
    env = os.environ | urls(cluster) | {"MERCATO_POSTGRES_BIN": str(slow)}
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    while not begun.exists():
        assert process.poll() is None

    process.send_signal(number)
    _, said = process.communicate(timeout=20)

    assert process.returncode == 1
    assert said.strip().splitlines() == ["mercato: interrupted; nothing was written"]
    assert list(to.iterdir()) == []


def test_says_when_pg_dump_is_older_than_the_server(shop: Home, run: Run, tmp_path: Path) -> None:
    old = fake_client(tmp_path / "old", 12)

    answer = run(
        "backup", tmp_path / "f", "--data", shop.data_dir, env={"MERCATO_POSTGRES_BIN": os.fspath(old)}
    )

    assert_refused(answer, "the newest pg_dump found is 12")


def test_takes_the_oldest_client_that_knows_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folders = [fake_client(tmp_path / str(version), version) for version in (17, 15, 16, 12)]
    monkeypatch.setattr("mercato.postgres.binaries._wheel_bin_dirs", lambda: folders)
    monkeypatch.setattr("mercato.postgres.binaries._system_bin_dirs", list)
    monkeypatch.setenv("PATH", "/nowhere")

    assert find_client("pg_dump", 15) == tmp_path / "15" / "pg_dump"
    assert find_client("pg_dump", 14) == tmp_path / "15" / "pg_dump"
    with pytest.raises(
        PostgresUnavailable, match="the server is PostgreSQL 18, but the newest pg_dump found is 17"
    ):
        find_client("pg_dump", 18)


def test_refuses_to_restore_over_a_shop(file: Path, shop: Home, run: Run, others: dict[str, str]) -> None:
    assert_refused(run("restore", file, "--data", shop.data_dir, env=others), "--replace moves it away")


def test_refuses_while_it_runs(file: Path, shop: Home, run: Run) -> None:
    with shop.lock():
        assert_refused(run("restore", file, "--replace", "--data", shop.data_dir), "already running")


def test_moves_away_what_was_there(file: Path, shop: Home, run: Run, others: dict[str, str]) -> None:
    (shop.data_dir / PICTURE).write_bytes(b"newer")

    answer = run("restore", file, "--replace", "--data", shop.data_dir, env=others)

    [aside] = shop.data_dir.parent.glob("data.before-*")
    assert answer.exit_code == 0, answer.output
    assert str(aside) in answer.output
    assert (shop.data_dir / PICTURE).read_bytes() == b"picture"
    assert (aside / PICTURE).read_bytes() == b"newer"


def test_lets_nobody_start_a_shop_in_its_place(
    file: Path, run: Run, others: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Home.at(tmp_path / "target")
    was_locked = []
    monkeypatch.setattr(os, "sync", lambda: was_locked.append(target.is_running()))

    answer = run("restore", file, "--data", target.data_dir, env=others)

    assert answer.exit_code == 0, answer.output
    assert was_locked == [True]
    assert list(tmp_path.iterdir()) == [target.data_dir]


def test_keeps_what_came_meanwhile(
    file: Path, run: Run, others: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    monkeypatch.setattr(os, "sync", lambda: (target / "secrets.json").write_text("newer"))

    answer = run("restore", file, "--data", target, env=others)

    [aside] = tmp_path.glob("target.before-*")
    assert str(aside) in answer.output
    assert (aside / "secrets.json").read_text() == "newer"


def test_a_restore_that_fails_leaves_no_folder(
    altered: Callable[..., Path], run: Run, others: dict[str, str], tmp_path: Path
) -> None:
    broken = altered(dump=b"PGDMP no dump at all")

    answer = run("restore", broken, "--data", tmp_path / "target", env=others)

    assert answer.exit_code == 1
    assert not (tmp_path / "target").exists()


def test_a_restore_that_fails_changes_nothing(
    altered: Callable[..., Path], shop: Home, run: Run, others: dict[str, str]
) -> None:
    broken = altered(dump=b"PGDMP no dump at all")
    (shop.data_dir / PICTURE).write_bytes(b"newer")
    before = sorted(shop.data_dir.parent.rglob("*"))

    answer = run("restore", broken, "--replace", "--data", shop.data_dir, env=others)

    assert answer.exit_code == 1
    assert "pg_restore of the database wallet_2 failed" in answer.output
    assert (shop.data_dir / PICTURE).read_bytes() == b"newer"
    assert sorted(shop.data_dir.parent.rglob("*")) == before


def test_git_never_sees_what_a_restore_leaves_in_the_default_place() -> None:
    left = [".mercato.before-20260101-000000/secrets.json", "..mercato.abcd/logins.json"]

    ignored = subprocess.run(
        ["git", "check-ignore", *left], cwd=Home.at().root, capture_output=True, text=True, check=False
    )

    assert ignored.stdout.split() == left


def test_a_move_that_fails_is_undone(shop: Home, tmp_path: Path) -> None:
    # As in the default place, where the keys are not in the data directory.
    home = Home(shop.root, shop.data_dir, tmp_path / "keys")
    keyring.init(home.keys_dir)
    staging = Home(shop.root, tmp_path / "staging", tmp_path / "staging" / "keys")
    staging.prepare()
    # What is in the way of the keys that are moved aside.
    (shop.data_dir / "keys" / "public" / "in-the-way").write_text("")
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(OSError, match="not empty"):
        restore._put_in_place(staging, home)

    assert [path for path in sorted(tmp_path.rglob("*")) if ".before-" not in path.name] == before


def test_puts_the_keys_of_the_default_place_beside_the_data(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path / ".mercato", tmp_path / "keys")
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "README.md").write_text("stays")
    staging = Home(tmp_path, tmp_path / "staging", tmp_path / "staging" / "keys")
    staging.prepare()
    keyring.init(staging.keys_dir)

    restore._put_in_place(staging, home)

    assert keyring.check(home.keys_dir) == []
    assert (home.keys_dir / "README.md").read_text() == "stays"
    assert not (home.data_dir / "keys").exists()


def test_refuses_a_backup_of_a_later_version(altered: Callable[..., Path], run: Run, tmp_path: Path) -> None:
    later = altered(migrations=("contenttypes.0009_theirs", "wallet.0001_ledger", "wallet.9999_later"))

    answer = run("restore", later, "--data", tmp_path / "target")

    assert_refused(answer, "wallet does not know its migration wallet.9999_later")


def test_refuses_an_older_postgresql(altered: Callable[..., Path], run: Run, tmp_path: Path) -> None:
    assert_refused(run("restore", altered(postgres=99), "--data", tmp_path / "target"), "of PostgreSQL 99")


def test_refuses_a_database_that_is_not_empty(file: Path, run: Run, tmp_path: Path) -> None:
    assert_refused(run("restore", file, "--data", tmp_path / "target"), "database of wallet is not empty")


def test_a_database_with_nothing_but_extensions_is_empty(cluster: Cluster, others: dict[str, str]) -> None:
    url = cluster.superuser_url("wallet_2")
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION pg_stat_statements")

        assert is_empty(others["WALLET_OWNER_DATABASE_URL"])
        cursor.execute("CREATE TABLE other ()")
        assert not is_empty(others["WALLET_OWNER_DATABASE_URL"])


def test_refuses_roles_of_other_names(
    altered: Callable[..., Path], run: Run, others: dict[str, str], tmp_path: Path
) -> None:
    answer = run("restore", altered(app="somebody"), "--data", tmp_path / "target", env=others)

    assert_refused(answer, "rights for the role somebody, not for wallet_app")


def test_knows_alembics_migrations_by_their_number() -> None:
    folder = Home.at().root / "banner"

    assert restore._is_known(folder, "0001")
    assert not restore._is_known(folder, "9999")


def test_says_what_it_is_of(file: Path) -> None:
    with reading(file) as archive:
        manifest: Manifest = archive.manifest

    assert manifest.databases["wallet"].migrations == ("wallet.0001_ledger", "contenttypes.0001_initial")
    assert manifest.databases["wallet"].app == "wallet_app"
    assert manifest.first_at <= manifest.last_at < manifest.made_at
    assert manifest.origin == "http://localhost:8000"
