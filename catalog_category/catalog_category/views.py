"""The tree over HTTP: who may ask, what is asked, and one call that answers it."""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from catalog_category import operations, queries, serializers
from catalog_category.models import Category
from chassis.django import etags
from chassis.django.openapi import problems
from chassis.django.pagination import InvalidParameter, check_parameters, paginate
from chassis.django.parsers import StrictJSONParser
from chassis.django.permissions import InsufficientScope
from chassis.django.views import PublicReads
from chassis.tokens import Principal

_Method = TypeVar("_Method", bound=Callable[..., Any])
_CACHE: Final = "public, max-age=30, stale-while-revalidate=300"
_DRAFTS: Final = "catalog:read"
_ORDER: Final = ("position", "public_id")
_PAGE: Final = [
    OpenApiParameter("limit", int, description="Rows in a page, 1 to 100; 20 when absent."),
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
]


class MergePatchParser(StrictJSONParser):
    """RFC 7396 by its own name; application/json means the same here."""

    media_type = "application/merge-patch+json"


def _documented(
    summary: str, success: dict[Any, Any], *errors: int, **extra: Any
) -> Callable[[_Method], _Method]:
    return extend_schema(summary=summary, responses=success | problems(400, 401, *errors), **extra)


class Categories(PublicReads):
    required_scope = {"GET": _DRAFTS, "POST": "catalog:write"}

    @_documented(
        "Categories as a flat list, or one by its path",
        {200: serializers.LIST_OR_ONE},
        403,
        404,
        operation_id="categories_list",
        description="With `ids` and no `limit` all of them are in one answer. `path` goes with nothing else.",
        parameters=[serializers.ListQuery, serializers.PathQuery, *_PAGE, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        if "path" in request.query_params:
            path = _query(request, serializers.PathQuery)["path"]
            return _detail(request, queries.lineage_by_path(path.split("/")))
        query = _query(request, serializers.ListQuery, "limit", "cursor")
        found = _matching(_seen(request), request, query).select_related("parent")
        if "ids" in query and not {"limit", "cursor"} & request.query_params.keys():
            return _list(request, list(found.order_by(*_ORDER)), None)
        page = paginate(found, request, key=_ORDER)
        return _list(request, page.rows, page.next_cursor)

    @_documented(
        "Add a category",
        {201: serializers.CategoryOutput},
        403,
        409,
        415,
        422,
        operation_id="categories_create",
        request=serializers.CategoryInput,
    )
    def post(self, request: Request) -> Response:
        check_parameters(request, ())
        data = serializers.CategoryInput(data=request.data)
        data.is_valid(raise_exception=True)
        category = operations.create_category(**data.validated_data)
        location = f"/api/v1/categories/{category.public_id}"
        return _written(category, status=201, headers={"Location": location})


class CategoryTree(PublicReads):
    required_scope = {"GET": _DRAFTS}

    @_documented(
        "The tree, or what hangs below one category",
        {200: serializers.CategoryTreeOutput},
        404,
        operation_id="categories_tree",
        parameters=[serializers.TreeQuery, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        query = _query(request, serializers.TreeQuery)
        root = _found(request, queries.lineage(query["root"])) if "root" in query else []
        nodes = queries.tree(root=root, depth=query["depth"], all_statuses=_sees_drafts(request))
        return _answer(request, {"data": [serializers.node_output(node) for node in nodes]})


class CategoryDetail(PublicReads):
    required_scope = {"GET": _DRAFTS, "PATCH": "catalog:write", "DELETE": "catalog:write"}
    parser_classes = [MergePatchParser, StrictJSONParser]

    @_documented(
        "One category with breadcrumb, children and siblings",
        {200: serializers.CategoryDetailOutput},
        404,
        operation_id="categories_get",
        parameters=[etags.IF_NONE_MATCH],
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        check_parameters(request, ())
        return _detail(request, queries.lineage(public_id))

    @_documented(
        "Change name, slug, description or status",
        {200: serializers.CategoryOutput},
        403,
        404,
        409,
        412,
        415,
        428,
        operation_id="categories_update",
        request=serializers.CategoryPatch,
        parameters=[etags.IF_MATCH],
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        data = serializers.CategoryPatch(data=request.data)
        data.is_valid(raise_exception=True)
        return _written(
            operations.update_category(category_id=public_id, expected=expected, **data.validated_data)
        )

    @_documented(
        "Delete a category that nothing hangs below and no product is in",
        {204: None},
        403,
        404,
        409,
        412,
        428,
        503,
        operation_id="categories_delete",
        parameters=[etags.IF_MATCH],
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        operations.delete_category(category_id=public_id, expected=etags.expected(request))
        return Response(status=204)


class CategoryDescendants(PublicReads):
    required_scope = {"GET": _DRAFTS}

    @_documented(
        "Everything below a category, itself not included",
        {200: serializers.DESCENDANTS},
        404,
        operation_id="categories_descendants",
        parameters=[serializers.DescendantsQuery, *_PAGE, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        query = _query(request, serializers.DescendantsQuery, "limit", "cursor")
        line = _found(request, queries.lineage(public_id))
        below = Category.objects.below(line[-1], all_statuses=_sees_drafts(request))
        if query["ids_only"]:
            ids = [str(each) for each in below.order_by("public_id").values_list("public_id", flat=True)]
            return _answer(request, {"data": ids, "next_cursor": None})
        page = paginate(below.select_related("parent"), request, key=_ORDER)
        return _list(request, page.rows, page.next_cursor)


class MoveCategory(APIView):
    required_scope = "catalog:write"

    @_documented(
        "Hang a category below another one, or reorder it",
        {200: serializers.CategoryOutput},
        403,
        404,
        409,
        412,
        415,
        422,
        428,
        operation_id="categories_move",
        request=serializers.MoveInput,
        parameters=[etags.IF_MATCH],
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        data = serializers.MoveInput(data=request.data)
        data.is_valid(raise_exception=True)
        return _written(
            operations.move_category(category_id=public_id, expected=expected, **data.validated_data)
        )


class CategoryExists(APIView):
    """For services: whether a category exists. The edge does not route it."""

    required_scope = "catalog:exists"

    @extend_schema(exclude=True)
    def get(self, request: Request, public_id: UUID) -> Response:
        if not cast(Principal, request.auth).is_service:
            raise PermissionDenied
        check_parameters(request, ())
        category = Category.objects.filter(public_id=public_id).first()
        if category is None:
            raise Http404
        found = {"id": category.public_id, "exists": True, "status": category.status}
        return Response(serializers.ExistsOutput(found).data)


def _sees_drafts(request: Request) -> bool:
    return isinstance(request.auth, Principal) and request.auth.has_scope(_DRAFTS)


def _seen(request: Request) -> Any:
    return Category.objects.all() if _sees_drafts(request) else Category.objects.visible()


def _found(request: Request, line: list[Category]) -> list[Category]:
    if not line or not (_sees_drafts(request) or queries.is_visible(line)):
        raise Http404
    return line


def _matching(categories: Any, request: Request, query: dict[str, Any]) -> Any:
    if "status" in query and not _sees_drafts(request):
        raise InsufficientScope(_DRAFTS) if request.auth else NotAuthenticated
    wanted = Q()
    if "parent" in query:
        is_root = query["parent"] == serializers.ROOT
        wanted &= Q(parent__isnull=True) if is_root else Q(parent__public_id=query["parent"])
    if "ids" in query:
        wanted &= Q(public_id__in=query["ids"])
    if "q" in query:
        wanted &= Q(name__icontains=query["q"])
    if "status" in query:
        wanted &= Q(status=query["status"])
    return categories.filter(wanted)


def _query(request: Request, form: type[Serializer[Any]], *also: str) -> dict[str, Any]:
    # A plain dict: with a QueryDict an empty parameter would count as none at all.
    data = form(data=request.query_params.dict())
    check_parameters(request, {*data.fields, *also})
    if not data.is_valid():
        name, details = next(iter(data.errors.items()))
        raise InvalidParameter(name, str(details[0]))
    return cast(dict[str, Any], data.validated_data)


def _answer(request: Request, data: Any, version: int | None = None) -> HttpResponse:
    return etags.answer(request, data, version=version, cache_control=_CACHE)


def _detail(request: Request, line: list[Category]) -> HttpResponse:
    detail = queries.detail_of(_found(request, line), all_statuses=_sees_drafts(request))
    return _answer(request, serializers.CategoryDetailOutput(detail).data, line[-1].version)


def _list(request: Request, categories: list[Category], next_cursor: str | None) -> HttpResponse:
    rows = queries.rows_of(categories)
    data = {"data": rows, "next_cursor": next_cursor}
    return _answer(request, serializers.CategoryList(data).data)


def _written(category: Category, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    row = queries.row_of(queries.lineage(category.public_id))
    tag = {"ETag": etags.etag(category.version)}
    return Response(serializers.CategoryOutput(row).data, status, headers=tag | (headers or {}))
