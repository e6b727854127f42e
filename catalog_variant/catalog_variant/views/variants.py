"""Variants. Everybody reads the published ones, whoever writes the catalogue writes them."""

from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from catalog_variant import operations, queries, serializers
from catalog_variant.models import Variant, VariantQuerySet
from chassis.django import etags
from chassis.django.openapi import PAGE, documented
from chassis.django.pagination import paginate
from chassis.django.parameters import check_parameters, read_parameters
from chassis.django.parsers import MergePatchParser, StrictJSONParser
from chassis.django.views import PUBLIC_CACHE, PublicReads, sees_more
from chassis.problems import InsufficientScope

_DRAFTS: Final = "catalog:read"
_STOCK: Final = "stock:read"
_ORDER: Final = ("product", "position", "public_id")


class Variants(PublicReads):
    required_scope = {"GET": _DRAFTS, "POST": "catalog:write"}

    @documented(
        "Variants by product, by id or by SKU",
        {200: serializers.VariantList},
        403,
        operation_id="variants_list",
        description="With `ids` and no `limit` all of them are in one answer.",
        parameters=[serializers.ListQuery, *PAGE, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        query = read_parameters(request, serializers.ListQuery, "limit", "cursor")
        found = _matching(request, query)
        if "ids" in query and not {"limit", "cursor"} & request.query_params.keys():
            rows, cursor = list(found.order_by(*_ORDER)), None
        else:
            page = paginate(found, request, key=_ORDER)
            rows, cursor = page.rows, page.next_cursor
        return _answer(request, {"data": _rows(request, rows), "next_cursor": cursor})

    @documented(
        "Add a variant to a product",
        {201: serializers.VariantOutput},
        403,
        409,
        413,
        415,
        422,
        503,
        operation_id="variants_create",
        request=serializers.VariantInput,
    )
    def post(self, request: Request) -> Response:
        check_parameters(request, ())
        data = serializers.VariantInput(data=request.data)
        data.is_valid(raise_exception=True)
        row = operations.create_variant(**data.validated_data)
        return _written(request, row, 201, {"Location": f"/api/v1/variants/{row.variant.public_id}"})


class VariantDetail(PublicReads):
    required_scope = {"GET": _DRAFTS, "PATCH": "catalog:write", "DELETE": "catalog:write"}
    parser_classes = [MergePatchParser, StrictJSONParser]

    @documented(
        "One variant",
        {200: serializers.VariantOutput},
        404,
        operation_id="variants_get",
        parameters=[etags.IF_NONE_MATCH],
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        check_parameters(request, ())
        variant = _seen(request).filter(public_id=public_id).first()
        if variant is None:
            raise Http404
        return _answer(request, _rows(request, [variant])[0], variant.version)

    @documented(
        "Change a variant",
        {200: serializers.VariantOutput},
        403,
        404,
        409,
        412,
        413,
        415,
        422,
        428,
        operation_id="variants_update",
        request=serializers.VariantPatch,
        parameters=[etags.IF_MATCH],
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        data = serializers.VariantPatch(data=request.data)
        data.is_valid(raise_exception=True)
        row = operations.update_variant(variant_id=public_id, expected=expected, **data.validated_data)
        return _written(request, row)

    @documented(
        "Delete a variant, or archive it when its stock has ever moved",
        {204: None},
        403,
        404,
        412,
        428,
        operation_id="variants_delete",
        parameters=[etags.IF_MATCH],
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        operations.delete_variant(variant_id=public_id, expected=etags.expected(request))
        return Response(status=204)


class VariantSummaries(PublicReads):
    required_scope = {"GET": _DRAFTS}

    @documented(
        "What a list of products shows of their variants: prices, options, whether any is in stock",
        {200: serializers.SummaryList},
        operation_id="variants_summary",
        description="Of the published variants; a product without one is left out.",
        parameters=[serializers.SummaryQuery, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        products = read_parameters(request, serializers.SummaryQuery)["product"]
        return _answer(
            request, {"data": [serializers.summary_output(each) for each in queries.summaries(products)]}
        )


class VariantMatrix(PublicReads):
    required_scope = {"GET": _DRAFTS}

    @documented(
        "All that a picker needs: the options of a product and its variants with availability",
        {200: serializers.MatrixOutput},
        operation_id="variants_matrix",
        description="Of the published variants, however many there are.",
        parameters=[serializers.MatrixQuery, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        product = read_parameters(request, serializers.MatrixQuery)["product"]
        return _answer(request, serializers.matrix_output(queries.matrix(product)))


class VariantAvailability(PublicReads):
    required_scope = {"GET": _DRAFTS}

    @documented(
        "Whether variants can be bought",
        {200: serializers.AvailabilityList},
        operation_id="variants_availability",
        description="A variant that is not there or not seen is left out.",
        parameters=[serializers.AvailabilityQuery, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        ids = read_parameters(request, serializers.AvailabilityQuery)["ids"]
        found = _seen(request).filter(public_id__in=ids).order_by("public_id")
        stock = found.values_list("public_id", "available")
        return _answer(request, {"data": [serializers.availability_output(*each) for each in stock]})


def _seen(request: Request) -> VariantQuerySet:
    found = Variant.objects.all()
    return found if sees_more(request, _DRAFTS) else found.visible()


def _matching(request: Request, query: dict[str, Any]) -> VariantQuerySet:
    if "status" in query and not sees_more(request, _DRAFTS):
        raise InsufficientScope(_DRAFTS) if request.auth else NotAuthenticated
    found = _seen(request)
    found = found.filter(**{name: query[name] for name in ("product", "status") if name in query})
    if "ids" in query:
        found = found.filter(public_id__in=query["ids"])
    return found.with_sku(query["sku"]) if "sku" in query else found


def _rows(request: Request, variants: list[Variant]) -> list[dict[str, Any]]:
    with_stock = sees_more(request, _STOCK)
    return [serializers.variant_output(row, with_stock=with_stock) for row in queries.rows_of(variants)]


def _answer(request: Request, data: Any, version: int | None = None) -> HttpResponse:
    return etags.answer(request, data, version=version, cache_control=PUBLIC_CACHE)


def _written(
    request: Request, row: queries.Row, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    data = serializers.variant_output(row, with_stock=sees_more(request, _STOCK))
    return Response(data, status, headers={"ETag": etags.etag(row.variant.version)} | (headers or {}))
