"""The route table."""

import pytest

from gateway.accounts.roles import GROUP_SCOPES, SUPERUSER, scopes_for
from gateway.routes import ROUTES, Credential, Route, RouteTable


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        (b"/", "/"),
        (b"/api/v1/wallet", "/api/v1/wallet"),
        (b"/api/v1/wallet/", "/api/v1/wallet"),
        (b"/api/v1/wallet/transactions", "/api/v1/wallet"),
        (b"/api/v1/auth/login", "/api/v1/auth"),
        (b"/.well-known/jwks.json", "/.well-known"),
        (b"/api/v1/categories", "/api/v1/categories"),
        (b"/api/v1/categories/tree", "/api/v1/categories"),
        (b"/api/v1/products/1/media", "/api/v1/products"),
        (b"/api/v1/brands", "/api/v1/brands"),
        (b"/media/products/a/160.webp", "/media/products"),
        (b"/api/v1/options/1/values", "/api/v1/options"),
        (b"/api/v1/variants/summary", "/api/v1/variants"),
        (b"/api/v1/stock/adjustments", "/api/v1/stock"),
        (b"/api/v1/banners/1/go", "/api/v1/banners"),
        (b"/api/v1/placements", "/api/v1/placements"),
        (b"/media/banners/a/160.webp", "/media/banners"),
        (b"/c/", "/c"),
        (b"/c/shoes/boots/", "/c"),
        (b"/wallet/statement.csv", "/wallet"),
        (b"/account/password/reset/", "/account"),
        (b"/static/gateway/shop.css", "/static"),
        (b"/dev/mail/1", "/dev/mail"),
        (b"/admin/gateway/", "/admin/gateway"),
        (b"/admin/wallet/wallet/transfer/", "/admin/wallet"),
        (b"/admin/categories", "/admin/categories"),
        (b"/admin/products/static/admin/css/base.css", "/admin/products"),
        (b"/admin/variants/", "/admin/variants"),
        (b"/admin/banners/banner/", "/admin/banners"),
    ],
)
def test_finds(path: bytes, prefix: str) -> None:
    route = RouteTable().find(path)

    assert route is not None
    assert route.prefix == prefix


@pytest.mark.parametrize(
    "path",
    [
        *(b"/x", b"/api", b"/api/v1", b"/api/v1/wallets", b"/api/v1/wallet.json", b"/API/v1/wallet"),
        *(b"/api/v1/category", b"/api/v1/categories.json", b"/internal/categories/1"),
        *(b"/media", b"/media/", b"/media/wallet/1", b"/internal/products/1", b"/internal/listings/1"),
        *(b"/internal/token", b"/metrics", b"/admin", b"/admin/", b"/admin/orders/", b"/admin/wallets/"),
        *(b"/__debug__/", b"/wallets", b"/livez/x", b"/dev", b"/account.json", b"/search/x", b"/theme/"),
        b"/" + b"a" * 8000,
    ],
)
def test_knows_no_route_for(path: bytes) -> None:
    assert RouteTable().find(path) is None


def test_the_longest_prefix_wins() -> None:
    long = Route("/a/b", ("GET",), "web", Credential.NONE)
    table = RouteTable((Route("/a", ("GET",), "web", Credential.NONE), long))

    assert table.find(b"/a/b/c") is long


def test_refuses_the_same_prefix_twice() -> None:
    with pytest.raises(ValueError, match="share"):
        RouteTable((ROUTES[1], ROUTES[1]))


@pytest.mark.parametrize("credential", [Credential.BEARER, Credential.PUBLIC, Credential.STAFF])
def test_refuses_a_route_with_tokens_of_its_own_without_an_audience(credential: Credential) -> None:
    with pytest.raises(ValueError, match="audience"):
        RouteTable((Route("/a", ("GET",), "web", credential),))


def test_refuses_a_public_route_that_any_user_may_write_to() -> None:
    with pytest.raises(ValueError, match="write"):
        RouteTable((Route("/a", ("GET", "POST"), "web", Credential.PUBLIC, audience="web"),))


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.credential is Credential.PUBLIC],
    ids=lambda route: route.prefix,
)
def test_a_public_route_exchanges_every_token_that_means_something_to_its_service(route: Route) -> None:
    all_scopes = GROUP_SCOPES[SUPERUSER]

    assert route.read_scopes == scopes_for(route.audience, all_scopes)
    assert route.scopes <= route.read_scopes


def test_refuses_an_admin_for_everybody() -> None:
    with pytest.raises(ValueError, match="everybody"):
        RouteTable((Route("/admin/a", ("GET",), "wallet", Credential.STAFF, audience="wallet"),))


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.credential is Credential.STAFF],
    ids=lambda route: route.prefix,
)
def test_an_admin_asks_for_the_admin_scope_of_its_service_alone(route: Route) -> None:
    (scope,) = route.scopes

    assert route.upstream == route.audience
    assert scope.endswith(":admin")
    assert scope in scopes_for(route.audience, GROUP_SCOPES[SUPERUSER])
    assert set(route.methods) == {"GET", "HEAD", "POST"}


def test_refuses_a_prefix_that_ends_in_a_slash() -> None:
    with pytest.raises(ValueError, match="prefix"):
        RouteTable((Route("/a/", ("GET",), "web", Credential.NONE),))
