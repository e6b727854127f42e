"""What happens around every request: its id, its log line, its metrics, its probes, its host."""

import re
import time
from typing import Any, Final

from flask import Flask, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from chassis import health, logs, metrics, web
from chassis.flask.problems import problem_response
from chassis.ids import request_id
from chassis.problems import encode

_PARAMETER: Final = re.compile(r"<[^>]+>")


def init_app(app: Flask) -> None:
    """Put the context around every request of the application."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_leave)


def _begin() -> Response | None:
    g.started = time.perf_counter()
    g.request_id = request_id(request.headers.get("X-Request-ID"))
    logs.clear()
    logs.bind(request_id=g.request_id)
    probe = _PROBES.get(request.path)
    if probe:
        return probe()
    web.in_flight.inc()
    g.is_in_flight = True
    if not web.is_allowed_host(request.environ.get("HTTP_HOST", ""), current_app.config["ALLOWED_HOSTS"]):
        return problem_response("malformed-request", "This host is not served here.")
    return None


def _end(response: Response) -> Response:
    is_admin = request.path.startswith("/admin/")
    # A token opens the way to static files, and they are the same whoever asks.
    is_static = (request.endpoint or "").endswith("static")
    vary = web.secure(
        response.headers,
        status=response.status_code,
        is_admin=is_admin,
        has_bearer=bool(request.headers.get("Authorization")) and not is_static,
    )
    if is_admin and not is_static:
        response.headers["Cache-Control"] = "no-store"
    if vary:
        response.vary.add("Authorization")
    if response.status_code != 304 and response.is_sequence and not response.get_data():
        # Nothing is of no type.
        response.headers.pop("Content-Type", None)
    response.headers["X-Request-ID"] = g.request_id
    if request.path not in _PROBES:
        web.record(
            method=request.method,
            route=_PARAMETER.sub("*", request.url_rule.rule) if request.url_rule else "none",
            path=request.path,
            status=response.status_code,
            seconds=time.perf_counter() - g.started,
            sent=response.headers.get("Content-Length", ""),
        )
    return response


def _leave(_exc: BaseException | None) -> None:
    if g.pop("is_in_flight", False):
        web.in_flight.dec()


def _livez() -> Response:
    return _json({"status": "ok"})


def _readyz() -> Response:
    status, body = health.run(_CHECKS)
    return _json(body, status)


def _metrics() -> Response:
    health.run(_CHECKS)
    return Response(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _check_database() -> None:
    current_app.extensions["sqlalchemy"].session.execute(text("SELECT 1"))


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(encode(body), status, content_type="application/json")


_CHECKS: Final = {"database": _check_database}
_PROBES: Final = {"/livez": _livez, "/readyz": _readyz, "/metrics": _metrics}
