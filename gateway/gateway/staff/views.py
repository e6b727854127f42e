"""The staff's pages."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from gateway.accounts.roles import scopes_of
from gateway.accounts.sessions import browser_session
from gateway.staff.queries import staff_page
from gateway.storefront.pages import page, show
from gateway.tokens.browser import token_for


@page
@login_required
def home(request: HttpRequest) -> HttpResponse:
    session = browser_session(request)
    if session is None or not session.is_staff:
        raise PermissionDenied
    closed = scopes_of(session.groups) - session.scopes
    content = staff_page(session.scopes, lambda audience: token_for(session, audience).token, closed)
    return show(request, "staff/home.html", content)
