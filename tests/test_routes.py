"""The route table of the edge and the URLs of the services agree, both ways."""

from pathlib import Path

import pytest
import yaml

from gateway.routes import ROUTES, WEB, RouteTable

ROOT = Path(__file__).resolve().parents[1]
SPECIFICATIONS = {
    WEB: "gateway/openapi.yaml",
    "wallet": "wallet/openapi.yaml",
    "catalog_category": "catalog_category/openapi.yaml",
}
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


@pytest.mark.parametrize(("upstream", "method", "path"), OPERATIONS)
def test_routes_every_public_operation_to_its_owner_and_no_internal_one(upstream, method, path):
    route = route_of(path)

    if path.startswith("/internal/"):
        assert route is None
    else:
        assert (route.upstream, method in route.methods) == (upstream, True)


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if not route.exact], ids=lambda route: route.prefix
)
def test_has_no_route_without_an_operation(route):
    owned = [(method, path) for _, method, path in OPERATIONS if route_of(path) is route]

    assert {method for method, _ in owned} >= set(route.methods) - {"HEAD"}


@pytest.mark.parametrize(
    "path", ["/internal/token", "/metrics", "/admin/", "/admin/wallet/", "/__debug__/", "/x"]
)
def test_routes_nothing_that_is_not_listed(path):
    assert route_of(path) is None
