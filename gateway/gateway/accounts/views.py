"""The page about one's own account."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gateway.accounts.sessions import BrowserSession, browser_session

_WORDS: Final = {
    "customer": "Customer",
    "catalogue-editor": "Edits categories and products",
    "stock-keeper": "Keeps prices and stock",
    "marketing": "Makes banners",
    "finance": "Looks after wallets",
    "support": "Helps customers",
    "superuser": "May do everything",
}


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Who somebody is, in words."""

    email: str
    member_since: datetime
    groups: tuple[str, ...]
    is_staff: bool
    has_wallet: bool
    has_gateway_admin: bool


@login_required
def account(request: HttpRequest) -> HttpResponse:
    session = browser_session(request)
    assert session is not None  # noqa: S101  login_required has seen to that.
    return render(request, "account/index.html", {"page": _page(session)})


def _page(session: BrowserSession) -> AccountPage:
    return AccountPage(
        email=session.user.email,
        member_since=session.user.created_at,
        groups=tuple(_WORDS.get(group, group) for group in session.groups),
        is_staff=session.is_staff,
        has_wallet="wallet:read" in session.scopes,
        has_gateway_admin="gateway:admin" in session.scopes,
    )
