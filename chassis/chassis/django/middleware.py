"""What happens around every request: its id, its log line, its metrics, its probes, its host."""

import logging
import re
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import patch_vary_headers
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

from chassis import health, logs
from chassis.django.authentication import get_verifier
from chassis.django.exceptions import problem_response
from chassis.ids import request_id

_API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
_ADMIN_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_access = logging.getLogger("access")
_requests = Counter("mercato_http_requests", "Requests answered.", ["method", "route", "status"])
_seconds = Histogram("mercato_http_request_seconds", "Time to answer a request.", ["method", "route"])

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PARAMETER: Final = re.compile(r"<[^>]+>")


class RequestContext:
    """The outermost middleware. Stops the process at start when there are no usable keys."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        get_verifier()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request.request_id = request_id(request.META.get("HTTP_X_REQUEST_ID"))  # type: ignore[attr-defined]
        logs.clear()
        logs.bind(request_id=request.request_id)  # type: ignore[attr-defined]
        probe = _PROBES.get(request.path)
        response = probe(request) if probe else self._answer(request)
        response.headers["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if not probe:
            _secure(request, response)
            _record(request, response, time.perf_counter() - started)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            request.get_host()
        except DisallowedHost:
            return problem_response(request, "malformed-request", "This host is not served here.")
        return self._get_response(request)


def _secure(request: HttpRequest, response: HttpResponseBase) -> None:
    is_admin = request.path.startswith("/admin/")
    response.headers.setdefault("Content-Security-Policy", _ADMIN_POLICY if is_admin else _API_POLICY)
    if response.status_code >= 400:
        response.headers.setdefault("Cache-Control", "no-store")
    elif request.META.get("HTTP_AUTHORIZATION"):
        # Whatever a view says of its public face: this answer may show more than others get to see.
        response.headers["Cache-Control"] = "no-store"
    elif "public" in response.headers.get("Cache-Control", ""):
        patch_vary_headers(response, ["Authorization"])


def _record(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    match = request.resolver_match
    route = f"/{_PARAMETER.sub('*', match.route)}" if match else "none"
    method = request.method if request.method in _METHODS else "other"
    _requests.labels(method, route, str(response.status_code)).inc()
    _seconds.labels(method, route).observe(seconds)
    _access.info(
        "Answered a request.",
        extra={
            "method": method,
            "path": request.path,
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 2),
        },
    )


def _livez(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


def _readyz(request: HttpRequest) -> HttpResponse:
    status, body = health.run({"database": _check_database, **getattr(settings, "READINESS_CHECKS", {})})
    return JsonResponse(body, status=status)


def _metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


_PROBES: Final = {"/livez": _livez, "/readyz": _readyz, "/metrics": _metrics}
