"""Who gets into the gateway's own admin, and where everybody else is led."""

import time
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Final
from urllib.parse import unquote

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from chassis.step_up import is_fresh
from gateway import errors
from gateway.accounts.roles import scopes_of
from gateway.accounts.sessions import browser_session

SCOPE: Final = "gateway:admin"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class GatewaySite(AdminSite):
    """Django's, by the gateway's session. There is no form for a password here."""

    site_header = "Mercato gateway"
    site_title = "Mercato gateway"
    index_title = "Users and sessions"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return may_administer(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        guarded: Callable[..., HttpResponseBase] = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may_administer(request):
                return self.login(request)
            if "\0" in unquote(request.META["QUERY_STRING"]):
                # A character that no text of the database has; filters would ask for it all the same.
                return errors.bad_request(request)
            if request.method not in _SAFE and not _is_fresh(request):
                return errors.step_up(request)
            return guarded(request, *args, **kwargs)

        return update_wrapper(inner, view)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the gateway's log-in, and back; whoever is logged in already is told to stay out, or what
        is missing.
        """
        if may_administer(request):
            return HttpResponseRedirect(reverse("admin:index"))
        session = browser_session(request)
        if session is not None and SCOPE in scopes_of(session.groups):
            if request.method not in _SAFE:
                return errors.second_factor(request)
            return HttpResponseRedirect(reverse("account_security"))
        if request.user.is_authenticated:
            return errors.forbidden(request)
        return redirect_to_login(request.get_full_path())

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return HttpResponseRedirect(reverse("account_logout"))

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        return HttpResponseRedirect(reverse("account_change_password"))

    def get_urls(self) -> list[Any]:
        """The admin's URLs without what only its own form for a password leads to."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "password_change_done"]


class Permitted:
    """Mixed into an admin class: whoever gets into the site may look at it, and change nothing."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_administer(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_administer(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def may_administer(request: HttpRequest) -> bool:
    """Whether a request is one of a member of staff who looks after the gateway."""
    session = browser_session(request)
    return session is not None and session.is_staff and SCOPE in session.scopes


def _is_fresh(request: HttpRequest) -> bool:
    session = browser_session(request)
    return session is not None and is_fresh(session.auth_time, now=time.time())
