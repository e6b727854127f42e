"""The five services as a client meets them: where each listens and what it asks a scope for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """A service; `read` needs the scope `reads`, `write` is a POST that needs the scope `writes`."""

    audience: str
    process: str
    read: str
    reads: str
    write: str
    writes: str
    staff: str  # A persona whose log-in may read that.
    is_public: bool = True  # Whether `read` without its query is for everybody.

    @property
    def path(self) -> str:
        """The path of `read`, without its query."""
        return self.read.partition("?")[0]


SERVICES = (
    Service(
        audience="wallet",
        process="wallet",
        read="/api/v1/wallet",
        reads="wallet:read",
        write="/api/v1/wallet/adjustments",
        writes="wallet:admin",
        staff="shopper",
        is_public=False,
    ),
    Service(
        audience="catalog_category",
        process="category",
        read="/api/v1/categories?status=draft",
        reads="catalog:read",
        write="/api/v1/categories",
        writes="catalog:write",
        staff="catalogue-editor",
    ),
    Service(
        audience="catalog_product",
        process="product",
        read="/api/v1/products?status=draft",
        reads="catalog:read",
        write="/api/v1/products",
        writes="catalog:write",
        staff="catalogue-editor",
    ),
    Service(
        audience="catalog_variant",
        process="variant",
        read="/api/v1/variants?status=draft",
        reads="catalog:read",
        write="/api/v1/variants",
        writes="catalog:write",
        staff="catalogue-editor",
    ),
    Service(
        audience="banner",
        process="banner",
        read="/api/v1/banners?state=draft",
        reads="banner:read",
        write="/api/v1/banners",
        writes="banner:write",
        staff="marketing",
    ),
)
