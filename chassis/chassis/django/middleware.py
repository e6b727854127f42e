"""What happens around every request: its id, its log line, its metrics, its probes, its host."""

import re
import threading
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.cache import patch_vary_headers
from prometheus_client import CONTENT_TYPE_LATEST

from chassis import health, logs, metrics, web
from chassis.django.authentication import get_verifier
from chassis.django.exceptions import problem_response
from chassis.ids import request_id

_PARAMETER: Final = re.compile(r"<[^>]+>")


class _Closer:
    """Closes a thread's database connection with its thread.

    The server ends threads that have nothing to do. Django's connection is in a cycle of references, so it
    would stay open until a full garbage collection, which may be long in coming.
    """

    def __init__(self) -> None:
        self._wrapper = connections[DEFAULT_DB_ALIAS]

    def __del__(self) -> None:
        if self._wrapper.connection is not None and not self._wrapper.in_atomic_block:
            self._wrapper.connection.close()


_of_this_thread = threading.local()


class RequestContext:
    """The outermost middleware. Stops the process at start when there are no usable keys."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response
        get_verifier()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        if not hasattr(_of_this_thread, "closer"):
            _of_this_thread.closer = _Closer()
        request.request_id = request_id(request.META.get("HTTP_X_REQUEST_ID"))  # type: ignore[attr-defined]
        logs.clear()
        logs.bind(request_id=request.request_id)  # type: ignore[attr-defined]
        probe = _PROBES.get(request.path)
        response = probe(request) if probe else self._answer(request)
        response.headers["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        _secure(request, response)
        if not probe:
            _record(request, response, time.perf_counter() - started)
        return response

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        try:
            request.get_host()
        except DisallowedHost:
            return problem_response(request, "malformed-request", "This host is not served here.")
        with web.in_flight.track_inprogress():
            return self._get_response(request)


def _secure(request: HttpRequest, response: HttpResponseBase) -> None:
    varies = web.secure(
        response.headers,
        status=response.status_code,
        is_admin=request.path.startswith("/admin/"),
        has_bearer=bool(request.META.get("HTTP_AUTHORIZATION")) and not _is_static(request.path),
    )
    if varies:
        patch_vary_headers(response, ["Authorization"])


def _is_static(path: str) -> bool:
    # A token opens the way to them, and they are the same whoever asks.
    prefix: str | None = settings.STATIC_URL
    return path.startswith(prefix) if prefix else False


def _record(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    match = request.resolver_match
    web.record(
        method=request.method or "",
        route=f"/{_PARAMETER.sub('*', match.route)}" if match else "none",
        path=request.path,
        status=response.status_code,
        seconds=seconds,
        sent=_length(response),
    )


def _length(response: HttpResponseBase) -> str:
    if isinstance(response, HttpResponse):
        return str(len(response.content))
    return response.headers.get("Content-Length", "")


def _livez(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


def _readyz(request: HttpRequest) -> HttpResponse:
    status, body = health.run(_checks())
    return JsonResponse(body, status=status)


def _metrics(request: HttpRequest) -> HttpResponse:
    health.run(_checks())
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _checks() -> dict[str, health.Check]:
    return {"database": _check_database, **getattr(settings, "READINESS_CHECKS", {})}


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


_PROBES: Final = {"/livez": _livez, "/readyz": _readyz, "/metrics": _metrics}
