"""Products: lists, one of them, and what staff changes."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpResponse
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from catalog_product import operations, queries, serializers
from catalog_product.models import Product, ProductQuerySet, Status, has_slug
from chassis.django import etags
from chassis.django.openapi import PAGE, documented
from chassis.django.pagination import Page, paginate
from chassis.django.parameters import check_parameters, read_parameters
from chassis.django.parsers import MergePatchParser, StrictJSONParser
from chassis.django.views import PUBLIC_CACHE, PublicReads, sees_more
from chassis.problems import InsufficientScope

_DRAFTS: Final = "catalog:read"
_PATH: Final = "/api/v1/products"


class Products(PublicReads):
    required_scope = {"GET": _DRAFTS, "POST": "catalog:write"}

    @documented(
        "Products as a list, or one by its slug",
        {200: serializers.LIST_OR_ONE, 301: None},
        403,
        404,
        503,
        operation_id="products_list",
        description="With `ids` and no `limit` all of them are in one answer. `slug` goes with nothing else; "
        "one that the product had before leads to the present one.",
        parameters=[serializers.ListQuery, serializers.SlugQuery, *PAGE, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        if "slug" in request.query_params:
            return _by_slug(request, read_parameters(request, serializers.SlugQuery)["slug"])
        query = read_parameters(request, serializers.ListQuery, "limit", "cursor")
        products, order = _matching(request, query), queries.ORDERS[query["sort"]]
        if "ids" in query and not {"limit", "cursor"} & request.query_params.keys():
            page = Page(list(products.order_by(*order)), None)
        else:
            page = paginate(products, request, key=order)
        data = serializers.ProductList({"data": page.rows, "next_cursor": page.next_cursor}).data
        return etags.answer(request, data, cache_control=PUBLIC_CACHE)

    @documented(
        "Add a product",
        {201: serializers.ProductDetailOutput},
        403,
        409,
        413,
        415,
        422,
        503,
        operation_id="products_create",
        request=serializers.ProductInput,
    )
    def post(self, request: Request) -> Response:
        check_parameters(request, ())
        data = serializers.ProductInput(data=request.data)
        data.is_valid(raise_exception=True)
        product = operations.create_product(**data.validated_data)
        return _written(product, 201, {"Location": f"{_PATH}/{product.public_id}"})


class ProductDetail(PublicReads):
    required_scope = {"GET": _DRAFTS, "PATCH": "catalog:write", "DELETE": "catalog:write"}
    parser_classes = [MergePatchParser, StrictJSONParser]

    @documented(
        "One product with details and pictures",
        {200: serializers.ProductDetailOutput},
        404,
        operation_id="products_get",
        parameters=[etags.IF_NONE_MATCH],
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        check_parameters(request, ())
        return _detail(request, queries.details(_seen(request).filter(public_id=public_id)).first())

    @documented(
        "Change a product",
        {200: serializers.ProductDetailOutput},
        403,
        404,
        409,
        412,
        413,
        415,
        422,
        428,
        503,
        operation_id="products_update",
        request=serializers.ProductPatch,
        parameters=[etags.IF_MATCH],
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        data = serializers.ProductPatch(data=request.data)
        data.is_valid(raise_exception=True)
        return _written(
            operations.update_product(product_id=public_id, expected=expected, **data.validated_data)
        )

    @documented(
        "Archive a product; variants refer to it, so it is never gone",
        {204: None},
        403,
        404,
        412,
        428,
        operation_id="products_archive",
        parameters=[etags.IF_MATCH],
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        operations.update_product(product_id=public_id, expected=expected, status=Status.ARCHIVED)
        return Response(status=204)


def _seen(request: Request) -> ProductQuerySet:
    return Product.objects.all() if sees_more(request, _DRAFTS) else Product.objects.visible()


def _matching(request: Request, query: dict[str, Any]) -> ProductQuerySet:
    if "status" in query and not sees_more(request, _DRAFTS):
        raise InsufficientScope(_DRAFTS) if request.auth else NotAuthenticated
    wanted = Q()
    if "ids" in query:
        wanted &= Q(public_id__in=query["ids"])
    if "brand" in query:
        wanted &= Q(brand__public_id=query["brand"])
    if "status" in query:
        wanted &= Q(status=query["status"])
    products = _seen(request).filter(wanted).with_order()
    if "category" in query:
        products = products.in_categories(queries.subtree(query["category"]))
    if "q" in query:
        products = queries.found(products, query["q"])
    return queries.rows(products)


def _by_slug(request: Request, slug: str) -> HttpResponse:
    product = queries.details(_seen(request).filter(has_slug(slug))).first()
    present = None if product else queries.slug_after(_seen(request), slug)
    if present is None:
        return _detail(request, product)
    response = HttpResponse(status=301, headers={"Location": f"{_PATH}?{urlencode({'slug': present})}"})
    # Nothing is of no type; Django says text/html, which the edge lets no service answer.
    del response.headers["Content-Type"]
    if request.auth is None:
        response.headers["Cache-Control"] = PUBLIC_CACHE
    return response


def _detail(request: Request, product: Product | None) -> HttpResponse:
    if product is None:
        raise Http404
    data = serializers.ProductDetailOutput(product).data
    return etags.answer(request, data, version=product.version, cache_control=PUBLIC_CACHE)


def _written(product: Product, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    shown = queries.details(Product.objects.filter(pk=product.pk)).get()
    tag = {"ETag": etags.etag(product.version)}
    return Response(serializers.ProductDetailOutput(shown).data, status, headers=tag | (headers or {}))
