"""One place where everything that goes wrong becomes a problem document."""

import logging
from collections.abc import Iterator
from typing import Any, Final

from flask import Flask, Response, g
from marshmallow import ValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from werkzeug.exceptions import HTTPException

from chassis.problems import MEDIA_TYPE, DomainError, FieldError, code_for_status, encode, generic, problem

_logger = logging.getLogger(__name__)


class Coded(str):
    """A message of a field that also says by a code what is wrong, as problem documents do."""

    code: str

    def __new__(cls, code: str, text: str) -> "Coded":
        made = super().__new__(cls, text)
        made.code = code
        return made


def init_app(app: Flask) -> None:
    """Let everything that a request raises be answered here."""
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(ValidationError, _validation_error)
    app.register_error_handler(OperationalError, _database_away)
    app.register_error_handler(NoConnectionFree, _database_away)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(Exception, _unanticipated)


def problem_response(code: str, detail: str = "", headers: dict[str, str] | None = None) -> Response:
    """A problem of the CATALOGUE as a Flask response."""
    return _respond(generic(code, detail, request_id=_request_id()), headers)


def field_errors(messages: Any, pointer: str = "#") -> Iterator[FieldError]:
    """What marshmallow found wrong, nested as the input is, as errors with pointers."""
    if isinstance(messages, str):
        yield FieldError(pointer, getattr(messages, "code", "invalid"), str(messages))
    elif isinstance(messages, dict):
        for name, value in messages.items():
            yield from field_errors(value, pointer if name == "_schema" else f"{pointer}/{_escape(name)}")
    else:
        for value in messages:
            yield from field_errors(value, pointer)


def _domain_error(exc: DomainError) -> Response:
    return _respond(exc.document(_request_id()), getattr(exc, "headers", None))


def _validation_error(exc: ValidationError) -> Response:
    errors = list(field_errors(exc.messages))
    return _respond(problem(400, "invalid-input", request_id=_request_id(), errors=errors))


def _database_away(exc: Exception) -> Response:
    _logger.error("The database did not answer.", exc_info=exc)
    return problem_response("unavailable", headers={"Retry-After": "1"})


_TOLD: Final = ("Allow", "Retry-After")


def _http_exception(exc: HTTPException) -> Response | HTTPException:
    status = exc.code or 500
    if status < 400:
        return exc
    headers = {name: value for name, value in exc.get_headers() if name in _TOLD}
    detail = str(exc.description or "") if type(exc) in _EXPLAINED else ""
    return problem_response(code_for_status(status), detail, headers)


def _unanticipated(exc: Exception) -> Response:
    _logger.error("A request failed in a way that nobody anticipated.", exc_info=exc)
    return problem_response("internal-error")


class MalformedBody(HTTPException):
    """The body is not what its content type says."""

    code = 400
    description = "The body is not one well-formed JSON object."


class RepeatedField(HTTPException):
    """A form has a field twice, and nobody could say which of them is meant."""

    code = 400
    description = "The form has a field twice."


class UnsupportedBody(HTTPException):
    """The body has a content type that this endpoint does not take."""

    code = 415

    def __init__(self, media_type: str) -> None:
        super().__init__(f'Unsupported media type "{media_type}" in request.')


_EXPLAINED: Final = (MalformedBody, RepeatedField, UnsupportedBody)


def _respond(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(encode(document), document["status"], headers, content_type=MEDIA_TYPE)


def _request_id() -> str:
    return str(getattr(g, "request_id", ""))


def _escape(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")
