"""The kind of answer that is a document: the same for everybody, and kept by whoever has read it."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from chassis.preconditions import etag_of, is_known

# What 304 says again (RFC 9110 section 15.4.5), and who may read it.
_NOT_MODIFIED: Final = ("Access-Control-Allow-Origin", "Cache-Control", "ETag", "Vary")


class AnyType(BaseContentNegotiation):
    """For documents of one representation: whatever type somebody asks for, they mean it."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def validated(request: HttpRequest, response: HttpResponse, cache_control: str) -> HttpResponse:
    """The response with its ETag, or 304 without a body when If-None-Match names it."""
    response.headers["ETag"] = etag = etag_of(response.content)
    response.headers["Cache-Control"] = cache_control
    # If-Match is for writes: Django would answer 412 to it, which is no problem document.
    if not is_known(request.headers.get("If-None-Match", ""), etag):
        return response
    kept = {name: value for name, value in response.items() if name in _NOT_MODIFIED}
    return HttpResponseNotModified(headers=kept)
