"""The documents tell what is there: every variable, route, target and command, and no link leads nowhere."""

import re
from pathlib import Path

import pytest
import yaml

from gateway.routes import ROUTES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *(ROOT / "docs").rglob("*.md")})
SPECIFICATIONS = {
    "gateway": "gateway/openapi.yaml",
    "wallet": "wallet/openapi.yaml",
    "catalog_category": "catalog_category/openapi.yaml",
    "catalog_product": "catalog_product/openapi.yaml",
    "catalog_variant": "catalog_variant/openapi.yaml",
    "banner": "banner/openapi.yaml",
}
METHODS = ("get", "post", "put", "patch", "delete")


def operations(service: str) -> set[tuple[str, str]]:
    paths = yaml.safe_load((ROOT / SPECIFICATIONS[service]).read_text())["paths"]
    return {(method.upper(), path) for path, item in paths.items() for method in METHODS if method in item}


def without_names(text: str) -> str:
    # What a part of a path is called differs between readers and code.
    return re.sub(r"\{[\w-]+\}", "{}", text)


@pytest.mark.parametrize("package", [*SPECIFICATIONS, "cli"])
def test_documents_every_environment_variable(package):
    pattern = re.compile(r"env_\w+\(\s*\"([A-Z][A-Z0-9_]+)\"")
    code = "\n".join(path.read_text() for path in (ROOT / package).rglob("*.py") if "tests" not in path.parts)
    documents = (ROOT / package / "README.md").read_text() + (ROOT / "chassis" / "README.md").read_text()

    assert {name for name in pattern.findall(code) if name not in documents} == set()


def test_documents_every_make_target():
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    documents = README + (ROOT / "CONTRIBUTING.md").read_text()

    assert [target for target in targets if f"make {target}" not in documents] == []


@pytest.mark.parametrize("service", SPECIFICATIONS)
def test_documents_every_endpoint(service):
    document = without_names((ROOT / service / "README.md").read_text())

    assert {path for _, path in operations(service) if without_names(path) not in document} == set()


def test_documents_every_route():
    document = (ROOT / "gateway" / "README.md").read_text()

    assert [route.prefix for route in ROUTES if f"`{route.prefix}`" not in document] == []


def test_documents_every_command():
    from mercato.main import main

    document = (ROOT / "cli" / "README.md").read_text()

    assert [name for name in main.commands if f"mercato {name}" not in document] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_leads_no_link_nowhere(path):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_names_only_files_that_are_there():
    named = re.findall(r"`((?:bench|chassis|cli|docs|gateway|keys|tests|wallet)/[\w./-]+)`", README)

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_keeps_the_readme_short():
    assert len(README.splitlines()) <= 200
