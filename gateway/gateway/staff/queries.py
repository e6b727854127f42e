"""The staff home: a tile for each admin that one's scopes open, with figures from the live services."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q

from gateway.accounts.models import User
from gateway.accounts.roles import ADMIN_SCOPES
from gateway.clients import banners, calls, categories, health, products, variants, wallets
from gateway.clients.health import Health

GATEWAY_SCOPE: Final = "gateway:admin"

Counts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StaffTile:
    """One admin: where it is, how its service is, and what is worth knowing there."""

    name: str
    url: str
    health: Health
    counts: Counts
    is_down: bool


@dataclass(frozen=True, slots=True)
class StaffPage:
    """All tiles of one member of staff; lacks_factor says whether a second factor would open more."""

    tiles: tuple[StaffTile, ...]
    lacks_factor: bool


@dataclass(frozen=True, slots=True)
class _Desk:
    name: str
    url: str
    counts: Callable[[str], Counts]


def staff_page(
    scopes: Iterable[str], token_for: Callable[[str], str], closed: Iterable[str] = ()
) -> StaffPage:
    """The tiles of these scopes; token_for gives a token for a service. Each tile degrades alone.

    closed are the scopes that only a second factor gives.
    """
    mine = [code for code in _DESKS if ADMIN_SCOPES[code] in set(scopes)]
    tokens = {code: token_for(code) for code in mine}
    states = {code: calls.begin(health.check, code) for code in mine}
    figures = {code: calls.begin(_DESKS[code].counts, tokens[code]) for code in mine}
    tiles = tuple(_tile(code, states[code], figures[code]) for code in mine)
    own = (_own_tile(),) if GATEWAY_SCOPE in set(scopes) else ()
    return StaffPage((*own, *tiles), lacks_factor=bool(set(closed)))


def _tile(code: str, state: calls.Answer[Health], figures: calls.Answer[Counts]) -> StaffTile:
    desk = _DESKS[code]
    found = state.or_else(Health(code, desk.name, False, 0, "No answer in time"))
    counts = figures.or_else(())
    return StaffTile(desk.name, desk.url, found, counts, is_down=not found.is_up)


def _own_tile() -> StaffTile:
    users = User.objects.aggregate(all=Count("pk"), inactive=Count("pk", filter=Q(is_active=False)))
    counts = (("Users", str(users["all"])), ("Inactive", str(users["inactive"])))
    state = health.check_database()
    return StaffTile("Accounts", "/admin/gateway/", state, counts, is_down=not state.is_up)


def _wallet_counts(token: str) -> Counts:
    return (("Ledger", "Adds up" if wallets.is_balanced(token) else "Does not add up"),)


def _category_counts(token: str) -> Counts:
    return (("Published", str(sum(1 for _ in categories.walk(categories.tree())))),)


def _product_counts(token: str) -> Counts:
    drafts = products.drafts(token)
    return (("Drafts", _number(len(drafts.rows), bool(drafts.next_cursor))),)


def _variant_counts(token: str) -> Counts:
    return (("Low in stock", _number(*variants.low_stock(token))),)


def _banner_counts(token: str) -> Counts:
    live, scheduled = (banners.count(token, state) for state in ("live", "scheduled"))
    return (("Live", _number(*live)), ("Scheduled", _number(*scheduled)))


def _number(count: int, has_more: bool) -> str:
    return f"{count} or more" if has_more else str(count)


_DESKS: Final = {
    "wallet": _Desk("Wallet", "/admin/wallet/", _wallet_counts),
    "catalog_category": _Desk("Categories", "/admin/categories/", _category_counts),
    "catalog_product": _Desk("Products", "/admin/products/", _product_counts),
    "catalog_variant": _Desk("Variants", "/admin/variants/", _variant_counts),
    "banner": _Desk("Banners", "/admin/banners/", _banner_counts),
}
