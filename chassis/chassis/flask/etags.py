"""Answers with an ETag, and writes that ask for one: chassis.preconditions for Flask."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from flask import Response, request

from chassis import preconditions
from chassis.flask.access import principal
from chassis.preconditions import Expected
from chassis.problems import encode

_View = TypeVar("_View", bound=Callable[..., Any])

IF_MATCH: Final = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "schema": {"type": "string"},
    "description": "The `ETag` of what is changed.",
}
IF_NONE_MATCH: Final = {
    "in": "header",
    "name": "If-None-Match",
    "schema": {"type": "string"},
    "description": "The `ETag` of what is already known: 304.",
}


def expected() -> Expected:
    """What the request's If-Match expects.

    Raises: PreconditionRequired.
    """
    return preconditions.expected(request.headers.get("If-Match", ""))


def needs_if_match(view: _View) -> _View:
    """Lets a view run only with If-Match, which it gets as `expected`; before its body is looked at.

    Raises: PreconditionRequired.
    """

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        return view(*args, expected=expected(), **kwargs)

    return checked  # type: ignore[return-value]  # It takes what the view takes but for `expected`.


def answer(data: Any, *, version: int | None = None, cache_control: str = "") -> Response:
    """Data as JSON with its ETag, or 304 without a body when If-None-Match names it.

    version is that of the row when the data show one. cache_control goes to those who sent no token; the
    answer says that a token can change it.
    """
    body = encode(data)
    tag = preconditions.etag_of(body, version)
    known = preconditions.is_known(request.headers.get("If-None-Match", ""), tag)
    response = Response(b"" if known else body, 304 if known else 200, content_type="application/json")
    response.headers["ETag"] = tag
    if cache_control and principal() is None:
        response.headers["Cache-Control"] = cache_control
    response.vary.add("Authorization")
    return response


def written(data: Any, *, version: int, status: int = 200, location: str = "") -> Response:
    """The answer to a write: the resource as it is now, with its ETag and, when new, its place."""
    response = Response(encode(data), status, content_type="application/json")
    response.headers["ETag"] = preconditions.etag(version)
    if location:
        response.headers["Location"] = location
        response.autocorrect_location_header = False
    return response
