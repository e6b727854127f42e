"""What the web says when something goes wrong: a page to people, a problem document to programs."""

from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from chassis.django.exceptions import problem_response
from chassis.problems import code_for_status
from gateway.limits.operations import TooManyRequests

RETRY_SECONDS: Final = 10
"""What Retry-After says: as long as a breaker stays open (gateway.clients.breaker)."""

DATA: Final = ("/api/", "/internal/", "/.well-known/")
"""Below these programs ask, and there are no pages."""


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return respond(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return respond(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403, for a form without its token; the reason is in Django's log."""
    return respond(request, 403)


def step_up(request: HttpRequest) -> HttpResponse:
    """401: the log-in is too long ago for a write. It says how to confirm, and that nothing was saved."""
    response = respond(request, 401, code="step-up-required")
    response.headers["WWW-Authenticate"] = 'Cookie realm="mercato"'
    return response


def second_factor(request: HttpRequest) -> HttpResponse:
    """403: a second factor is what is missing."""
    return respond(request, 403, code="second-factor-required")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return respond(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, from a template that needs neither a service nor the database."""
    return respond(request, 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: what the page is about cannot be had right now."""
    return as_unavailable(respond(request, 503))


def too_many_requests(request: HttpRequest, refused: TooManyRequests) -> HttpResponse:
    """429, with the seconds after which it may be tried again."""
    response = respond(request, 429, retry_after=refused.retry_after)
    for name, value in refused.headers.items():
        response.headers[name] = value
    return response


def as_unavailable(response: HttpResponse) -> HttpResponse:
    """The same answer as a 503, which search engines do not take for the page."""
    response.status_code = 503
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def respond(request: HttpRequest, status: int, *, code: str = "", **context: Any) -> HttpResponse:
    """A page of errors/ to whoever asks for HTML outside the API, else a problem document; of a code, or of
    what the status usually means.
    """
    if request.path.startswith(DATA) or "text/html" not in request.headers.get("Accept", ""):
        return problem_response(request, code or code_for_status(status))
    shown = {
        "status": status,
        "title": HTTPStatus(status).phrase,
        "request_id": getattr(request, "request_id", ""),
    }
    page = render_to_string(
        f"errors/{code or status}.html", shown | context, None if status >= 500 else request
    )
    return HttpResponse(page, status=status)
