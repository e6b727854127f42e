"""What all pages have in common: one deadline, an answer to each kind of failure, and how they are kept."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from gateway import errors
from gateway.accounts.sessions import browser_session
from gateway.clients import calls
from gateway.storefront.shell import shell_of

View = Callable[..., HttpResponse]


def page(view: View) -> View:
    """A page that is read: its calls share one deadline, and header and footer are asked for at once."""

    @require_safe
    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with calls.deadline():
            try:
                shell_of(request).begin()
                return view(request, *args, **kwargs)
            except calls.Missing as exc:
                raise Http404 from exc
            except calls.Unanswered:
                return errors.unavailable(request)

    return shown


def catalogue(view: View) -> View:
    """A page that is the same for all who are not logged in: a browser keeps it and asks whether it holds."""

    @page
    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_vary_headers(response, ["HX-Request", "HX-Target", "Cookie"])
        if response.status_code != 200 or browser_session(request) is not None:
            return response
        response.headers["Cache-Control"] = "private, no-cache"
        etag = f'"{hashlib.blake2b(response.content, digest_size=16).hexdigest()}"'
        response.headers["ETag"] = etag
        return get_conditional_response(request, etag=etag, response=response) or response

    return shown


def show(
    request: HttpRequest, template: str, content: Any, *, parts: dict[str, str] | None = None
) -> HttpResponse:
    """The page, or that part of it (its id: its template) which htmx asks for."""
    part = (parts or {}).get(wanted_part(request))
    return render(request, part or template, {"page": content})


def wanted_part(request: HttpRequest) -> str:
    """The id of the element that htmx will replace, or empty for whoever wants the whole page."""
    # htmx 4 names the element as tag#id, htmx 2 did as id.
    if request.headers.get("HX-Request") != "true":
        return ""
    return request.headers.get("HX-Target", "").rpartition("#")[2]


def absolute(path: str) -> str:
    """A path of the shop as a whole URL."""
    return f"{settings.ORIGIN}{path}"
