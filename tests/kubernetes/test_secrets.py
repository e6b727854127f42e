"""Who holds what: secrets and private keys where they belong alone, public keys everywhere."""

import re

from manifests import DEMO, MIGRATIONS, SERVERS, holder

from mercato.topology import SERVICES

KEYS = {holder(s): f"{s.name.replace('_', '-')}-keys" for s in SERVICES if s.has_key}


def test_mounts_each_secret_where_it_belongs_alone(rendered):
    own = {name: {name} for name in (*SERVERS, *MIGRATIONS)}
    with_keys = {name: {name, keys} for name, keys in KEYS.items()}

    mounted = {name: set(rendered.secrets_of(name)) for name in rendered.pods}

    assert mounted == own | with_keys | DEMO[rendered.overlay]


def test_brings_no_secret_that_nobody_reads(rendered):
    mounted = {volume["secret"]["secretName"] for volume in rendered.volumes if "secret" in volume}

    assert set(rendered.of("Secret")) == mounted


def test_tells_only_migrations_how_to_own_tables(rendered):
    held = {name: set().union(*rendered.secrets_of(name).values()) for name in rendered.pods}

    assert {name for name in held if "owner_database_url" in held[name]} == MIGRATIONS
    assert {n for n in held if any("OWNER" in v for v in rendered.environment(n))} == MIGRATIONS


def test_migrates_as_the_owner(rendered):
    commands = {" ".join(rendered.containers[name]["command"]) for name in MIGRATIONS}

    assert commands == {"python manage.py migrate --no-input"}
    assert {rendered.workloads[name]["kind"] for name in MIGRATIONS} == {"Job"}


def test_keeps_secrets_in_files_that_the_group_reads(rendered):
    modes = {volume["secret"]["defaultMode"] for volume in rendered.volumes if "secret" in volume}

    assert modes == {0o440}


def test_tells_no_secret_in_the_environment(rendered):
    told = [pair for pod in rendered.pods for pair in rendered.environment(pod).items()]
    password = re.compile(r"://[^/]*:[^/]*@")

    assert [name for name, _ in told if name.endswith(("_KEY", "_PASSWORD"))] == []
    assert [name for name, value in told if password.search(value)] == []


def test_replaces_pods_when_a_secret_changes(rendered):
    assert [name for name in rendered.of("Secret") if not re.search(r"-[a-z0-9]{10}$", name)] == []


def test_publishes_public_keys_alone(rendered):
    public = rendered.of("ConfigMap")["keys-public"]["data"]

    assert set(public) == {"jwks.json", "jwks-issuer.json"}
    assert '"d"' not in str(public)
    assert "PRIVATE" not in str(public)


def test_shows_the_public_keys_to_everybody_as_a_folder(rendered):
    folder = {"name": "keys-public", "mountPath": "/keys/public", "readOnly": True}
    shown = {name for name, container in rendered.containers.items() if folder in container["volumeMounts"]}

    # A mount of one file keeps showing the old one after a rotation.
    assert shown == set(rendered.pods) - {"postgres"}
    assert [mount for mount in rendered.mounts if "subPath" in mount] == []


def test_lets_nobody_write_where_keys_and_secrets_are(rendered):
    mounts = [one for one in rendered.mounts if one["mountPath"].startswith(("/keys", "/run/secrets"))]

    assert {mount.get("readOnly") for mount in mounts} == {True}
