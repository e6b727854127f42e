"""What each group may do, and which part of it concerns which service."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

CUSTOMER: Final = "customer"
SUPERUSER: Final = "superuser"
STAFF: Final = "staff"

PASSWORD: Final = "pwd"  # noqa: S105 (a means, not a secret)
ONE_TIME_CODE: Final = "otp"
PASSKEY: Final = "hwk"
STRONG_FACTORS: Final = frozenset({ONE_TIME_CODE, PASSKEY})
"""The means of authentication in `amr` (RFC 8176) besides the password that show more than what one knows."""

_SCOPES: Final[dict[str, str]] = {
    CUSTOMER: "wallet:read wallet:write orders:read orders:write account:write",
    "catalogue-editor": "catalog:read catalog:write catalog:admin stock:read stock:write",
    "stock-keeper": "catalog:read stock:read stock:write stock:admin",
    "marketing": "banner:read banner:write banner:admin",
    "finance": "wallet:admin orders:read",
    "support": "orders:admin account:read",
}

GROUP_SCOPES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {group: frozenset(scopes.split()) for group, scopes in _SCOPES.items()}
    | {SUPERUSER: frozenset(" ".join(_SCOPES.values()).split()) | {"gateway:admin"}}
)
"""The groups there are, and the scopes each one gives."""

AUDIENCE_PREFIXES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "gateway": ("account:", "orders:", "gateway:"),
        "wallet": ("wallet:",),
        "catalog_category": ("catalog:",),
        "catalog_product": ("catalog:",),
        "catalog_variant": ("catalog:", "stock:"),
        "banner": ("banner:",),
    }
)
"""What a user's token can be addressed to, and the scopes that mean something there."""

ADMIN_SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "wallet": "wallet:admin",
        "catalog_category": "catalog:admin",
        "catalog_product": "catalog:admin",
        "catalog_variant": "stock:admin",
        "banner": "banner:admin",
    }
)
"""The scope that opens the admin of each service; each asks for it too."""


def scopes_of(groups: Iterable[str]) -> frozenset[str]:
    """The scopes that these groups give together; a group that is not in the table gives none."""
    return frozenset[str]().union(*(GROUP_SCOPES.get(group, frozenset()) for group in groups))


def granted_scopes(groups: Iterable[str], amr: Iterable[str]) -> frozenset[str]:
    """The scopes of these groups that a log-in by these means (amr, RFC 8176) gives.

    Whoever looks after the shop has shown a second factor or a passkey: without one no admin scope is given
    (NIST SP 800-63B AAL2).
    """
    scopes = scopes_of(groups)
    is_proved = not STRONG_FACTORS.isdisjoint(amr)
    return scopes if is_proved else frozenset(scope for scope in scopes if not scope.endswith(":admin"))


def roles_of(groups: Iterable[str]) -> tuple[str, ...]:
    """The roles claim: the group names, and `staff` for whoever is in any group but customer."""
    names = sorted(group for group in groups if group in GROUP_SCOPES)
    return (*names, STAFF) if set(names) - {CUSTOMER} else tuple(names)


def scopes_for(audience: str, scopes: Iterable[str]) -> frozenset[str]:
    """The part of the scopes that means something to one service of AUDIENCE_PREFIXES."""
    return frozenset(scope for scope in scopes if scope.startswith(AUDIENCE_PREFIXES[audience]))
