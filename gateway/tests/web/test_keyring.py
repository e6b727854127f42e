import json
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from chassis.keys import load_signing_key, parse_jwks
from gateway.tokens import keyring


@pytest.fixture
def folder(tmp_path):
    keyring.init(tmp_path)
    return tmp_path


def pem(folder, holder="gateway", kind="access"):
    return next((folder / "private" / holder).glob(f"{kind}-*.pem"))


def make_folder_of(path):
    path.unlink()
    path.mkdir()


def make_file_of(path):
    shutil.rmtree(path)
    path.write_text("")


def link_nowhere(path):
    path.symlink_to("/nowhere")


def tree(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_makes_a_key_of_each_kind_for_each_holder(folder):
    made = [(key.holder, key.kind, key.state) for key in keyring.list_keys(folder)]

    assert made == [
        ("catalog_category", "service", "active"),
        ("catalog_product", "service", "active"),
        ("catalog_variant", "service", "active"),
        ("gateway", "access", "active"),
        ("gateway", "refresh", "active"),
    ]


def test_changes_nothing_the_second_time(folder):
    before = tree(folder)

    keyring.init(folder)

    assert tree(folder) == before


def test_lets_two_runs_take_turns(tmp_path):
    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(keyring.init, [tmp_path] * 4))

    assert runs.count(runs[0]) == 4
    assert keyring.check(tmp_path) == []


def test_keeps_private_what_is_private(folder):
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder / "private").rglob("*")}

    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert stat.S_IMODE((folder / "private").stat().st_mode) == 0o700


def test_leaves_no_temporary_file(folder):
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]


@pytest.mark.parametrize("place", ["private/gateway", "private/catalog_variant", "public"])
def test_removes_what_a_killed_run_left_half_written(folder, place):
    leftover = folder / place / ".new-abc"
    leftover.write_text("half a key")

    keyring.init(folder)

    assert not leftover.exists()


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_makes_keys_that_their_holder_can_load(folder, kind):
    key = load_signing_key(folder / "private" / "gateway", kind)

    assert pem(folder, kind=kind).stem == f"{kind}-{key.kid}"


def test_publishes_what_a_reader_accepts_bound_to_its_holder(folder):
    keys = parse_jwks((folder / "public" / "jwks.json").read_bytes()).keys.values()

    assert {key.holder: key.scopes for key in keys} == {
        "gateway": frozenset(),
        "catalog_category": {"catalog:exists"},
        "catalog_product": {"catalog:exists"},
        "catalog_variant": {"listings:write", "catalog:exists"},
    }


def test_publishes_no_refresh_key_and_nothing_private(folder):
    refresh = load_signing_key(folder / "private" / "gateway", "refresh")
    published = "".join(path.read_text() for path in (folder / "public").iterdir())

    assert refresh.kid not in published
    assert '"d"' not in published
    assert "PRIVATE" not in published


def test_gives_outsiders_the_access_keys_without_our_members(folder):
    [key] = json.loads((folder / "public" / "jwks-issuer.json").read_text())["keys"]

    assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert key["kid"] == load_signing_key(folder / "private" / "gateway", "access").kid


def test_takes_up_where_a_run_was_killed(folder):
    before = load_signing_key(folder / "private" / "gateway", "access")
    (folder / "private" / "gateway" / "state.json").unlink()
    shutil.rmtree(folder / "public")

    keyring.init(folder)

    assert load_signing_key(folder / "private" / "gateway", "access").kid == before.kid
    assert keyring.check(folder) == []


def test_refuses_to_build_on_a_broken_key(folder):
    pem(folder).write_text("nonsense")

    with pytest.raises(keyring.UnusableKey):
        keyring.init(folder)


def test_finds_nothing_wrong_with_what_it_made(folder):
    assert keyring.check(folder) == []


def test_finds_a_folder_that_is_not_there(tmp_path):
    [problem] = keyring.check(tmp_path)

    assert "does not exist" in problem


@pytest.mark.case("C10")
@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda folder: pem(folder).chmod(0o644), "others may use it"),
        (lambda folder: (folder / "private").chmod(0o755), "others may use it"),
        (lambda folder: pem(folder).write_text("nonsense"), "not an unencrypted private key"),
        (
            lambda folder: shutil.copyfile(pem(folder, kind="refresh"), pem(folder)),
            "not named after its own thumbprint",
        ),
        (
            lambda folder: (folder / "private" / "gateway" / "state.json").write_text("{}"),
            "must have exactly one active access key",
        ),
        (lambda folder: (folder / "private" / "gateway" / "state.json").write_text("{"), "malformed"),
        (lambda folder: pem(folder, "catalog_variant", "service").unlink(), "one active service key"),
        (lambda folder: pem(folder).unlink(), "is not exactly the public halves"),
        (lambda folder: (folder / "public" / "jwks.json").write_text("{"), "refused by every reader"),
        (
            lambda folder: (folder / "public" / "jwks-issuer.json").unlink(),
            "is not exactly the public halves",
        ),
        (
            lambda folder: (folder / "private" / "gateway" / "state.json").write_text("[" * 99_999),
            "malformed",
        ),
        (lambda folder: make_folder_of(folder / "private" / "gateway" / "state.json"), "cannot be read"),
        (lambda folder: make_file_of(folder / "private" / "catalog_variant"), "cannot be read"),
        (lambda folder: link_nowhere(folder / "private" / "gateway" / "a.pem"), "not an unencrypted private"),
        (lambda folder: link_nowhere(folder / "private" / "gateway" / "a"), "is a link"),
    ],
)
def test_finds_what_is_wrong(folder, spoil, problem):
    spoil(folder)

    assert problem in " ".join(keyring.check(folder))


@pytest.mark.parametrize("member", [{"scope": "wallet:settle"}, {"holder": "gateway"}, {"d": "secret"}])
def test_finds_a_published_key_that_was_changed(folder, member):
    path = folder / "public" / "jwks.json"
    document = json.loads(path.read_text())
    document["keys"][0] |= member
    path.write_text(json.dumps(document))

    assert keyring.check(folder)


def test_finds_keys_past_their_time(folder):
    later = datetime.now(UTC) + timedelta(days=91)

    assert (
        len([problem for problem in keyring.check(folder, now=later) if "older than 90 days" in problem]) == 5
    )


@pytest.mark.case("C10")
def test_finds_private_keys_in_git(folder):
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-f", str(pem(folder))], cwd=folder, check=True)

    [problem] = keyring.check(folder)

    assert problem.endswith("is tracked by git.")
