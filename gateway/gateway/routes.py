"""The one route table: what the edge lets in, to whom it goes, and what it takes to get there."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

MEBIBYTE: Final = 1024 * 1024
WEB: Final = "web"

READ: Final = ("GET", "HEAD")

_READ_METHODS: Final = frozenset(method.encode() for method in READ)
_UPLOAD: Final = 8 * MEBIBYTE + 64 * 1024  # A picture of 8 MiB with the form around it.
_FORM: Final = 64 * 1024
_RENDERING: Final = 20.0  # Seconds. 25 million pixels take some on a busy machine.
_CATALOG_WRITE: Final = frozenset({"catalog:write"})
_CATALOG_READ: Final = frozenset({"catalog:read", "catalog:write", "catalog:admin"})
_BANNER_READ: Final = frozenset({"banner:read", "banner:write", "banner:admin"})
_STOCK: Final = frozenset({"stock:read", "stock:write", "stock:admin"})


class Credential(Enum):
    """What a route asks of a request."""

    NONE = "none"
    """No credential is read and none is forwarded."""

    BEARER = "bearer"
    """A valid access token; the service gets one that is minted for it alone."""

    PUBLIC = "public"
    """Anyone reads (GET, HEAD), everything else takes a bearer. A token that is bad is never let off."""

    PAGE = "page"
    """A page of the web: cookies pass, the web decides."""

    STAFF = "staff"
    """The admin of a service: the session cookie of somebody whose scopes the web finds sufficient. The
    service gets a token that is minted for it alone, and never the cookie. An Authorization is not read."""


@dataclass(frozen=True, slots=True)
class Route:
    """One prefix of paths. body_limit in bytes; read_seconds is the wait for each piece of the answer, and
    write_seconds when the request was none of READ.

    A prefix holds on segment borders (`/api/v1/wallet` is not `/api/v1/wallets`); an exact route is that
    path alone. scopes: any one of them suffices; a bearer route without scopes takes any user's token. On a
    public route they are those of the writes, and read_scopes those with which a user is shown more than
    everyone: a bearer without any of them reads as everyone does. On a staff route they are what the web
    asks for. may_leave_site: its redirects may lead to other origins. is_cached: what its answers call public
    is kept and given to all who ask without a credential.
    """

    prefix: str
    methods: tuple[str, ...]
    upstream: str
    credential: Credential
    audience: str = ""
    scopes: frozenset[str] = frozenset()
    read_scopes: frozenset[str] = frozenset()
    exact: bool = False
    may_leave_site: bool = False
    is_cached: bool = False
    body_limit: int = MEBIBYTE
    read_seconds: float = 5.0
    write_seconds: float = 5.0

    def seconds_for(self, method: bytes) -> float:
        """How long each piece of the answer to a method is waited for."""
        return self.read_seconds if method in _READ_METHODS else self.write_seconds

    @property
    def is_sandboxed(self) -> bool:
        """Whether answers are data, never documents: types by allow-list, no scripts, no cookies."""
        return self.is_media or self.prefix.startswith("/api/")

    @property
    def is_media(self) -> bool:
        """Whether answers are pictures."""
        return self.prefix.startswith("/media/")


def _catalog(prefix: str, service: str, read_scopes: frozenset[str] = _CATALOG_READ, **more: Any) -> Route:
    methods = (*READ, "POST", "PATCH", "DELETE")
    return Route(
        prefix,
        methods,
        service,
        Credential.PUBLIC,
        audience=service,
        scopes=_CATALOG_WRITE,
        read_scopes=read_scopes,
        is_cached=True,
        **more,
    )


def _file(prefix: str, upstream: str = WEB, **more: Any) -> Route:
    return Route(prefix, READ, upstream, Credential.NONE, is_cached=True, **more)


def _page(prefix: str, *methods: str, **more: Any) -> Route:
    return Route(prefix, methods or READ, WEB, Credential.PAGE, **more)


def _admin(name: str, service: str, scope: str, **more: Any) -> Route:
    return Route(
        f"/admin/{name}",
        (*READ, "POST"),
        service,
        Credential.STAFF,
        audience=service,
        scopes=frozenset({scope}),
        **more,
    )


ROUTES: Final = (
    _page("/", exact=True),
    _page("/c"),
    _page("/p"),
    _page("/search", exact=True),
    _page("/wallet"),
    _page("/theme", "POST", exact=True, body_limit=_FORM),
    _page("/status", exact=True),
    _page("/styleguide", exact=True),
    _file("/favicon.ico", exact=True),
    _file("/robots.txt", exact=True),
    _file("/static"),
    _page("/account", *READ, "POST", body_limit=_FORM),
    _page("/staff", exact=True),
    _page("/dev/mail"),
    _page("/developers"),
    _page("/problems"),
    _page("/admin/gateway", *READ, "POST"),
    _admin("wallet", "wallet", "wallet:admin"),
    _admin("categories", "catalog_category", "catalog:admin"),
    _admin("products", "catalog_product", "catalog:admin", body_limit=_UPLOAD, write_seconds=_RENDERING),
    _admin("variants", "catalog_variant", "stock:admin"),
    _admin("banners", "banner", "banner:admin"),
    Route("/.well-known", READ, WEB, Credential.NONE),
    _file("/api/openapi.json", exact=True),
    Route("/api/v1/auth", ("POST",), WEB, Credential.NONE, body_limit=16 * 1024),
    Route(
        "/api/v1/me",
        (*READ, "POST", "PATCH", "DELETE"),
        WEB,
        Credential.BEARER,
        audience="gateway",
        scopes=frozenset({"account:write"}),
        body_limit=16 * 1024,
    ),
    Route(
        "/api/v1/wallet",
        (*READ, "POST"),
        "wallet",
        Credential.BEARER,
        audience="wallet",
        scopes=frozenset({"wallet:read", "wallet:write", "wallet:admin"}),
    ),
    _catalog("/api/v1/categories", "catalog_category"),
    _catalog("/api/v1/products", "catalog_product", body_limit=_UPLOAD, write_seconds=_RENDERING),
    _catalog("/api/v1/brands", "catalog_product"),
    _file("/media/products", "catalog_product"),
    _catalog("/api/v1/options", "catalog_variant", read_scopes=_CATALOG_READ | _STOCK),
    _catalog("/api/v1/variants", "catalog_variant", read_scopes=_CATALOG_READ | _STOCK),
    Route(
        "/api/v1/stock",
        (*READ, "POST"),
        "catalog_variant",
        Credential.BEARER,
        audience="catalog_variant",
        scopes=_STOCK,
    ),
    Route(
        "/api/v1/banners",
        (*READ, "POST", "PUT", "PATCH", "DELETE"),
        "banner",
        Credential.PUBLIC,
        audience="banner",
        scopes=frozenset({"banner:write"}),
        read_scopes=_BANNER_READ,
        is_cached=True,
        may_leave_site=True,  # A click on a banner may lead to another shop's page.
        body_limit=_UPLOAD,
        write_seconds=_RENDERING,
    ),
    Route(
        "/api/v1/placements",
        READ,
        "banner",
        Credential.PUBLIC,
        audience="banner",
        read_scopes=_BANNER_READ,
        is_cached=True,
    ),
    _file("/media/banners", "banner"),
)


class RouteTable:
    """Finds the route of a path: the longest prefix wins, an unknown path has none."""

    def __init__(self, routes: tuple[Route, ...] = ROUTES) -> None:
        """Raises: ValueError when two routes share a prefix or one is not well formed."""
        for route in routes:
            _check(route)
        self._exact = {route.prefix.encode(): route for route in routes if route.exact}
        self._prefixes = {route.prefix.encode(): route for route in routes if not route.exact}
        if len(self._exact) + len(self._prefixes) != len(routes):
            raise ValueError("two routes share a prefix")
        self._longest = max((len(prefix) for prefix in self._prefixes), default=0)

    def find(self, path: bytes) -> Route | None:
        """The route of a canonical path, or None."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact
        # What follows the longest prefix is cut first, so that a long path costs no more than a short one.
        head = path[: self._longest + 1]
        end = len(path) if len(path) == len(head) else head.rfind(b"/")
        while end > 0:
            route = self._prefixes.get(head[:end])
            if route is not None:
                return route
            end = head.rfind(b"/", 0, end)
        return None


_ADDRESSED: Final = (Credential.BEARER, Credential.PUBLIC, Credential.STAFF)


def _check(route: Route) -> None:
    if not route.prefix.startswith("/") or (route.prefix.endswith("/") and not route.exact):
        raise ValueError(f"not a prefix: {route.prefix}")
    if route.credential in _ADDRESSED and not route.audience:
        raise ValueError(f"a route with tokens of its own, without an audience: {route.prefix}")
    if route.credential is Credential.STAFF and not route.scopes:
        raise ValueError(f"an admin for everybody: {route.prefix}")
    if route.credential is Credential.PUBLIC and not route.scopes and set(route.methods) - set(READ):
        raise ValueError(f"a public route that any user may write to: {route.prefix}")
