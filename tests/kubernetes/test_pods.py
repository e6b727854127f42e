"""What runs, with which rights and bounds, and how it is looked after."""

import re
from collections import Counter

import pytest
from manifests import DEMO, EDGE_POD, MIGRATIONS, NAME, ORIGINS, PORTS, SERVERS, holder

from gateway.edge.config import Times
from mercato.credentials import Credentials, ServiceCredentials
from mercato.home import Home
from mercato.topology import SERVICES, DatabaseUrls, System

SCALED = (EDGE_POD, "gateway-web")
# What `mercato up` hands down from the caller's environment, and what depends on the place: the image holds
# the static files, mail is kept in files in development alone, a proxy stands in front in production alone.
NOT_TOLD = {"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "PYTHONDONTWRITEBYTECODE"}
EITHER = {"LOG_LEVEL", "GATEWAY_STATIC", "GATEWAY_MAIL", "MAIL_URL", "MAIL_FROM", "TRUSTED_PROXIES"}

each_server = pytest.mark.parametrize("name", SERVERS)


@pytest.fixture(scope="module")
def programs():
    """How `mercato up` starts each process on one machine, by the name of its pod."""
    credentials = Credentials("p", "e", {s.name: ServiceCredentials("s", "o", "a") for s in SERVICES})
    databases = {service.name: DatabaseUrls("app", "owner") for service in SERVICES}
    system = System(Home.at(), ORIGINS["dev"], 8000, credentials, databases)
    pods = {service.process: holder(service) for service in SERVICES} | {"edge": EDGE_POD}
    return {pods[program.name]: program for program in system.programs()}


def test_runs_every_process_and_nothing_else(rendered):
    assert set(rendered.pods) == {*SERVERS, *MIGRATIONS, *DEMO[rendered.overlay]}
    assert {len(pod["containers"]) for pod in rendered.pods.values()} == {1}
    assert [name for name, pod in rendered.pods.items() if "initContainers" in pod] == []


def test_runs_nothing_as_root(rendered):
    rights = {name: pod["securityContext"] for name, pod in rendered.pods.items()}
    ids = {
        name: {right[of] for of in ("runAsUser", "runAsGroup", "fsGroup")} for name, right in rights.items()
    }

    assert {right["runAsNonRoot"] for right in rights.values()} == {True}
    assert {right["seccompProfile"]["type"] for right in rights.values()} == {"RuntimeDefault"}
    assert ids == {name: {999 if name == "postgres" else 10001} for name in rendered.pods}


def test_gives_no_container_a_privilege(rendered):
    least = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }

    assert [n for n, c in rendered.containers.items() if c["securityContext"] != least] == []
    assert [n for n, p in rendered.pods.items() if {"hostNetwork", "hostPID", "hostIPC"} & set(p)] == []


def test_gives_no_pod_a_way_into_the_cluster(rendered):
    pods = rendered.pods.values()

    assert {pod["automountServiceAccountToken"] for pod in pods} == {False}
    assert {d["automountServiceAccountToken"] for d in rendered.of("ServiceAccount").values()} == {False}
    assert {pod["serviceAccountName"] for pod in pods} == set(rendered.of("ServiceAccount"))
    assert [d for d in rendered.documents if "Role" in d["kind"]] == []


def test_mounts_nothing_of_the_node(rendered):
    kinds = {kind for volume in rendered.volumes for kind in volume if kind != "name"}
    scratch = [volume["emptyDir"] for volume in rendered.volumes if "emptyDir" in volume]

    assert kinds == {"emptyDir", "configMap", "secret", "persistentVolumeClaim"}
    assert {tuple(one) for one in scratch} == {("sizeLimit",)}


def test_bounds_what_every_container_takes(rendered):
    resources = [container["resources"] for container in rendered.containers.values()]

    assert {tuple(sorted(one["requests"])) for one in resources} == {("cpu", "memory")}
    assert {tuple(one["limits"]) for one in resources} == {("memory",)}


def test_pins_every_image_in_development(dev):
    images = [container["image"] for container in dev.containers.values()]

    assert [
        one for one in images if not re.fullmatch(r"mercato/[a-z-]+:\d+\.\d+\.\d+|postgres:18", one)
    ] == []


def test_pins_every_image_in_production(prod):
    images = [container["image"] for container in prod.containers.values()]

    assert [one for one in images if not re.fullmatch(r"registry\.example/mercato/[a-z-]+:[\d.]+", one)] == []


@each_server
def test_looks_after_each_server(rendered, name):
    container = rendered.containers[name]
    probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]

    # Without its database the web shows the shop to whoever is not logged in: it stays among the ready.
    ready = "/livez" if name == "gateway-web" else "/readyz"
    assert [probe["path"] for probe in probes] == ["/livez", ready, "/livez"]
    assert {probe["port"] for probe in probes} == {"http"}


@each_server
def test_replaces_each_server_without_a_gap(rendered, name):
    strategy = rendered.workloads[name]["spec"]["strategy"]
    before = rendered.containers[name]["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    assert before >= 5
    assert rendered.pods[name]["terminationGracePeriodSeconds"] >= before + Times().drain + 5


def test_scales_edge_and_web(prod):
    scalers = [d["spec"] for d in prod.of("HorizontalPodAutoscaler").values()]
    fixed = {name: d["spec"].get("replicas") for name, d in prod.of("Deployment").items()}

    assert sorted(scaler["scaleTargetRef"]["name"] for scaler in scalers) == sorted(SCALED)
    assert {scaler["minReplicas"] for scaler in scalers} == {3}
    assert fixed == dict.fromkeys(SERVERS, 3) | dict.fromkeys(SCALED)


def test_takes_no_more_than_one_of_each_away(prod):
    budgets = {name: d["spec"] for name, d in prod.of("PodDisruptionBudget").items()}

    assert {n: one["selector"]["matchLabels"] for n, one in budgets.items()} == {
        n: {NAME: n} for n in SERVERS
    }
    assert {one["maxUnavailable"] for one in budgets.values()} == {1}


@each_server
def test_spreads_replicas_over_nodes(prod, name):
    (spread,) = prod.pods[name]["topologySpreadConstraints"]

    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["labelSelector"]["matchLabels"] == {NAME: name}


def test_needs_neither_scaling_nor_budgets_for_one_replica(dev):
    assert dev.of("HorizontalPodAutoscaler") == dev.of("PodDisruptionBudget") == {}


@each_server
def test_tells_each_process_what_it_asks_for(rendered, programs, name):
    told = {variable.removesuffix("_FILE") for variable in rendered.environment(name)}

    assert told - EITHER == set(programs[name].env) - NOT_TOLD - EITHER


@each_server
def test_leads_each_process_to_the_others(rendered, name):
    environment = rendered.environment(name)
    urls = {n.removesuffix("_URL"): url for n, url in environment.items() if n.endswith("_URL")}
    services = {
        n.removeprefix("gateway-").replace("-", "_").upper(): f"http://{n}:{p}" for n, p in PORTS.items()
    }

    assert urls == {variable: services[variable] for variable in urls}
    assert f"0.0.0.0:{SERVERS[name]}" in environment.values()


def test_makes_development_of_a_loopback_origin_alone(rendered):
    environment = rendered.environment("gateway-web")

    assert environment["MERCATO_ORIGIN"] == ORIGINS[rendered.overlay]
    assert ("MAIL_URL_FILE" in environment) == (rendered.overlay == "prod")
    assert ("GATEWAY_MAIL" in environment) == (rendered.overlay == "dev")


def test_keeps_pictures_where_every_replica_finds_them(rendered):
    claims = [
        v["persistentVolumeClaim"]["claimName"] for v in rendered.volumes if "persistentVolumeClaim" in v
    ]
    modes = {tuple(d["spec"]["accessModes"]) for d in rendered.of("PersistentVolumeClaim").values()}

    assert Counter(claims) == Counter(f"{holder(s)}-media" for s in SERVICES if s.has_media)
    assert set(claims) == set(rendered.of("PersistentVolumeClaim"))
    assert modes == {("ReadWriteMany",) if rendered.overlay == "prod" else ("ReadWriteOnce",)}
