"""One place where everything that goes wrong becomes a problem document."""

import logging
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from chassis.django.fields import MAX_ERRORS
from chassis.problems import (
    MEDIA_TYPE,
    REFUSED_CHALLENGE,
    DomainError,
    FieldError,
    code_for_status,
    generic,
    problem,
)

_logger = logging.getLogger(__name__)
_DEADLOCK: Final = "40P01"
_MEANWHILE: Final = "Somebody else changed the same at the same moment. Nothing was changed; send it again."


def problem_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: a problem document for what was anticipated, None (a 500) for the rest."""
    request_id = getattr(context["request"]._request, "request_id", "")
    if isinstance(exc, DomainError):
        return _respond(exc.document(request_id), getattr(exc, "headers", {}))
    if isinstance(exc, Http404):
        exc = exceptions.NotFound()
    if isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied()
    if isinstance(exc, OperationalError) and getattr(exc.__cause__, "pgcode", None) == _DEADLOCK:
        return _respond(generic("conflict", _MEANWHILE, request_id=request_id), {"Retry-After": "1"})
    if isinstance(exc, OperationalError):
        _logger.error("The database did not answer.", exc_info=exc)
        return _respond(generic("unavailable", request_id=request_id), {"Retry-After": "1"})
    if isinstance(exc, exceptions.ValidationError):
        errors = list(islice(_field_errors(exc.get_full_details(), "#"), MAX_ERRORS))
        return _respond(problem(400, "invalid-input", request_id=request_id, errors=errors))
    if isinstance(exc, exceptions.AuthenticationFailed):
        return _respond(
            generic("invalid-token", request_id=request_id), {"WWW-Authenticate": REFUSED_CHALLENGE}
        )
    if isinstance(exc, exceptions.APIException):
        detail = (
            exc.detail if isinstance(exc, exceptions.ParseError | exceptions.UnsupportedMediaType) else ""
        )
        document = generic(code_for_status(exc.status_code), str(detail), request_id=request_id)
        return _respond(document, _headers(exc))
    return None


def problem_response(request: HttpRequest, code: str, detail: str = "", **extra: Any) -> JsonResponse:
    """A problem of the CATALOGUE as a Django response, for middleware and plain views."""
    document = generic(code, detail, request_id=getattr(request, "request_id", ""), **extra)
    return JsonResponse(document, status=document["status"], content_type=MEDIA_TYPE)


def handler400(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Answers what Django itself finds malformed."""
    return problem_response(request, "malformed-request")


def handler403(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> JsonResponse:
    """Answers a refusal outside DRF, a failed CSRF check included."""
    return problem_response(request, "forbidden")


def handler404(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """Answers a path that no view has."""
    return problem_response(request, "not-found")


def handler500(request: HttpRequest) -> JsonResponse:
    """Answers what nobody anticipated with no more than the request id; the rest is in the log."""
    return problem_response(request, "internal-error")


def _respond(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(document, document["status"], headers=headers or {}, content_type=MEDIA_TYPE)


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers: dict[str, str] = {}
    challenge = getattr(exc, "auth_header", None)
    wait = getattr(exc, "wait", None)
    if challenge:
        headers["WWW-Authenticate"] = challenge
    if wait:
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def _field_errors(details: Any, pointer: str) -> Iterator[FieldError]:
    # DRF nests what is wrong as the input is nested; a leaf is {"message": …, "code": …}.
    if _is_leaf(details):
        yield FieldError(pointer, details["code"].replace("_", "-"), str(details["message"]))
    elif isinstance(details, dict):
        for name, value in details.items():
            deeper = pointer if name == "non_field_errors" else f"{pointer}/{_escape(name)}"
            yield from _field_errors(value, deeper)
    else:
        for index, value in enumerate(details):
            yield from _field_errors(value, pointer if _is_leaf(value) else f"{pointer}/{index}")


def _is_leaf(details: Any) -> bool:
    return (
        isinstance(details, dict)
        and details.keys() == {"message", "code"}
        and isinstance(details["code"], str)
    )


def _escape(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")
