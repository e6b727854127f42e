"""What `mercato provision` leaves for containers: who may read what, made once, with the usual rights."""

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from gateway.tokens import keyring
from mercato import postgres
from mercato.main import main
from mercato.personas import DemoIsThere
from mercato.postgres import Cluster
from mercato.provisioning import init_sql, provision, refuse_others
from mercato.topology import SERVICES

ORIGIN = "http://localhost:8000"
PUBLIC = "https://shop.example"
NAMES = {"gateway", "wallet", "catalog-category", "catalog-product", "catalog-variant", "banner"}
SERVICE = {"secret_key", "database_url"}
MIGRATE = {"secret_key", "owner_database_url"}
RIGHTS = """
    SELECT 'role', rolname, '', ARRAY[rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolinherit,
                                      rolreplication, rolbypassrls]::text
      FROM pg_roles WHERE rolname !~ '^pg_'
    UNION ALL
    SELECT 'database', datname, pg_get_userbyid(datdba),
           (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(datacl) acl) FROM pg_database
    UNION ALL
    SELECT 'schema', current_database(), pg_get_userbyid(nspowner),
           (SELECT string_agg(acl::text, ' ' ORDER BY acl::text) FROM unnest(nspacl) acl)
      FROM pg_namespace WHERE nspname = 'public'
     ORDER BY 1, 2
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    provision(tmp_path / "made", origin=ORIGIN, with_demo=True)
    return tmp_path / "made"


def contents(root: Path) -> dict[str, bytes]:
    return {
        os.fspath(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def apply(sql: str, cluster: Cluster) -> None:
    url = urlsplit(cluster.superuser_url())
    env = {"PGPASSWORD": url.password or "", "PGHOST": os.fspath(cluster.socket_dir), "PGUSER": "postgres"}
    program = postgres.find_bin_dir() / "psql"
    command = [os.fspath(program), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
    answer = subprocess.run(command, input=sql, env=env, text=True, capture_output=True, check=False)
    assert (answer.returncode, answer.stderr) == (0, "")


def ask(url: str, question: str) -> list[tuple[object, ...]]:
    with postgres.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        return list(cursor.fetchall())


@pytest.fixture(scope="module")
def initialized(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Path]]:
    """A server that init.sql was given to, twice, and the folder that it stands in."""
    root = tmp_path_factory.mktemp("provisioned")
    provision(root, origin=ORIGIN, with_demo=False)
    sql = (root / "secrets/postgres/init.sql").read_text()
    with postgres.temporary_cluster() as cluster:
        apply(init_sql({service.name: ("old", "old") for service in SERVICES}), cluster)
        apply(sql, cluster)
        yield cluster, root


def test_gives_each_holder_its_own_files_and_no_other(root: Path) -> None:
    folders = {path.name: {file.name for file in path.iterdir()} for path in (root / "secrets").iterdir()}

    assert folders == {
        "gateway-edge": {"edge_key"},
        "gateway-web": {*SERVICE, "edge_key"},
        **dict.fromkeys(NAMES - {"gateway"}, SERVICE),
        **{f"{name}-migrate": MIGRATE for name in NAMES - {"gateway"}},
        "gateway-migrate": {*MIGRATE, "edge_key"},
        "people": {*SERVICE, "edge_key", "users.json"},
        "demo": {"logins.json"},
        "postgres": {"password", "init.sql"},
    }


def test_makes_sound_keys(root: Path) -> None:
    assert keyring.check(root / "keys") == []


def test_lets_nobody_else_read(root: Path) -> None:
    modes = {path: path.stat().st_mode & 0o777 for path in (root / "secrets").rglob("*")}
    shared = {path: mode for path, mode in modes.items() if "postgres" in path.parts}

    assert {mode for path, mode in modes.items() if path not in shared} == {0o700, 0o600}
    assert sorted(shared.values()) == [0o640, 0o640, 0o750]


def test_changes_nothing_the_second_time(root: Path) -> None:
    before = contents(root)
    times = {path: path.stat().st_mtime_ns for path in root.rglob("*")}

    provision(root, origin=ORIGIN, with_demo=True)

    assert contents(root) == before
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == times


def test_completes_what_a_killed_run_left(root: Path) -> None:
    before = contents(root)
    for name in ("postgres/init.sql", "people/database_url", "people/users.json", "gateway-edge/edge_key"):
        (root / "secrets" / name).unlink()

    provision(root, origin=ORIGIN, with_demo=True)

    assert contents(root) == before


def test_two_runs_at_a_time_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: provision(tmp_path, origin=ORIGIN, with_demo=True), range(2)))

    secrets = tmp_path / "secrets"
    sql = (secrets / "postgres/init.sql").read_text()
    password = urlsplit((secrets / "wallet/database_url").read_text()).password
    assert f"ALTER ROLE wallet_app LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB PASSWORD '{password}'" in sql


def test_tells_no_running_container_an_owners_password(root: Path) -> None:
    owners = [urlsplit(path.read_text()).password or "" for path in root.glob("secrets/*/owner_database_url")]
    running = [
        path
        for path in (root / "secrets").rglob("*")
        if path.is_file() and not path.parent.name.endswith("-migrate") and path.parent.name != "postgres"
    ]

    assert len(owners) == len(set(owners)) == 6
    assert [path for path in running if any(owner in path.read_text() for owner in owners)] == []


def test_shares_the_edge_key_with_nobody_but_edge_and_web(root: Path) -> None:
    key = (root / "secrets/gateway-web/edge_key").read_bytes()

    assert {name for name, content in contents(root).items() if content == key} == {
        "secrets/gateway-web/edge_key",
        "secrets/gateway-edge/edge_key",
    }


def test_shows_no_secret(tmp_path: Path) -> None:
    answer = CliRunner().invoke(
        main, ["provision", str(tmp_path)], env={"MERCATO_ORIGIN": ORIGIN, "SEED": "on"}
    )

    secrets = [path.read_text().strip() for path in tmp_path.glob("secrets/*/*_key")]
    assert answer.output == f"keys and secrets are in {tmp_path}\n"
    assert secrets
    assert [secret for secret in secrets if secret in answer.output] == []


@pytest.mark.parametrize("env", [{"SEED": "off"}, {"MERCATO_ORIGIN": PUBLIC}])
def test_makes_nobody_without_a_demo(tmp_path: Path, env: dict[str, str]) -> None:
    CliRunner().invoke(main, ["provision", str(tmp_path)], env=env)

    assert json.loads((tmp_path / "secrets/people/users.json").read_text()) == []
    assert list((tmp_path / "secrets/demo").iterdir()) == []


def test_makes_the_demos_people_of_their_log_ins(root: Path) -> None:
    logins = json.loads((root / "secrets/demo/logins.json").read_text())["logins"]
    users = json.loads((root / "secrets/people/users.json").read_text())

    assert [(user["email"], user["password"]) for user in users] == [
        (login["email"], login["password"]) for login in logins
    ]
    assert users[0]["groups"] == ["customer"]
    assert [bool(user["totp_secret"]) for user in users] == [user["groups"] != ["customer"] for user in users]


def test_lets_the_web_read_the_second_factors_that_the_people_are_made_with(root: Path) -> None:
    keys = {(root / "secrets" / holder / "secret_key").read_text() for holder in ("people", "gateway-web")}

    assert len(keys) == 1


def test_refuses_to_take_the_demo_to_a_public_origin(root: Path) -> None:
    with pytest.raises(DemoIsThere, match="new volumes"):
        provision(root, origin=PUBLIC, with_demo=False)


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1", "[::]", "anything"])  # noqa: S104
def test_refuses_to_show_this_machines_shop_to_others(tmp_path: Path, address: str) -> None:
    answer = CliRunner().invoke(
        main, ["provision", str(tmp_path / "new")], env={"MERCATO_ORIGIN": ORIGIN, "MERCATO_ADDRESS": address}
    )

    assert answer.exit_code == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("origin", "address"),
    [(ORIGIN, "127.0.0.2"), (ORIGIN, "[::1]"), (PUBLIC, "0.0.0.0")],  # noqa: S104
)
def test_publishes_a_shop_where_it_may_be_seen(origin: str, address: str) -> None:
    refuse_others(origin, address)


def test_makes_only_folders_for_an_image(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["provision", "--folders-only", str(tmp_path)])

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert (tmp_path / "keys/private/catalog_variant").is_dir()


@pytest.mark.parametrize("service", [service.name for service in SERVICES])
def test_the_urls_open_their_databases(initialized: tuple[Cluster, Path], service: str) -> None:
    cluster, root = initialized
    name = service.replace("_", "-")
    holder = "gateway-web" if service == "gateway" else name
    urls = [root / f"secrets/{holder}/database_url", root / f"secrets/{name}-migrate/owner_database_url"]

    known = [urlsplit(path.read_text()) for path in urls]
    local = [
        cluster.url(user=url.username or "", password=url.password or "", database=url.path[1:])
        for url in known
    ]

    assert [(url.hostname, url.port) for url in known] == [("postgres", 5432)] * 2
    assert [ask(url, "SELECT current_user::text, current_database()::text") for url in local] == [
        [(f"{service}_app", service)],
        [(f"{service}_owner", service)],
    ]


def test_gives_the_rights_that_one_machine_gives(initialized: tuple[Cluster, Path]) -> None:
    cluster, _ = initialized
    names = [service.name for service in SERVICES]

    with postgres.temporary_cluster() as other:
        for name in names:
            postgres.provide(other, name, owner_password="o", app_password="a")
        expected = [ask(other.superuser_url(name), RIGHTS) for name in ("postgres", *names)]

    assert [ask(cluster.superuser_url(name), RIGHTS) for name in ("postgres", *names)] == expected
