"""The route table of the edge and the URLs of the services agree, both ways."""

import re
from pathlib import Path

import pytest
import yaml
from access import PROBES, urls_with_what_they_ask

from gateway.routes import ROUTES, WEB, Credential, RouteTable
from mercato import topology

ROOT = Path(__file__).resolve().parents[1]
SPECIFICATIONS = {
    WEB if service is topology.GATEWAY else service.name: f"{service.name}/openapi.yaml"
    for service in topology.SERVICES
}
INTERNAL = {service.name: set() for service in topology.SERVICES} | {
    "gateway": {"/internal/token"},
    "catalog_category": {"/internal/categories/{public_id}"},
    "catalog_product": {"/internal/products/{public_id}", "/internal/categories/{category_id}/use"},
}
"""What services ask each other; the edge routes none of it."""

SERVED_FROM_FILES = "/static"
METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = [
    (upstream, method.upper(), path)
    for upstream, specification in SPECIFICATIONS.items()
    for path, item in yaml.safe_load((ROOT / specification).read_text())["paths"].items()
    for method in METHODS
    if method in item
]


def route_of(path):
    return RouteTable().find(path.replace("{", "").replace("}", "").encode())


def urls_of(service):
    """What the service's own resolver knows, beside its probes. All of a Django admin stands as one path."""
    return [(path, list(asked)) for path, asked in urls_with_what_they_ask(service) if path not in PROBES]


@pytest.mark.parametrize("service", INTERNAL)
def test_routes_every_url_of_a_service_or_knows_it_as_internal(service):
    urls = urls_of(service)
    internal = {path for path, _ in urls if path.startswith("/internal/")}

    stray = [
        (path, methods)
        for path, methods in urls
        if path not in internal and not is_routed(service, path, methods)
    ]
    assert stray == []
    assert internal == INTERNAL[service]
    assert [path for path in internal if route_of(path)] == []


@pytest.mark.parametrize("service", INTERNAL)
def test_documents_every_url_of_a_service_that_is_routed_to_the_api(service):
    specification = yaml.safe_load((ROOT / service / "openapi.yaml").read_text())["paths"]
    documented = {
        (shape(path), method) for path, item in specification.items() for method in METHODS if method in item
    }

    undocumented = {
        (shape(path), method.lower())
        for path, methods in urls_of(service)
        if path.startswith("/api/")
        for method in methods
    } - documented
    assert undocumented == set()


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.is_media], ids=lambda route: route.prefix
)
def test_has_no_route_to_pictures_without_a_url(route):
    urls = urls_of(route.upstream)

    assert [path for path, methods in urls if path.startswith(f"{route.prefix}/") and methods == ["GET"]]


@pytest.mark.parametrize(
    "route",
    [
        route
        for route in ROUTES
        if route.credential in {Credential.PAGE, Credential.STAFF} and route.prefix != SERVED_FROM_FILES
    ],
    ids=lambda route: route.prefix,
)
def test_has_no_route_to_pages_without_a_url(route):
    urls = urls_of("gateway" if route.upstream == WEB else route.upstream)

    answered = {method for path, methods in urls if route_of(path) is route for method in methods}
    assert answered >= set(route.methods) - {"HEAD"}


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.credential is Credential.STAFF],
    ids=lambda route: route.prefix,
)
def test_an_admin_asks_for_what_its_service_asks_for(route):
    settings = (ROOT / route.upstream / route.upstream / "settings.py").read_text()

    assert re.search(r'^ADMIN_PATH = "(.+)"$', settings, re.MULTILINE)[1] == f"{route.prefix}/"
    assert {re.search(r'^ADMIN_SCOPE = "(.+)"$', settings, re.MULTILINE)[1]} == route.scopes


def is_routed(service, path, methods):
    route = route_of(path)
    upstream = WEB if service == "gateway" else service
    return route is not None and route.upstream == upstream and set(methods) <= set(route.methods)


def shape(path):
    return re.sub(r"\{[^}]*\}", "{}", path)


@pytest.mark.parametrize(("upstream", "method", "path"), OPERATIONS)
def test_routes_every_public_operation_to_its_owner_and_no_internal_one(upstream, method, path):
    route = route_of(path)

    if path.startswith("/internal/"):
        assert route is None
    else:
        assert (route.upstream, method in route.methods) == (upstream, True)


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.prefix.startswith(("/api/", "/.well-known"))],
    ids=lambda route: route.prefix,
)
def test_has_no_route_without_an_operation(route):
    owned = [(method, path) for _, method, path in OPERATIONS if route_of(path) is route]

    assert {method for method, _ in owned} >= set(route.methods) - {"HEAD"}


@pytest.mark.parametrize(
    "path", ["/internal/token", "/metrics", "/admin", "/admin/", "/admin/orders/", "/__debug__/", "/x"]
)
def test_routes_nothing_that_is_not_listed(path):
    assert route_of(path) is None
