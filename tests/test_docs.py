"""The documents tell what is there: every variable, route, target and command, and no link leads nowhere."""

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from gateway.accounts.roles import GROUP_SCOPES, SUPERUSER
from gateway.edge.config import Limits, Times, limit_variable, time_variable
from gateway.routes import READ, ROUTES
from mercato import topology

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
EDGE = (ROOT / "docs" / "edge.md").read_text()
LINK = re.compile(r"\]\(([^()\s:]*)\)")
SPECIFICATIONS = {service.name: f"{service.name}/openapi.yaml" for service in topology.SERVICES}
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


def documents() -> list[Path]:
    # New ones count before they are committed.
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in (ROOT / name for name in sorted(set(listed.splitlines()))) if path.exists()]


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.*)$", without_code(path.read_text()), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_leads_no_link_nowhere(path):
    links = [link.partition("#") for link in LINK.findall(without_code(path.read_text()))]

    missing = [file for file, _, _ in links if file and not (path.parent / file).exists()]
    assert missing == []
    lost = [
        f"{file}#{anchor}"
        for file, _, anchor in links
        if anchor and anchor not in anchors(path.parent / file if file else path)
    ]
    assert lost == []


# The change log and the decisions tell of what was.
@pytest.mark.parametrize(
    "path",
    [path for path in documents() if path.name != "CHANGELOG.md" and "adr" not in path.parts],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_names_only_files_that_are_there(path):
    folders = "|".join(("bench", "chassis", "cli", "deploy", "docs", "keys", "tests", *SPECIFICATIONS))
    named = re.findall(rf"`((?:{folders})/[\w./-]+\.\w+)`", without_code(path.read_text()))

    missing = [name for name in named if not (ROOT / name).exists() and not (path.parent / name).exists()]
    assert [name for name in missing if "NNNN" not in name] == []


def test_links_every_claim_of_the_readme_to_its_proof():
    table = README.split("where it is proved", 1)[1].split("\n## ", 1)[0]
    claims = [line for line in table.splitlines() if line.startswith("| ")][1:]

    assert claims
    assert [claim for claim in claims if not LINK.search(claim)] == []


def route_row(route):
    """A route as the document of the edge has it."""
    methods = " ".join(method for method in route.methods if method != "HEAD")
    scopes = names(route.scopes)
    if route.read_scopes:
        scopes = f"reads {names(route.read_scopes)}" + (f"; writes {scopes}" if route.scopes else "")
    waits = f"{route.read_seconds:g} s"
    if route.write_seconds != route.read_seconds and set(route.methods) - set(READ):
        waits += f", {route.write_seconds:g} s"
    cells = (
        f"`{route.prefix}`" + (" exactly" if route.exact else ""),
        methods,
        route.credential.value,
        route.upstream,
        scopes or "-",
        size(route.body_limit),
        waits,
        "kept" if route.is_cached else "-",
    )
    return f"| {' | '.join(cells)} |"


def names(scopes):
    return " ".join(f"`{scope}`" for scope in sorted(scopes))


def size(count):
    return f"{count // 1024:,} KiB" if count % 1024 == 0 and count >= 1024 else f"{count:,}"


def setting_row(field, variable):
    """The beginning of the row of a limit or a time."""
    value = f"{field.default:g} s" if isinstance(field.default, float) else f"{field.default:,}"
    if field.name == "collected" or field.name.endswith("_bytes"):
        value = size(field.default)
    return f"| `{field.name}` | {value} | `{variable(field.name)}` |"


def test_documents_the_route_table_as_it_is():
    rows = [line for line in EDGE.splitlines() if line.startswith("| `/")]

    assert rows == [route_row(route) for route in ROUTES]


@pytest.mark.parametrize(("kind", "variable"), [(Times, time_variable), (Limits, limit_variable)])
def test_documents_the_limits_of_the_edge_as_they_are(kind, variable):
    rows = [setting_row(field, variable) for field in fields(kind)]

    assert [row for row in rows if row not in EDGE] == []


def test_documents_the_scopes_of_every_group():
    document = (ROOT / "docs" / "tokens.md").read_text()
    groups = {group: scopes for group, scopes in GROUP_SCOPES.items() if group != SUPERUSER}

    rows = [f"| `{group}` | `{' '.join(sorted(scopes))}` |" for group, scopes in groups.items()]
    assert [row for row in rows if row not in document] == []


def test_lists_every_decision():
    document = (ROOT / "docs" / "architecture.md").read_text()

    assert [path.name for path in (ROOT / "docs" / "adr").glob("*.md") if path.name not in document] == []


def test_keeps_the_readme_short():
    assert len(README.splitlines()) <= 200
