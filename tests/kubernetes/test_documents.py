"""The files are what Kubernetes takes, and list what an installation made for itself."""

import subprocess

import kubernetes_validate
import pytest
import yaml
from manifests import KUBERNETES, ROOT, list_provisioned, own_files, provision

OLDEST, NEWEST = "1.30", "1.37"


@pytest.mark.parametrize("path", own_files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_writes_what_kubernetes_knows(path):
    for document in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(document, NEWEST, strict=True)


def test_renders_what_kubernetes_knows(rendered):
    for document in rendered.documents:
        kubernetes_validate.validate(document, OLDEST, strict=True)


def test_stays_in_a_namespace_that_refuses_more(rendered):
    labels = rendered.of("Namespace")["mercato"]["metadata"]["labels"]
    elsewhere = [d for d in rendered.documents if d["metadata"].get("namespace") != "mercato"]

    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert [d["kind"] for d in elsewhere] == ["Namespace"]


def test_holds_no_secret_in_git():
    probe = KUBERNETES / "overlays" / "prod" / "provisioned" / "secrets" / "wallet" / "secret_key"
    ignored = subprocess.run(["git", "check-ignore", "--quiet", probe], cwd=ROOT, check=False)
    documents = [d for path in own_files() for d in yaml.safe_load_all(path.read_text())]

    assert ignored.returncode == 0
    assert [d["metadata"]["name"] for d in documents if d["kind"] == "Secret"] == []


def test_wants_to_be_provisioned_first(kubernetes):
    done = list_provisioned(kubernetes, "dev")

    assert done.returncode == 1
    assert "mercato provision" in done.stderr


def test_wants_a_mail_server_in_production(kubernetes):
    provision(kubernetes, "prod")

    done = list_provisioned(kubernetes, "prod")

    assert done.returncode == 1
    assert "mail_url" in done.stderr


def test_takes_no_empty_holder(kubernetes):
    provisioned = provision(kubernetes, "dev")
    (provisioned / "secrets" / "wallet-to-come").mkdir()

    done = list_provisioned(kubernetes, "dev")

    assert done.returncode == 1
    assert "wallet-to-come is empty" in done.stderr


def test_lists_names_and_no_secret(kubernetes):
    provisioned = provision(kubernetes, "dev")

    assert list_provisioned(kubernetes, "dev").returncode == 0

    written = (provisioned / "kustomization.yaml").read_text()
    secrets = [path.read_text() for path in (provisioned / "secrets").rglob("*") if path.is_file()]
    assert "secrets/wallet/secret_key" in written
    assert [secret for secret in secrets if secret in written] == []
