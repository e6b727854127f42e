#!/usr/bin/env python3
"""Tells Kustomize of what `mercato provision` wrote for an overlay, for it takes no folder as a whole.

list_provisioned.py dev    writes overlays/dev/provisioned/kustomization.yaml: names of files, no secret
"""

import json
import sys
from pathlib import Path

OVERLAYS = Path(__file__).resolve().parent / "overlays"
# An installation has its own PostgreSQL and no demo; what stands here for them does not get into its cluster.
ONLY_IN_DEV = {"postgres", "people", "demo"}


def kustomization(folder: Path, leave_out: set[str]) -> dict[str, object]:
    """A Secret for each holder, one for each holder of private keys, and a ConfigMap of the public keys."""
    holders = [path for path in sorted((folder / "secrets").iterdir()) if path.name not in leave_out]
    signers = sorted((folder / "keys" / "private").iterdir())
    secrets = {path.name: path for path in holders} | {_secret_of_keys(path): path for path in signers}
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        # A changed secret has another name, so that the pods which use it are replaced.
        "secretGenerator": [{"name": name, "files": _files(path, folder)} for name, path in secrets.items()],
        # Public keys keep their name: running pods see the new ones within a minute or two, none is replaced.
        "configMapGenerator": [
            {
                "name": "keys-public",
                "files": _files(folder / "keys" / "public", folder),
                "options": {"disableNameSuffixHash": True},
            }
        ],
    }


def _secret_of_keys(folder: Path) -> str:
    return f"{folder.name.replace('_', '-')}-keys"


def _files(of: Path, folder: Path) -> list[str]:
    found = [str(path.relative_to(folder)) for path in sorted(of.iterdir()) if not path.name.startswith(".")]
    if not found:
        raise SystemExit(f"list_provisioned.py: {of} is empty; mercato provision fills it")
    return found


def main(arguments: list[str]) -> None:
    """Write the list, or say in one line why there is none."""
    if arguments not in (["dev"], ["prod"]):
        raise SystemExit("list_provisioned.py: name an overlay, dev or prod")
    overlay = arguments[0]
    folder = OVERLAYS / overlay / "provisioned"
    if not (folder / "secrets").is_dir() or not (folder / "keys" / "private").is_dir():
        raise SystemExit(f"list_provisioned.py: first run: mercato provision {folder}")
    if overlay == "prod" and not (folder / "secrets" / "gateway-web" / "mail_url").is_file():
        raise SystemExit(
            "list_provisioned.py: write the URL of the mail server to secrets/gateway-web/mail_url"
        )
    content = kustomization(folder, set() if overlay == "dev" else ONLY_IN_DEV)
    (folder / "kustomization.yaml").write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
