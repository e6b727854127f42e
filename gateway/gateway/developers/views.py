"""Pages and documents for developers: the same for everybody, and made without anybody else's help."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from gateway.developers import document
from gateway.developers.problems import PROBLEMS, Problem
from gateway.documents import AnyType, validated
from gateway.storefront.shell import Shell

_EXAMPLE = "insufficient-funds"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around these pages: no categories, no log-in, so that nobody is asked."""

    theme: str
    path: str


def _document(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    # Whoever kept it asks whether it holds. It depends on the theme, which is a cookie.
    @require_safe
    @wraps(view)
    def shown(request: HttpRequest, **found: str) -> HttpResponse:
        response = view(request, **found)
        patch_vary_headers(response, ["Accept", "Cookie"])
        return validated(request, response, "public, no-cache")

    return shown


@require_safe
def with_slash(request: HttpRequest) -> HttpResponse:
    return HttpResponsePermanentRedirect(f"{request.path}/")


@_document
def quick_start(request: HttpRequest) -> HttpResponse:
    return _show(request, "developers/quick_start.html", example=PROBLEMS[_EXAMPLE])


@_document
def reference(request: HttpRequest) -> HttpResponse:
    return _show(request, "developers/reference.html", operations=document.operation_count())


@_document
def problems(request: HttpRequest) -> HttpResponse:
    if not _wants_html(request):
        return JsonResponse({"data": [_described(each) for each in PROBLEMS.values()]})
    return _show(request, "developers/problems.html", problems=PROBLEMS.values())


@_document
def problem(request: HttpRequest, code: str) -> HttpResponse:
    if code not in PROBLEMS:
        raise Http404
    if not _wants_html(request):
        return JsonResponse(_described(PROBLEMS[code]))
    return _show(request, "developers/problem.html", problem=PROBLEMS[code])


class Document(APIView):
    """Made from the documents of the services. Everything that it describes is reached at this origin."""

    authentication_classes = ()
    content_negotiation_class = AnyType
    public = True

    @extend_schema(
        operation_id="openapi",
        tags=["documents"],
        auth=[],
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT, "This document (OpenAPI 3.1).")},
    )
    def get(self, request: Request) -> HttpResponse:
        response = HttpResponse(document.content(), content_type="application/json")
        return validated(request._request, response, "public, max-age=300")


def _show(request: HttpRequest, template: str, **content: Any) -> HttpResponse:
    frame = Frame(Shell(request).theme, request.get_full_path())
    return render(request, template, {"shell": frame, "messages": (), "origin": settings.ORIGIN, **content})


def _wants_html(request: HttpRequest) -> bool:
    return request.get_preferred_type(["application/json", "text/html"]) == "text/html"


def _described(problem: Problem) -> dict[str, Any]:
    return {"type": problem.type, **asdict(problem)}
