"""The drill: a busy shop is backed up and lost, and what is restored is that shop."""

import json
import subprocess
import tarfile
import threading
import time
import uuid
from contextlib import contextmanager

import pytest
from conftest import copied, run, started

from mercato.assembly import open_system
from mercato.home import Home
from mercato.postgres import Cluster, connect
from mercato.topology import SERVICES, WALLET
from mercato.users import end_sessions

SUM_MINOR = 7
# Who may do what with what, extensions included. A right that is nowhere written is the default one.
RIGHTS = """
    WITH found(name, owner, rights) AS (
        SELECT 'database', datdba, coalesce(datacl, acldefault('d', datdba)) FROM pg_database
         WHERE datname = current_database()
        UNION ALL SELECT 'schema', nspowner, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace
         WHERE nspname = 'public'
        UNION ALL SELECT oid::regclass::text, relowner,
               coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
          FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT attrelid::regclass || '.' || attname, 0, attacl FROM pg_attribute
         WHERE NOT attisdropped
           AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        UNION ALL SELECT oid::regprocedure::text, proowner, coalesce(proacl, acldefault('f', proowner))
          FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT 'default ' || defaclobjtype::text, defaclrole, defaclacl FROM pg_default_acl
        UNION ALL SELECT 'extension ' || extname, extowner, NULL FROM pg_extension
    )
    SELECT name, owner::regrole::text, array(SELECT one::text FROM unnest(rights) one ORDER BY 1)
      FROM found ORDER BY 1, 2
"""


@contextmanager
def writing(system):
    """Credits to a wallet all the time; gives the balances that the shopper has had."""
    token, sub = system.log_in("finance")["access"], system.logins["shopper-2"]["sub"]
    reader = system.log_in("shopper-2")["access"]
    had, over = [balance(system, reader)], threading.Event()

    def write():
        body = {
            "sub": sub,
            "direction": "credit",
            "amount_minor": SUM_MINOR,
            "currency": "EUR",
            "reason": "drill",
        }
        while not over.is_set():
            headers = {"Idempotency-Key": str(uuid.uuid4())}
            answer = system.request(
                "POST", "/api/v1/wallet/adjustments", token=token, headers=headers, json=body
            )
            assert answer.status_code == 201, answer.text
            had.append(had[-1] + SUM_MINOR)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield had
    finally:
        over.set()
        writer.join()


def balance(system, token):
    [found] = system.request("GET", "/api/v1/wallet", token=token).json()["balances"]
    return found["available_minor"]


def rights(data_dir):
    """By service; of a shop that runs."""
    kept = json.loads((data_dir / "secrets.json").read_text())
    cluster = Cluster(Home.at(data_dir).postgres_dir, kept["postgres_password"], log=data_dir / "none")
    found = {}
    for service in SERVICES:
        with connect(cluster.superuser_url(service.name)) as connection, connection.cursor() as cursor:
            cursor.execute(RIGHTS)
            found[service.name] = cursor.fetchall()
    return found


def picture(system):
    [product] = system.request("GET", "/api/v1/products?limit=1").json()["data"]
    return product["image"]["renditions"][0]["url"]


def refresh(system, tokens):
    return system.request("POST", "/api/v1/auth/refresh", json={"refresh": tokens["refresh"]})


def opened(system):
    return open_system(Home.at(system.data_dir), migrated=False)


@pytest.fixture(scope="module")
def drill(seeded, tmp_path_factory):
    """A shop that was lost, the one that was restored, and what was known of the first."""
    folder = tmp_path_factory.mktemp("drill")
    file, known = folder / "backup.tar", {}
    with started(copied(seeded, folder / "lost")) as lost:
        known["tokens"] = lost.log_in("shopper-2")
        known["url"] = picture(lost)
        known["picture"] = lost.request("GET", known["url"]).content
        known["rights"] = rights(lost.data_dir)
        with writing(lost) as had:
            time.sleep(0.2)
            first = len(had) - 1
            run("backup", file, env=lost.env)
            time.sleep(0.2)
        # The credit under way when the backup began, or ended, may be in it.
        known["had"] = had[first:]
        known["now"] = balance(lost, known["tokens"]["access"])
    run("restore", file, env=lost.env | {"MERCATO_DATA": str(folder / "restored")})
    # At the same address, which is the issuer of its tokens.
    with started(folder / "restored", "--port", str(lost.port)) as restored:
        known["balance"] = balance(restored, known["tokens"]["access"])
        known["refreshed"] = refresh(restored, known["tokens"])
        with opened(restored) as system:
            end_sessions(system)
        known["ended"] = refresh(restored, known["refreshed"].json())
        yield file, restored, known


@pytest.fixture
def restored(drill):
    return drill[1]


@pytest.fixture
def known(drill):
    return drill[2]


def test_log_ins_work(restored):
    assert restored.log_in("shopper")["access"]


def test_the_money_is_that_of_a_moment_of_the_backup(known):
    # Asked with a token of before, which is good as long as its session stands.
    assert known["balance"] in known["had"]
    assert known["balance"] < known["now"]


def test_sessions_go_on_until_they_are_ended(known):
    assert known["refreshed"].status_code == 200
    assert known["ended"].status_code == 401


def test_the_ledger_is_sound(restored):
    with opened(restored) as system:
        done = subprocess.run(
            system.manage(WALLET, "verify_ledger"),
            env=system.service_environment(WALLET),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok    hashes chain all entries" in done.stdout


def test_pictures_have_the_same_bytes(restored, known):
    assert restored.request("GET", known["url"]).content == known["picture"]


def test_rights_are_as_they_were(restored, known):
    assert rights(restored.data_dir) == known["rights"]


def test_is_not_seeded_again(restored):
    log = (restored.data_dir / "logs" / "mercato.log").read_text()

    assert "demo data" not in log


def test_a_destroyed_file_is_refused(drill, tmp_path):
    file, restored, _ = drill
    with tarfile.open(file) as archive:
        longest = max(archive, key=lambda member: member.size)
    content = bytearray(file.read_bytes())
    content[longest.offset_data + longest.size // 2] ^= 1
    (tmp_path / "destroyed").write_bytes(content)

    done = subprocess.run(
        [restored.command, "restore", tmp_path / "destroyed", "--data", tmp_path / "target"],
        env=restored.env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "is not what was written" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["destroyed"]
