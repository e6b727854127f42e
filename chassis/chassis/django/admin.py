"""Django admin by the forwarded token: no password, no session, no right beyond this request's claims."""

import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chassis.django.authentication import authenticate
from chassis.django.exceptions import problem_response
from chassis.problems import CHALLENGE, REFUSED_CHALLENGE
from chassis.step_up import STEP_UP_CHALLENGE, is_fresh
from chassis.tokens import InvalidToken, Principal

LOG_OUT: Final = "/account/logout/"
"""Where the gateway ends a session."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LONG: Final = 20
_DIGITS: Final = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0
    ),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


class JWTAdminMiddleware:
    """Lets a request below settings.ADMIN_PATH in by its bearer: role staff and settings.ADMIN_SCOPE;
    for what changes something also a log-in that is not long ago.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(settings.ADMIN_PATH):
            return self._get_response(request)
        try:
            principal = authenticate(request)
        except InvalidToken:
            return _challenge(request, "invalid-token", REFUSED_CHALLENGE)
        if principal is None:
            return _challenge(request, "authentication-required", CHALLENGE)
        if not principal.is_staff or not principal.has_scope(settings.ADMIN_SCOPE):
            return problem_response(request, "forbidden", f"This needs staff with {settings.ADMIN_SCOPE}.")
        if "\0" in unquote(request.META["QUERY_STRING"]):
            # A character that no text of the database has; filters would ask for it all the same.
            return problem_response(request, "malformed-request")
        if request.method not in _SAFE and not is_fresh(principal.auth_time, now=time.time()):
            return _challenge(request, "step-up-required", STEP_UP_CHALLENGE)
        request.user = _shadow(principal)
        response = self._get_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response


class ServiceAdminSite(AdminSite):
    """The admin of one service. Who gets this far is staff; there is no form to log in here."""

    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.index_title = settings.ADMIN_PATH.strip("/").rpartition("/")[2].capitalize()
        self.site_header = self.site_title = f"{self.index_title} · Mercato"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return problem_response(request, "forbidden")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Lead to the gateway, which holds the only session there is; it asks whether one means it."""
        return HttpResponseRedirect(LOG_OUT)

    def get_urls(self) -> list[Any]:
        """The admin's URLs without the forms for a password, for there is none."""
        return [
            url for url in super().get_urls() if not str(getattr(url, "name", "")).startswith("password_")
        ]


class NamedCookieStorage(CookieStorage):
    """Messages of the admin in a cookie named after the service, the only kind that passes the edge."""

    cookie_name = f"{settings.AUDIENCE}_messages"

    def _update_cookie(self, encoded_data: str, response: HttpResponseBase) -> None:
        # Django sets it for the whole site, where the edge lets no service set anything.
        super()._update_cookie(encoded_data, response)  # type: ignore[misc]
        if self.cookie_name in response.cookies:
            response.cookies[self.cookie_name]["path"] = settings.ADMIN_PATH


def shortened(value: object) -> SafeString:
    """The end of a long id, which tells it from others of the same day; all of it for who points at it."""
    text = str(value or "")
    shown = f"…{text[-8:]}" if len(text) > _LONG else text or "-"
    return format_html('<span title="{}">{}</span>', text, shown)


def amount(minor: int | None, currency: str) -> str:
    """An amount of minor units in the major ones of its currency (ISO 4217), such as 1,234.50 EUR."""
    if minor is None:
        return "-"
    digits = _DIGITS.get(currency, 2)
    whole, part = divmod(abs(minor), 10**digits)
    sign = "\N{MINUS SIGN}" if minor < 0 else ""
    return f"{sign}{whole:,}{f'.{part:0{digits}}' if digits else ''}\N{NO-BREAK SPACE}{currency}"


def _challenge(request: HttpRequest, code: str, challenge: str) -> HttpResponse:
    response = problem_response(request, code)
    response.headers["WWW-Authenticate"] = challenge
    return response


def _shadow(principal: Principal) -> User:
    # The row only gives the log something to point at. Its flags are never read: what a member of staff
    # may do is set here, in memory, from the claims of this request.
    user, _ = User.objects.get_or_create(username=principal.sub, defaults={"password": make_password(None)})
    user.is_active = user.is_staff = user.is_superuser = True
    # Services know no names; the page greets by what one is here for.
    user.first_name = ", ".join(sorted(set(principal.roles) - {"staff"}))
    return user
