"""Who reaches whom: the policies of both ends say the same, and nothing that the design does not."""

import pytest
from manifests import EDGE_POD, MIGRATIONS, NAME, ORIGINS, PORTS, SERVERS, holder

from mercato.topology import GATEWAY, SERVICES

BY_NAME = {service.name: service for service in SERVICES}
ASKED = {
    (holder(service), holder(BY_NAME[other]), PORTS[holder(BY_NAME[other])])
    for service in SERVICES
    for other in service.asks
}
FORWARDED = {(EDGE_POD, name, port) for name, port in PORTS.items()}
SCRAPED = {("monitoring/prometheus", name, port) for name, port in PORTS.items()} | {
    ("monitoring/prometheus", EDGE_POD, 8011)
}
KEPT = {
    "dev": {(name, "postgres", 5432) for name in {*PORTS, *MIGRATIONS, "people"}},
    "prod": {(name, "192.0.2.0/28", 5432) for name in {*PORTS, *MIGRATIONS}},
}
SEEDED = {("seed", EDGE_POD, 8000)}
MAILED = {("gateway-web", "192.0.2.16/28", port) for port in (465, 587)}


def test_denies_what_no_policy_allows(rendered):
    spec = rendered.of("NetworkPolicy")["deny-by-default"]["spec"]

    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_lets_in_whom_each_must_hear_in_development(dev):
    assert dev.flows("Ingress") == FORWARDED | ASKED | SCRAPED | KEPT["dev"] | SEEDED


def test_lets_in_whom_each_must_hear_in_production(prod):
    assert prod.flows("Ingress") == FORWARDED | ASKED | SCRAPED | {("ingress/any", EDGE_POD, 8000)}


def test_lets_out_to_whom_each_must_speak_in_development(dev):
    names = {(name, "kube-system/kube-dns", 53) for name in dev.pods}

    assert dev.flows("Egress") == FORWARDED | ASKED | KEPT["dev"] | SEEDED | names


def test_lets_out_to_whom_each_must_speak_in_production(prod):
    names = {(name, "kube-system/kube-dns", 53) for name in prod.pods}

    assert prod.flows("Egress") == FORWARDED | ASKED | KEPT["prod"] | MAILED | names


def test_lets_no_service_reach_the_gateway(rendered):
    services = {holder(service) for service in SERVICES if service is not GATEWAY}
    reached = {to for who, to, _ in rendered.flows("Egress") if who in services}

    assert reached.isdisjoint({EDGE_POD, "gateway-web"})


def test_publishes_no_service_by_itself(rendered):
    types = {d["spec"].get("type", "ClusterIP") for d in rendered.of("Service").values()}

    assert types == {"ClusterIP"}


def test_leads_each_service_to_its_own_pods(rendered):
    services = {name: d["spec"] for name, d in rendered.of("Service").items()}
    ports = {
        name: {port["name"]: port["containerPort"] for port in rendered.containers[name]["ports"]}
        for name in services
    }

    assert {n: s["selector"] for n, s in services.items()} == {n: {NAME: n} for n in services}
    assert {n: s["ports"][0]["port"] for n, s in services.items() if n != "postgres"} == SERVERS
    assert [
        n for n, s in services.items() if ports[n][s["ports"][0]["targetPort"]] != s["ports"][0]["port"]
    ] == []


def test_publishes_nothing_in_development(dev):
    assert dev.of("Ingress") == {}


@pytest.mark.case("L4")
def test_publishes_the_edge_alone_over_tls(prod):
    (ingress,) = [d["spec"] for d in prod.of("Ingress").values()]
    (rule,) = ingress["rules"]

    assert [path["backend"]["service"]["name"] for path in rule["http"]["paths"]] == [EDGE_POD]
    assert f"https://{rule['host']}" == ORIGINS["prod"]
    assert ingress["tls"][0]["hosts"] == [rule["host"]]


def test_believes_the_one_proxy_in_front(prod, dev):
    assert prod.environment(EDGE_POD)["TRUSTED_PROXIES"] == "1"
    assert "TRUSTED_PROXIES" not in dev.environment(EDGE_POD)
