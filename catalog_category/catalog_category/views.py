"""The tree over HTTP: who may ask, what is asked, and one call that answers it."""

from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog_category import operations, queries, serializers
from catalog_category.models import Category
from chassis.django import etags
from chassis.django.openapi import PAGE, documented
from chassis.django.pagination import paginate
from chassis.django.parameters import check_parameters, read_parameters
from chassis.django.parsers import MergePatchParser, StrictJSONParser
from chassis.django.views import PUBLIC_CACHE, PublicReads, ServicesOnly, sees_more
from chassis.problems import InsufficientScope

_DRAFTS: Final = "catalog:read"
_ORDER: Final = ("position", "public_id")


class Categories(PublicReads):
    required_scope = {"GET": _DRAFTS, "POST": "catalog:write"}

    @documented(
        "Categories as a flat list, or one by its path",
        {200: serializers.LIST_OR_ONE},
        403,
        404,
        operation_id="categories_list",
        description="With `ids` and no `limit` all of them are in one answer. `path` goes with nothing else.",
        parameters=[serializers.ListQuery, serializers.PathQuery, *PAGE, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        if "path" in request.query_params:
            path = read_parameters(request, serializers.PathQuery)["path"]
            return _detail(request, queries.lineage_by_path(path.split("/")))
        query = read_parameters(request, serializers.ListQuery, "limit", "cursor")
        found = _matching(_seen(request), request, query).select_related("parent")
        if "ids" in query and not {"limit", "cursor"} & request.query_params.keys():
            return _list(request, list(found.order_by(*_ORDER)), None)
        page = paginate(found, request, key=_ORDER)
        return _list(request, page.rows, page.next_cursor)

    @documented(
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

    @documented(
        "The tree, or what hangs below one category",
        {200: serializers.CategoryTreeOutput},
        404,
        operation_id="categories_tree",
        parameters=[serializers.TreeQuery, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        query = read_parameters(request, serializers.TreeQuery)
        root = _found(request, queries.lineage(query["root"])) if "root" in query else []
        nodes = queries.tree(root=root, depth=query["depth"], all_statuses=sees_more(request, _DRAFTS))
        return _answer(request, {"data": [serializers.node_output(node) for node in nodes]})


class CategoryDetail(PublicReads):
    required_scope = {"GET": _DRAFTS, "PATCH": "catalog:write", "DELETE": "catalog:write"}
    parser_classes = [MergePatchParser, StrictJSONParser]

    @documented(
        "One category with breadcrumb, children and siblings",
        {200: serializers.CategoryDetailOutput},
        404,
        operation_id="categories_get",
        parameters=[etags.IF_NONE_MATCH],
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        check_parameters(request, ())
        return _detail(request, queries.lineage(public_id))

    @documented(
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
    @transaction.atomic
    def patch(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        data = serializers.CategoryPatch(data=request.data)
        data.is_valid(raise_exception=True)
        return _written(
            operations.update_category(category_id=public_id, expected=expected, **data.validated_data)
        )

    @documented(
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

    @documented(
        "Everything below a category, itself not included",
        {200: serializers.DESCENDANTS},
        404,
        operation_id="categories_descendants",
        parameters=[serializers.DescendantsQuery, *PAGE, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        query = read_parameters(request, serializers.DescendantsQuery, "limit", "cursor")
        line = _found(request, queries.lineage(public_id))
        below = Category.objects.below(line[-1], all_statuses=sees_more(request, _DRAFTS))
        if query["ids_only"]:
            ids = [str(each) for each in below.order_by("public_id").values_list("public_id", flat=True)]
            return _answer(request, {"data": ids, "next_cursor": None})
        page = paginate(below.select_related("parent"), request, key=_ORDER)
        return _list(request, page.rows, page.next_cursor)


class MoveCategory(APIView):
    required_scope = "catalog:write"

    @documented(
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
    @transaction.atomic
    def post(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        data = serializers.MoveInput(data=request.data)
        data.is_valid(raise_exception=True)
        return _written(
            operations.move_category(category_id=public_id, expected=expected, **data.validated_data)
        )


class CategoryExists(ServicesOnly):
    """For services: whether a category exists. The edge does not route it."""

    required_scope = "catalog:exists"

    @extend_schema(exclude=True)
    def get(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        category = Category.objects.filter(public_id=public_id).first()
        if category is None:
            raise Http404
        found = {"id": category.public_id, "exists": True, "status": category.status}
        return Response(serializers.ExistsOutput(found).data)


def _seen(request: Request) -> Any:
    return Category.objects.all() if sees_more(request, _DRAFTS) else Category.objects.visible()


def _found(request: Request, line: list[Category]) -> list[Category]:
    if not line or not (sees_more(request, _DRAFTS) or queries.is_visible(line)):
        raise Http404
    return line


def _matching(categories: Any, request: Request, query: dict[str, Any]) -> Any:
    if "status" in query and not sees_more(request, _DRAFTS):
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


def _answer(request: Request, data: Any, version: int | None = None) -> HttpResponse:
    return etags.answer(request, data, version=version, cache_control=PUBLIC_CACHE)


def _detail(request: Request, line: list[Category]) -> HttpResponse:
    detail = queries.detail_of(_found(request, line), all_statuses=sees_more(request, _DRAFTS))
    return _answer(request, serializers.CategoryDetailOutput(detail).data, line[-1].version)


def _list(request: Request, categories: list[Category], next_cursor: str | None) -> HttpResponse:
    rows = queries.rows_of(categories)
    data = {"data": rows, "next_cursor": next_cursor}
    return _answer(request, serializers.CategoryList(data).data)


# Of a change, within its transaction: afterwards somebody else may have deleted it.
def _written(category: Category, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    row = queries.row_of(queries.lineage(category.public_id))
    tag = {"ETag": etags.etag(category.version)}
    return Response(serializers.CategoryOutput(row).data, status, headers=tag | (headers or {}))
