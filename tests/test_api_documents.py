"""What the documents for developers say is what the code does: problems, operations, and the quick start."""

import ast
import html
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from chassis.problems import CATALOGUE
from gateway.developers.document import FILE
from gateway.developers.merging import METHODS, SERVICES
from gateway.developers.problems import EDGE, PROBLEMS
from gateway.routes import ROUTES, RouteTable

ROOT = Path(__file__).resolve().parents[1]
ROOT_ERROR = "DomainError"
API = ("/api/", "/.well-known")


def domain_errors(package):
    """The exceptions of a package that become problem documents: code and status by name of class."""
    classes = {}
    for path in sorted((ROOT / package / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                own = {
                    target.id: ast.literal_eval(statement.value)
                    for statement in node.body
                    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
                    for target in statement.targets
                    if isinstance(target, ast.Name) and target.id in {"code", "status"}
                }
                classes[node.name] = ([base.id for base in node.bases if isinstance(base, ast.Name)], own)
    return classes


CHASSIS = domain_errors("chassis")


def resolved(name, classes):
    """The code and status of an exception with what it inherits, None for any other class."""
    if name == ROOT_ERROR:
        return {"code": "conflict", "status": 409}
    bases, own = classes.get(name, ([], {}))
    inherited = next(filter(None, (resolved(base, classes) for base in bases)), None)
    return inherited | own if inherited else None


def codes_of(package):
    classes = domain_errors(package)
    found = (resolved(name, CHASSIS | classes) for name in classes)
    return {(error["code"], error["status"]) for error in found if error}


RAISED = {package: codes_of(package) for package in ("chassis", *SERVICES)}
OPERATIONS = {
    (method.upper(), path)
    for path, item in json.loads(FILE.read_text())["paths"].items()
    for method in METHODS
    if method in item
}


def test_finds_the_problems_that_are_raised():
    assert ("insufficient-funds", 409) in RAISED["wallet"]
    assert ("unusable-image", 400) in RAISED["chassis"]
    assert all(RAISED.values())


def test_explains_every_problem_and_no_other():
    raised = {code for found in RAISED.values() for code, _ in found}

    assert set(PROBLEMS) == raised | set(CATALOGUE)


def test_names_every_status_of_a_problem():
    generic = {(code, status) for code, (status, _) in CATALOGUE.items()}
    known = {(code, status) for problem in PROBLEMS.values() for code, status in pairs(problem)}

    assert known == generic.union(*RAISED.values())


def pairs(problem):
    return [(problem.code, status) for status in problem.statuses]


@pytest.mark.parametrize("service", SERVICES)
def test_names_every_service_that_raises_a_problem_of_its_own(service):
    raised = {code for code, _ in RAISED[service]}
    named = {problem.code for problem in PROBLEMS.values() if service in problem.services}
    of_the_chassis = {code for code, _ in RAISED["chassis"]} | set(CATALOGUE)

    assert raised <= named
    assert named - of_the_chassis == raised - of_the_chassis


def test_calls_generic_problems_what_they_call_themselves():
    assert {code: PROBLEMS[code].title for code in CATALOGUE} == {
        code: title for code, (_, title) in CATALOGUE.items()
    }


def test_names_the_edge_where_it_refuses_by_itself():
    # Whatever the edge says is generic, and its code stands there in so many words.
    text = "\n".join(path.read_text() for path in (ROOT / "gateway/gateway/edge").glob("*.py"))
    said = {code for code in CATALOGUE if f'"{code}"' in text}

    assert said == {code for code in CATALOGUE if EDGE in PROBLEMS[code].services}


def test_sorts_problems_by_their_status():
    statuses = [problem.statuses for problem in PROBLEMS.values()]

    assert statuses == sorted(statuses)


def test_describes_every_public_operation_and_no_other():
    documents = {name: yaml.safe_load((ROOT / name / "openapi.yaml").read_text()) for name in SERVICES}
    public = {
        (method.upper(), path)
        for each in documents.values()
        for path, item in each["paths"].items()
        for method in METHODS
        if method in item and not path.startswith("/internal/")
    }

    assert public == OPERATIONS


def test_describes_only_what_the_edge_routes():
    table = RouteTable()
    routes = {(method, path): table.find(re.sub(r"[{}]", "", path).encode()) for method, path in OPERATIONS}

    assert [key for key, route in routes.items() if route is None or key[0] not in route.methods] == []


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.prefix.startswith(API)], ids=lambda route: route.prefix
)
def test_describes_every_route_of_the_api(route):
    table = RouteTable()
    described = {
        method for method, path in OPERATIONS if table.find(re.sub(r"[{}]", "", path).encode()) is route
    }

    assert described == set(route.methods) - {"HEAD"}


def snippet(system, language):
    page = system.request("GET", "/developers/", headers={"Accept": "text/html"}).text
    return html.unescape(re.search(rf'<code id="{language}-code">(.*?)</code>', page, re.DOTALL)[1])


@pytest.mark.parametrize(
    ("language", "interpreter"), [("curl", ["bash", "-eu"]), ("python", [sys.executable, "-"])]
)
def test_shows_first_requests_that_work(system, language, interpreter):
    login = system.logins["shopper"]

    done = subprocess.run(
        interpreter,
        input=snippet(system, language),
        env=system.env | {"EMAIL": login["email"], "PASSWORD": login["password"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "EUR" in done.stdout
    assert "Tideline Hoodie" in done.stdout


def test_leads_from_a_problem_to_its_page(system):
    problem = system.request("GET", "/api/v1/wallet").json()

    page = system.request("GET", problem["type"], headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert problem["title"] in page.text
