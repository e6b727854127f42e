"""The doctor says what is wrong: each thing is broken once."""

import json
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from terminal import environment

from gateway.tokens import keyring
from mercato import state
from mercato.doctor import findings
from mercato.doctor.databases import postgres, services
from mercato.doctor.findings import FAIL, OK, WARN, Finding, Patient
from mercato.doctor.installation import keys, media, modes, origin, roles, secrets, static_files
from mercato.doctor.machine import chromium, disk, memory, open_files, packages, ports, python
from mercato.doctor.processes import processes
from mercato.home import Home, write_private_json
from mercato.main import main
from mercato.postgres import Cluster, connect, provide, temporary_cluster
from mercato.state import Running, State
from mercato.topology import SERVICES

Examine = Callable[..., Iterator[Finding]]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MERCATO_ORIGIN", "MAIL_URL", "MAIL_URL_FILE", "MERCATO_POSTGRES_BIN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def whole(home: Home) -> Home:
    """A home as a stopped shop leaves it, but for its databases."""
    keyring.init(home.keys_dir)
    own = dict.fromkeys(("secret_key", "owner_password", "app_password"), "x")
    services = {service.name: own for service in SERVICES}
    write_private_json(home.secrets_file, {"postgres_password": "x", "edge_key": "x", "services": services})
    home.static_dir.mkdir()
    (home.static_dir / "staticfiles.json").write_text("{}")
    home.make_media_dir("banner")
    home.make_media_dir("catalog_product")
    return home


def assert_well(examine: Examine, home: Home) -> None:
    assert {finding.status for finding in examine(Patient(home))} <= {OK}


def assert_says(examine: Examine, home: Home, status: str, text: str, remedy: str) -> None:
    ill = [finding for finding in examine(Patient(home)) if finding.status != OK]
    assert [finding.status for finding in ill] == [status], ill
    assert text in ill[0].text
    assert remedy in ill[0].remedy


@pytest.mark.parametrize(
    "examine",
    [python, packages, origin, modes, secrets, keys, static_files, media, roles, postgres, processes],
)
def test_finds_nothing_wrong_with_what_is_well(whole: Home, examine: Examine) -> None:
    assert_well(examine, whole)


@pytest.mark.parametrize("examine", [modes, secrets, keys, static_files, media, services, processes])
def test_finds_nothing_wrong_with_nothing(tmp_path: Path, examine: Examine) -> None:
    assert_well(examine, Home.at(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_python_too_old(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 9))

    assert_says(python, home, FAIL, "Python 3.10.9 is too old", "3.11")


def test_packages_of_other_versions(tmp_path: Path) -> None:
    pins = "click==1.0 \\\n    --hash=x\nnot-there==2.0 \\\nwin==1 ; sys_platform == 'win32' \\\n"
    (tmp_path / "requirements-run.txt").write_text(pins)

    found = list(packages(Patient(Home(tmp_path, tmp_path, tmp_path))))

    assert [finding.status for finding in found] == [FAIL, FAIL]
    assert found[0].text.startswith("click is ")
    assert found[1].text == "not-there is missing, not 2.0"


def test_a_port_in_use(home: Home, free_port: Callable[[], int]) -> None:
    while True:  # The port before it, and those after it, may be somebody else's.
        port = free_port()
        state.write_state(home, State(port=port - 1))
        if all(finding.status == OK for finding in ports(Patient(home))):
            break

    with socket.create_server(("127.0.0.1", port)):
        assert_says(ports, home, FAIL, f"port {port} (wallet) is in use", "--port")


@pytest.mark.parametrize(("free", "status"), [(300, WARN), (100, FAIL)])
def test_little_space(home: Home, monkeypatch: pytest.MonkeyPatch, free: int, status: str) -> None:
    usage = shutil.disk_usage(home.data_dir)._replace(free=free * 1024 * 1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    assert_says(disk, home, status, f"{free} MB free", "space")


def test_little_memory(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mercato.doctor.machine._MEMORY", 2**60)

    assert_says(memory, home, WARN, "MB of memory available", "--only")


@pytest.mark.parametrize(("limit", "status"), [(1024, WARN), (128, FAIL)])
def test_few_open_files(home: Home, monkeypatch: pytest.MonkeyPatch, limit: int, status: str) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (limit, limit))

    assert_says(open_files, home, status, f"{limit} open files", "ulimit -n")


def test_no_chromium(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert_says(chromium, home, WARN, "none", "make test")


def test_an_origin_without_tls(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_ORIGIN", "http://shop.example")

    ill = [finding for finding in findings(Patient(home)) if finding.subject == "origin"]

    assert [finding.status for finding in ill] == [FAIL]
    assert "MERCATO_ORIGIN must be https" in ill[0].text


def test_a_public_origin_without_mail(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERCATO_ORIGIN", "https://shop.example")

    assert_says(origin, home, FAIL, "https://shop.example needs a mail server", "MAIL_URL")


def test_another_origin_than_the_running_one(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    state.write_state(home, State(phase=state.READY, origin="http://localhost:9000", port=9000))
    monkeypatch.setenv("MERCATO_ORIGIN", "http://localhost:9999")

    with home.lock():
        assert_says(origin, home, WARN, "http://localhost:9000 runs", "mercato down")


@pytest.mark.parametrize(("name", "mode"), [("secrets.json", 0o640), ("logs", 0o755), ("", 0o755)])
def test_what_others_may_read(whole: Home, name: str, mode: int) -> None:
    path = whole.data_dir / name
    path.chmod(mode)

    assert_says(
        modes, whole, FAIL, f"{path} has mode {mode:04o}", f"chmod {0o711 if not name else mode & 0o700:o}"
    )


def test_lost_secrets(whole: Home) -> None:
    whole.secrets_file.unlink()
    whole.postgres_dir.mkdir()

    assert_says(secrets, whole, FAIL, "the passwords of the databases", "backup")


def test_a_missing_secret(whole: Home) -> None:
    content = json.loads(whole.secrets_file.read_text())
    del content["services"]["wallet"]["app_password"]
    whole.secrets_file.write_text(json.dumps(content))

    assert_says(secrets, whole, FAIL, "missing: app_password of wallet", "backup")


def test_a_lost_key(whole: Home) -> None:
    next((whole.keys_dir / "private" / "gateway").glob("access-*.pem")).unlink()

    assert FAIL in {finding.status for finding in keys(Patient(whole))}


def test_an_old_key(whole: Home) -> None:
    path = whole.keys_dir / "private" / "catalog_product" / "state.json"
    content = json.loads(path.read_text())
    for key in content.values():
        key["created_at"] = "2020-01-01T00:00:00+00:00"
    path.write_text(json.dumps(content))

    assert_says(keys, whole, WARN, "is older than 90 days", "keys/README.md")


def test_lost_static_files_of_a_running_shop(whole: Home) -> None:
    (whole.static_dir / "staticfiles.json").write_text("{")

    with whole.lock():
        assert_says(static_files, whole, FAIL, "pages have no style", "mercato up")


def test_a_media_folder_that_is_none(whole: Home) -> None:
    whole.media_dir("banner").rmdir()
    whole.media_dir("banner").write_text("")

    assert_says(media, whole, FAIL, "no folder that can be written", "uploads fail")


def test_a_service_that_owns_its_tables(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WALLET_DATABASE_URL", "postgresql://one@/wallet")

    assert_says(roles, home, WARN, "wallet runs as the owner", "WALLET_OWNER_DATABASE_URL")


def test_data_of_another_postgresql(whole: Home) -> None:
    whole.postgres_dir.mkdir()
    (whole.postgres_dir / "PG_VERSION").write_text("13\n")

    assert_says(postgres, whole, FAIL, "is of PostgreSQL 13", "MERCATO_POSTGRES_BIN")


def test_no_postgresql(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MERCATO_POSTGRES_BIN", str(tmp_path))

    ill = [finding for finding in findings(Patient(home)) if finding.subject == "postgres"]

    assert [finding.status for finding in ill] == [FAIL]
    assert "was not found" in ill[0].text


def test_a_process_that_has_ended(home: Home) -> None:
    running = (Running("wallet", 2**22 - 1, 1.0, 8001, "http://127.0.0.1:9/readyz"),)
    state.write_state(home, State(phase=state.READY, processes=running))

    with home.lock():
        assert_says(processes, home, FAIL, "wallet has ended", "mercato logs wallet")


def test_a_process_that_is_not_ready(home: Home) -> None:
    me = state.describe("wallet", state.this_process("me").pid, 9, "http://127.0.0.1:9/readyz")
    state.write_state(home, State(phase=state.READY, processes=(me,)))

    with home.lock():
        assert_says(processes, home, FAIL, "wallet is not ready", "mercato logs wallet")


def test_processes_left_behind(home: Home) -> None:
    state.write_state(home, State(processes=(state.this_process("wallet"),)))

    assert_says(processes, home, FAIL, "left behind by a killed run: wallet", "mercato down")


def test_goes_on_after_what_it_cannot_read(whole: Home) -> None:
    whole.state_file.write_text("{")

    found = list(findings(Patient(whole)))

    assert "state.json cannot be read" in " ".join(finding.text for finding in found)
    assert "keys" in {finding.subject for finding in found if finding.status == OK}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with temporary_cluster() as cluster:
        provide(cluster, "banner", owner_password="o", app_password="a")
        yield cluster


@pytest.fixture
def banner_only(whole: Home, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose banner service has a database elsewhere; the embedded ones do not run."""
    monkeypatch.setenv("BANNER_DATABASE_URL", cluster.url(user="banner_app", password="a", database="banner"))
    monkeypatch.setenv(
        "BANNER_OWNER_DATABASE_URL", cluster.url(user="banner_owner", password="o", database="banner")
    )
    content = json.loads(whole.secrets_file.read_text())
    content["services"]["banner"]["secret_key"] = "x" * 60
    write_private_json(whole.secrets_file, content)
    return whole


def test_migrations_that_are_to_be_done(banner_only: Home) -> None:
    assert_says(services, banner_only, FAIL, "banner: some are to be done", "mercato migrate")


def test_migrations_that_give_no_answer(banner_only: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mercato.doctor.databases._CHECK_WITHIN", 0)

    assert_says(services, banner_only, FAIL, "banner: no answer within 0 s", "locks")


@pytest.fixture
def migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of the migrations, for that takes a second."""
    monkeypatch.setattr("mercato.doctor.databases._pending_migrations", lambda *_: iter(()))


@pytest.mark.usefixtures("migrated")
def test_a_database_that_does_not_let_us_in(banner_only: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANNER_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/banner")

    assert_says(services, banner_only, FAIL, "banner: no connection to the database", "URL")
    assert "secret" not in str(list(services(Patient(banner_only))))


@pytest.mark.usefixtures("migrated")
def test_a_role_with_too_many_rights(banner_only: Home, cluster: Cluster) -> None:
    with connect(cluster.superuser_url("banner")) as connection, connection.cursor() as cursor:
        cursor.execute("GRANT CREATE ON SCHEMA public TO banner_app")
        assert_says(services, banner_only, FAIL, "owns tables, or may make them", "another role")
        cursor.execute("REVOKE CREATE ON SCHEMA public FROM banner_app")


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(("seconds", "status"), [(5, WARN), (-3600, FAIL)])
def test_a_clock_that_is_off(
    banner_only: Home, monkeypatch: pytest.MonkeyPatch, seconds: int, status: str
) -> None:
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + seconds)

    assert_says(services, banner_only, status, "clock is", "NTP")


def test_ends_with_1_when_something_fails(whole: Home) -> None:
    whole.secrets_file.chmod(0o644)

    answer = CliRunner().invoke(main, ["doctor", "--data", str(whole.data_dir)], env=environment())

    assert answer.exit_code == 1
    assert f"→ chmod 600 {whole.secrets_file}" in answer.output


def test_tells_programs_the_same(whole: Home, free_port: Callable[[], int]) -> None:
    state.write_state(whole, State(port=free_port()))

    answer = CliRunner().invoke(main, ["doctor", "--json", "--data", str(whole.data_dir)])

    found = json.loads(answer.output)
    assert answer.exit_code == any(finding["status"] == FAIL for finding in found)
    assert {
        "status": OK,
        "subject": "secrets",
        "text": f"{whole.secrets_file} is whole",
        "remedy": "",
    } in found
