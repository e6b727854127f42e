"""Brands: a list, one of them, and what staff changes."""

from typing import Final
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower
from django.http import Http404, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from catalog_product import operations, serializers
from catalog_product.models import Brand
from chassis.django import etags
from chassis.django.openapi import PAGE, documented
from chassis.django.pagination import Page, paginate
from chassis.django.parameters import check_parameters, read_parameters
from chassis.django.parsers import MergePatchParser, StrictJSONParser
from chassis.django.views import PUBLIC_CACHE, PublicReads

_PATH: Final = "/api/v1/brands"
_ORDER: Final = ("sort_name", "public_id")


class Brands(PublicReads):
    required_scope = {"GET": "catalog:read", "POST": "catalog:write"}

    @documented(
        "Brands by name",
        {200: serializers.BrandList},
        operation_id="brands_list",
        description="With `ids` and no `limit` all of them are in one answer.",
        parameters=[serializers.BrandsQuery, *PAGE, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        query = read_parameters(request, serializers.BrandsQuery, "limit", "cursor")
        wanted = Q(name__icontains=query["q"]) if "q" in query else Q()
        if "ids" in query:
            wanted &= Q(public_id__in=query["ids"])
        brands = Brand.objects.filter(wanted).annotate(sort_name=Lower("name"))
        if "ids" in query and not {"limit", "cursor"} & request.query_params.keys():
            page = Page(list(brands.order_by(*_ORDER)), None)
        else:
            page = paginate(brands, request, key=_ORDER)
        data = serializers.BrandList({"data": page.rows, "next_cursor": page.next_cursor}).data
        return etags.answer(request, data, cache_control=PUBLIC_CACHE)

    @documented(
        "Add a brand",
        {201: serializers.BrandOutput},
        403,
        409,
        413,
        415,
        operation_id="brands_create",
        request=serializers.BrandInput,
    )
    def post(self, request: Request) -> Response:
        check_parameters(request, ())
        data = serializers.BrandInput(data=request.data)
        data.is_valid(raise_exception=True)
        brand = operations.create_brand(**data.validated_data)
        return _written(brand, 201, {"Location": f"{_PATH}/{brand.public_id}"})


class BrandDetail(PublicReads):
    required_scope = {"GET": "catalog:read", "PATCH": "catalog:write", "DELETE": "catalog:write"}
    parser_classes = [MergePatchParser, StrictJSONParser]

    @documented(
        "One brand",
        {200: serializers.BrandOutput},
        404,
        operation_id="brands_get",
        parameters=[etags.IF_NONE_MATCH],
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        check_parameters(request, ())
        brand = Brand.objects.filter(public_id=public_id).first()
        if brand is None:
            raise Http404
        data = serializers.BrandOutput(brand).data
        return etags.answer(request, data, version=brand.version, cache_control=PUBLIC_CACHE)

    @documented(
        "Change name, slug or description",
        {200: serializers.BrandOutput},
        403,
        404,
        409,
        412,
        413,
        415,
        428,
        operation_id="brands_update",
        request=serializers.BrandPatch,
        parameters=[etags.IF_MATCH],
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        data = serializers.BrandPatch(data=request.data)
        data.is_valid(raise_exception=True)
        return _written(operations.update_brand(brand_id=public_id, expected=expected, **data.validated_data))

    @documented(
        "Delete a brand that no product has",
        {204: None},
        403,
        404,
        409,
        412,
        428,
        operation_id="brands_delete",
        parameters=[etags.IF_MATCH],
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        operations.delete_brand(brand_id=public_id, expected=etags.expected(request))
        return Response(status=204)


def _written(brand: Brand, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    tag = {"ETag": etags.etag(brand.version)}
    return Response(serializers.BrandOutput(brand).data, status, headers=tag | (headers or {}))
