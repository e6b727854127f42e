"""ETag, If-None-Match and If-Match of views: cheap repeats, and no lost update (chassis.preconditions)."""

from typing import Any, Final

from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from chassis import preconditions
from chassis.preconditions import ANY, Expected, etag, etag_of, is_known

__all__ = ["ANY", "IF_MATCH", "IF_NONE_MATCH", "Expected", "answer", "etag", "expected"]

IF_MATCH: Final = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The `ETag` of what is changed."
)
IF_NONE_MATCH: Final = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The `ETag` of what is already known: 304."
)


def expected(request: Request) -> Expected:
    """What If-Match expects. A weak tag never matches (RFC 9110 section 8.8.3.2), nor does a tag of a list.

    Raises: PreconditionRequired.
    """
    return preconditions.expected(request.headers.get("If-Match", ""))


def answer(
    request: Request, data: Any, *, version: int | None = None, cache_control: str = ""
) -> HttpResponse:
    """Data as JSON with its ETag, or 304 without a body when If-None-Match names it.

    version is that of the row when the data show one. cache_control goes to those who sent no token; the
    answer says that a token can change it.
    """
    body = JSONRenderer().render(data)
    tag = etag_of(body, version)
    known = is_known(request.headers.get("If-None-Match", ""), tag)
    response = HttpResponse(status=304) if known else HttpResponse(body)
    response.headers["Content-Type"] = "application/json"
    response.headers["ETag"] = tag
    if cache_control and request.auth is None:
        response.headers["Cache-Control"] = cache_control
    patch_vary_headers(response, ["Authorization"])
    return response
