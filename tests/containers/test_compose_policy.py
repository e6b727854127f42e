"""What docker-compose.yml promises of every container, read by the real parser with every profile."""

import json
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = Path(sys.executable).with_name("docker-compose")
SERVICES = {
    "wallet": "wallet/Dockerfile",
    "catalog-category": "catalog_category/Dockerfile",
    "catalog-product": "catalog_product/Dockerfile",
    "catalog-variant": "catalog_variant/Dockerfile",
    "banner": "banner/Dockerfile",
}
CATALOGUE = {"catalog-category", "catalog-product", "catalog-variant"}
GATEWAY = {"gateway-edge", "gateway-web"}
BUILT = SERVICES | {"gateway-web": "gateway/Dockerfile", "provision": "cli/Dockerfile"}
MIGRATIONS = {f"{name}-migrate" for name in ("gateway", *SERVICES)}
JOBS = MIGRATIONS | {"provision", "people", "seed"}
PROCESSES = {*SERVICES, *GATEWAY, "postgres", "inbox"}
# Who may hold a private key, by the volume that it is in.
SIGNERS = {"gateway-keys": "gateway-web"} | {f"{name}-keys": name for name in CATALOGUE}
# Who may share a network. The migration of a service and its people stand for the service itself.
NETWORKS = {
    "outside": {"gateway-edge"},
    "front": {"gateway-edge", "seed"},
    "catalogue": CATALOGUE,
    "gateway-data": {"postgres", "gateway-web", "gateway-migrate", "people"},
    "mail": {"gateway-web", "inbox"},
    "inbox": {"inbox"},
    **{name: {name, *GATEWAY} for name in SERVICES},
    **{f"{name}-data": {name, f"{name}-migrate", "postgres"} for name in SERVICES},
}
NOT_INTERNAL = {"outside", "inbox"}
SECRET_NAME = re.compile(r"(PASSWORD|SECRET|KEY|TOKEN|DATABASE_URL|MAIL_URL)$")
# A migration names its role to settings that want a URL, and has no password to give.
WITHOUT_A_SECRET = re.compile(r"|\w+://[\w.]+(@[\w.]+/\w+)?")


def parsed(*options, **env):
    command = [COMPOSE, "--project-directory", ROOT, *options, "config", "--format=json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


MODEL = parsed("--profile=*")
CONTAINERS = MODEL["services"]

each_container = pytest.mark.parametrize("name", sorted(CONTAINERS))


def mounts(name):
    return {mount["target"]: mount for mount in CONTAINERS[name].get("volumes", ())}


def sources(name, kind):
    return {mount["source"] for mount in mounts(name).values() if mount["source"].endswith(kind)}


def dockerfile(path):
    return (ROOT / path).read_text()


def stages(path):
    """A Dockerfile's stages by name, each with its text; the last has none."""
    parts = re.split(r"(?m)^(?=FROM )", dockerfile(path))
    named = [
        (re.search(r" AS (\S+)", part.splitlines()[0]), part) for part in parts if part.startswith("FROM")
    ]
    return {found[1] if found else "": part.strip() for found, part in named}


def test_knows_every_container():
    assert set(CONTAINERS) == JOBS | PROCESSES


def test_starts_no_inbox_unless_asked():
    assert set(CONTAINERS) - set(parsed()["services"]) == {"inbox"}


@each_container
def test_runs_no_container_as_root(name):
    user = CONTAINERS[name].get("user", "")

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "a number, for names are the image's own"


@each_container
def test_takes_every_right_from_a_container(name):
    container = CONTAINERS[name]

    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert not {"cap_add", "privileged", "devices", "pid", "ipc", "userns_mode"} & container.keys()


@each_container
def test_bounds_what_a_container_takes(name):
    container = CONTAINERS[name]

    assert 0 < int(container["mem_limit"]) <= 2**30
    assert container["pids_limit"] > 0
    assert container["init"] is True
    assert int(container["logging"]["options"]["max-file"]) > 1
    assert container["logging"]["options"]["max-size"] == "10m"


@pytest.mark.parametrize("name", sorted(PROCESSES))
def test_watches_what_runs_for_long(name):
    container = CONTAINERS[name]
    checked_by_the_image = name in BUILT and "HEALTHCHECK" in stages(BUILT[name])[""]

    assert checked_by_the_image or container["healthcheck"]["test"][0] == "CMD"
    assert not container.get("healthcheck", {}).get("disable")
    assert container["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(JOBS))
def test_runs_a_job_once(name):
    assert CONTAINERS[name]["restart"] == "no"


@pytest.mark.parametrize("name", sorted({*SERVICES, *GATEWAY}))
def test_gives_a_process_time_to_finish_its_requests(name):
    # A process drains for up to 25 seconds.
    assert CONTAINERS[name]["stop_grace_period"] == "30s"


@pytest.mark.case("L4")
def test_publishes_the_edge_alone_and_to_this_machine():
    published = {name: one["ports"] for name, one in CONTAINERS.items() if one.get("ports")}

    assert published.keys() == {"gateway-edge", "inbox"}
    assert {port["host_ip"] for ports in published.values() for port in ports} == {"127.0.0.1"}
    assert [port["target"] for port in published["gateway-edge"]] == [8000]


def test_tells_provision_where_the_shop_is_published():
    containers = parsed(MERCATO_ADDRESS="192.0.2.7")["services"]

    assert containers["gateway-edge"]["ports"][0]["host_ip"] == "192.0.2.7"
    assert containers["provision"]["environment"]["MERCATO_ADDRESS"] == "192.0.2.7"


def test_shares_no_network_but_those_stated():
    members = {
        network: {name for name, one in CONTAINERS.items() if network in (one.get("networks") or {})}
        for network in MODEL["networks"]
    }

    assert members == NETWORKS


def test_leads_out_of_the_edges_network_alone():
    outward = {name for name, network in MODEL["networks"].items() if not network.get("internal")}

    assert outward == NOT_INTERNAL


def test_opens_the_network_of_mail_alone_for_a_server_elsewhere():
    files = [f"--file={ROOT / name}" for name in ("docker-compose.yml", "deploy/compose/mail.yml")]

    networks = parsed(*files, "--profile=*")["networks"]

    assert {name for name, one in networks.items() if not one.get("internal")} == NOT_INTERNAL | {"mail"}


@each_container
def test_uses_no_network_of_the_machine(name):
    assert CONTAINERS[name].get("network_mode", "none") == "none"


def test_lets_no_service_meet_another_outside_the_catalogue():
    met = {
        frozenset(pair)
        for members in NETWORKS.values()
        for pair in combinations(members & SERVICES.keys(), 2)
    }

    assert met == {frozenset(pair) for pair in combinations(CATALOGUE, 2)}


@pytest.mark.case("L4")
@each_container
def test_puts_no_secret_in_the_environment(name):
    container = CONTAINERS[name]
    given = container.get("environment", {}) | container.get("build", {}).get("args", {})

    open_secrets = {
        variable
        for variable, value in given.items()
        if SECRET_NAME.search(variable) and not WITHOUT_A_SECRET.fullmatch(value or "")
    }
    assert open_secrets == set()


@each_container
def test_reads_every_secret_from_the_containers_own_place(name):
    given = CONTAINERS[name].get("environment", {})
    files = {value for variable, value in given.items() if variable.endswith("_FILE") and value}

    assert {file for file in files if not file.startswith("/run/secrets/")} == set()


def test_gives_each_private_key_to_its_signer_alone():
    held = {
        volume: {name for name in CONTAINERS if volume in sources(name, "-keys")} - {"provision"}
        for volume in MODEL["volumes"]
        if volume.endswith("-keys")
    }

    assert held == {volume: {holder} for volume, holder in SIGNERS.items()}


def test_gives_each_holders_secrets_to_that_holder_alone():
    held = {
        volume: {name for name in CONTAINERS if volume in sources(name, "-secrets")} - {"provision"}
        for volume in MODEL["volumes"]
        if volume.endswith("-secrets")
    }

    expected = {f"{name}-secrets": {name} for name in CONTAINERS} | {"demo-secrets": {"seed"}}
    assert held == {volume: expected[volume] for volume in held}
    assert "demo-secrets" in held


def test_shows_the_password_of_the_mail_server_to_the_web_alone():
    assert {name for name, one in CONTAINERS.items() if one.get("secrets")} == {"gateway-web"}


@pytest.mark.parametrize("name", sorted(CONTAINERS.keys() - {"provision"}))
def test_changes_no_key_and_no_secret(name):
    kept = {"keys-public", *sources(name, "-keys"), *sources(name, "-secrets")}
    if name == "gateway-web":
        kept.remove("keys-public")  # It publishes there what was revoked.

    writable = [one["source"] for one in mounts(name).values() if not one.get("read_only")]
    assert kept.isdisjoint(writable)


@pytest.mark.parametrize("name", sorted({*SERVICES, *GATEWAY, *MIGRATIONS}))
def test_shows_everybody_the_public_keys(name):
    assert mounts(name)["/keys/public"]["source"] == "keys-public"
    assert mounts(name)["/keys/public"].get("read_only", False) is (name != "gateway-web")


@each_container
def test_mounts_nothing_of_the_machine(name):
    assert {mount["type"] for mount in mounts(name).values()} <= {"volume"}


@each_container
def test_pins_every_image(name):
    image, _, tag = CONTAINERS[name]["image"].partition(":")

    assert re.fullmatch(r"v?\d[\w.]*", tag), image


@each_container
def test_never_fetches_an_image_that_is_built_here(name):
    container = CONTAINERS[name]

    assert container["image"].startswith("mercato/") == (container["pull_policy"] == "never")


def test_builds_each_image_once_from_its_own_file():
    built = {name: one["build"]["dockerfile"] for name, one in CONTAINERS.items() if "build" in one}
    used = {one["image"] for one in CONTAINERS.values() if one["image"].startswith("mercato/")}

    assert built == BUILT
    assert used == {CONTAINERS[name]["image"] for name in built}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_starts_a_service_after_its_migration(name):
    assert CONTAINERS[name]["depends_on"][f"{name}-migrate"]["condition"] == "service_completed_successfully"
    assert CONTAINERS[f"{name}-migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


@each_container
def test_waits_for_more_than_a_start(name):
    conditions = {one["condition"] for one in CONTAINERS[name].get("depends_on", {}).values()}

    assert "service_started" not in conditions


def test_starts_the_edge_after_the_web():
    assert CONTAINERS["gateway-edge"]["depends_on"]["gateway-web"]["condition"] == "service_healthy"
    assert "gateway-migrate" in CONTAINERS["gateway-web"]["depends_on"]


@pytest.mark.parametrize("path", sorted(BUILT.values()))
def test_begins_every_dockerfile_alike(path):
    shared = ("base", "build", "chassis")
    own, first = stages(path), stages("gateway/Dockerfile")

    assert list(own)[:3] == list(shared)
    assert [own[stage] for stage in shared] == [first[stage] for stage in shared]


@pytest.mark.parametrize("path", sorted(BUILT.values()))
def test_ends_every_dockerfile_as_nobody_with_the_plain_base(path):
    last = stages(path)[""]

    assert last.startswith("FROM base\n")
    assert re.findall(r"(?m)^USER (.*)$", last) == ["10001:10001"]
    assert not re.search(r"(?m)^(CMD|ENTRYPOINT) [^\[]", last)
    assert "COPY . " not in dockerfile(path)


@pytest.mark.parametrize("path", sorted(BUILT.values()))
def test_builds_without_a_secret_and_without_a_newer_builder(path):
    text = dockerfile(path)

    assert not re.search(r"(?m)^ARG .*(SECRET|PASSWORD|TOKEN|KEY)", text)
    assert not re.search(r"(?m)^# syntax=|<<[A-Z]|--link", text)


def test_keeps_what_an_operator_writes_here_out_of_git():
    written = [".env", "users.json", "gateway.dump", "banner-media.tar", "provision.tar"]
    ignored = subprocess.run(
        ["git", "check-ignore", *written], cwd=ROOT, capture_output=True, text=True, check=False
    )
    document = (ROOT / "deploy/README.md").read_text()

    assert ignored.stdout.split() == written
    assert "    umask 077\n    for name in" in document


@pytest.mark.case("C10")
def test_sends_nothing_to_the_builder_that_is_not_named():
    lines = [line for line in dockerfile(".dockerignore").splitlines() if line and line[0] != "#"]
    named = {line.removeprefix("!") for line in lines if line.startswith("!")}

    assert lines[0] == "*"
    assert {"**/*.pem", "**/.env*"} <= set(lines[len(named) :])
    assert {path.split("/")[0] for path in named if "/" in path} == {
        *("chassis", "cli", "gateway", "wallet", "banner"),
        *("catalog_category", "catalog_product", "catalog_variant"),
    }
    assert [path for path in named if not (ROOT / path).exists() or path.count("/") > 1] == []
