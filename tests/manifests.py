"""What the Kubernetes files come to once Kustomize has put them together."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from mercato.topology import EDGE, GATEWAY, SERVICES, Service

ROOT = Path(__file__).resolve().parents[1]
KUBERNETES = ROOT / "deploy" / "kubernetes"
NAME = "app.kubernetes.io/name"
NAMESPACE = "kubernetes.io/metadata.name"
ORIGINS = {"dev": "http://localhost:8000", "prod": "https://shop.example"}


def holder(service: Service) -> str:
    """The name of a service's pods; of the gateway's two processes the web is the one with a database."""
    return "gateway-web" if service is GATEWAY else service.name.replace("_", "-")


EDGE_POD = f"gateway-{EDGE}"
PORTS = {holder(service): 8000 + service.port_offset for service in SERVICES}
SERVERS = {EDGE_POD: 8000, **PORTS}
MIGRATIONS = {f"{service.name.replace('_', '-')}-migrate" for service in SERVICES}
# Which pods the overlay for development has besides, with the secrets that they mount.
DEMO = {"dev": {"postgres": {"postgres"}, "people": {"people"}, "seed": {"demo"}}, "prod": {}}


@dataclass
class Rendered:
    """What `kubectl apply -k` would send."""

    overlay: str
    documents: list[dict[str, Any]]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """All documents of a kind by name."""
        return {d["metadata"]["name"]: d for d in self.documents if d["kind"] == kind}

    @cached_property
    def workloads(self) -> dict[str, dict[str, Any]]:
        """Whatever has pods, by the name that its pods bear."""
        found = [d for d in self.documents if "template" in d.get("spec", {})]
        return {d["spec"]["template"]["metadata"]["labels"][NAME]: d for d in found}

    @cached_property
    def pods(self) -> dict[str, dict[str, Any]]:
        return {name: d["spec"]["template"]["spec"] for name, d in self.workloads.items()}

    @cached_property
    def containers(self) -> dict[str, dict[str, Any]]:
        """The one container of each pod; a test says that there is no other."""
        return {name: pod["containers"][0] for name, pod in self.pods.items()}

    @property
    def volumes(self) -> list[dict[str, Any]]:
        return [volume for pod in self.pods.values() for volume in pod["volumes"]]

    @property
    def mounts(self) -> list[dict[str, Any]]:
        return [mount for container in self.containers.values() for mount in container["volumeMounts"]]

    def environment(self, name: str) -> dict[str, str]:
        """What a process is told: in its manifest, and in the ConfigMap that all share."""
        (shared,) = [d["data"] for n, d in self.of("ConfigMap").items() if n.startswith("mercato-")]
        return shared | {one["name"]: one["value"] for one in self.containers[name]["env"]}

    def secrets_of(self, name: str) -> dict[str, set[str]]:
        """The Secrets that a pod mounts, without the digest of their content, with what is in each."""
        kept = self.of("Secret")
        mounted = [
            volume["secret"]["secretName"] for volume in self.pods[name]["volumes"] if "secret" in volume
        ]
        return {re.sub(r"-[a-z0-9]{10}$", "", secret): set(kept[secret]["data"]) for secret in mounted}

    def flows(self, direction: str) -> set[tuple[str, str, int]]:
        """Who reaches whom on which port as the policies of one direction say, Ingress or Egress."""
        found = set()
        for policy in self.of("NetworkPolicy").values():
            spec = policy["spec"]
            assert direction in spec["policyTypes"] or direction.lower() not in spec
            for rule in spec.get(direction.lower(), []):
                peers = {
                    one
                    for peer in rule["from" if direction == "Ingress" else "to"]
                    for one in self._met(peer)
                }
                ends = {(peer, own) for peer in peers for own in self._selected(spec["podSelector"])}
                ports = {port["port"] for port in rule["ports"]}
                found |= {
                    (*(pair if direction == "Ingress" else pair[::-1]), port)
                    for pair in ends
                    for port in ports
                }
        return found

    def _met(self, peer: dict[str, Any]) -> set[str]:
        if "ipBlock" in peer:
            return {peer["ipBlock"]["cidr"]}
        if "namespaceSelector" in peer:
            pods = peer.get("podSelector", {}).get("matchLabels", {"any": "any"})
            return {f"{peer['namespaceSelector']['matchLabels'][NAMESPACE]}/{next(iter(pods.values()))}"}
        return self._selected(peer["podSelector"])

    def _selected(self, selector: dict[str, Any]) -> set[str]:
        if not selector:
            return set(self.pods)
        labels, expressions = selector.get("matchLabels", {}), selector.get("matchExpressions", [])
        assert {*labels, *(one["key"] for one in expressions)} == {NAME}
        assert {one["operator"] for one in expressions} <= {"In"}
        names = {*labels.values(), *(name for one in expressions for name in one["values"])}
        assert names <= set(self.pods), "a policy names a pod that is not there"
        return names


def own_files() -> list[Path]:
    """The files that are whole documents of Kubernetes; those of the hardening are parts of some."""
    folders = ("base", "overlays/dev", "overlays/prod")
    found = [path for folder in folders for path in (KUBERNETES / folder).glob("*.yaml")]
    return sorted(path for path in found if path.name != "kustomization.yaml")


def copied(folder: Path) -> Path:
    """The files in another place, as somebody has them who just got them."""
    return shutil.copytree(KUBERNETES, folder / "kubernetes", ignore=shutil.ignore_patterns("provisioned"))


def provision(kubernetes: Path, overlay: str) -> Path:
    """What an operator runs first, for the origin that the overlay is made for; gives its folder."""
    folder = kubernetes / "overlays" / overlay / "provisioned"
    command = [Path(sys.executable).with_name("mercato"), "provision", folder]
    env = {"PATH": os.environ["PATH"], "MERCATO_ORIGIN": ORIGINS[overlay]}
    subprocess.run(command, env=env, capture_output=True, check=True)
    return folder


def list_provisioned(kubernetes: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What an operator runs then."""
    command = [sys.executable, kubernetes / "list_provisioned.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def render(kubectl: str, folder: Path, overlay: str) -> Rendered:
    """An overlay with everything an operator has to put into it."""
    kubernetes = copied(folder)
    provisioned = provision(kubernetes, overlay)
    (provisioned / "secrets" / "gateway-web" / "mail_url").write_text("smtp://mail.example")
    listed = list_provisioned(kubernetes, overlay)
    assert listed.returncode == 0, listed.stderr
    command = [kubectl, "kustomize", provisioned.parent]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return Rendered(overlay, list(yaml.safe_load_all(done.stdout)))
