"""Options and their values. Everybody reads them; whoever writes the catalogue writes them."""

from typing import Final
from uuid import UUID

from django.http import Http404, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog_variant import operations, queries, serializers
from catalog_variant.models import Option
from chassis.django import etags
from chassis.django.openapi import PAGE, documented
from chassis.django.pagination import paginate
from chassis.django.parameters import check_parameters, read_parameters
from chassis.django.parsers import MergePatchParser, StrictJSONParser
from chassis.django.views import PUBLIC_CACHE, PublicReads

_ORDER: Final = ("position", "public_id")


class Options(PublicReads):
    required_scope = {"GET": "catalog:read", "POST": "catalog:write"}

    @documented(
        "Options with their values",
        {200: serializers.OptionList},
        operation_id="options_list",
        description="With `ids` and no `limit` all of them are in one answer.",
        parameters=[serializers.OptionQuery, *PAGE, etags.IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        query = read_parameters(request, serializers.OptionQuery, "limit", "cursor")
        found = queries.options()
        if "ids" in query:
            found = found.filter(public_id__in=query["ids"])
        if "ids" in query and not {"limit", "cursor"} & request.query_params.keys():
            rows, cursor = list(found.order_by(*_ORDER)), None
        else:
            page = paginate(found, request, key=_ORDER)
            rows, cursor = page.rows, page.next_cursor
        data = serializers.OptionList({"data": rows, "next_cursor": cursor}).data
        return etags.answer(request, data, cache_control=PUBLIC_CACHE)

    @documented(
        "Add an option with values",
        {201: serializers.OptionOutput},
        403,
        409,
        413,
        415,
        operation_id="options_create",
        request=serializers.OptionInput,
    )
    def post(self, request: Request) -> Response:
        check_parameters(request, ())
        data = serializers.OptionInput(data=request.data)
        data.is_valid(raise_exception=True)
        option = operations.create_option(**data.validated_data)
        return _written(option, 201, {"Location": f"/api/v1/options/{option.public_id}"})


class OptionDetail(PublicReads):
    required_scope = {"GET": "catalog:read", "PATCH": "catalog:write", "DELETE": "catalog:write"}
    parser_classes = [MergePatchParser, StrictJSONParser]

    @documented(
        "One option with its values",
        {200: serializers.OptionOutput},
        404,
        operation_id="options_get",
        parameters=[etags.IF_NONE_MATCH],
    )
    def get(self, request: Request, public_id: UUID) -> HttpResponse:
        check_parameters(request, ())
        option = queries.options().filter(public_id=public_id).first()
        if option is None:
            raise Http404
        data = serializers.OptionOutput(option).data
        return etags.answer(request, data, version=option.version, cache_control=PUBLIC_CACHE)

    @documented(
        "Change code, name, display or position",
        {200: serializers.OptionOutput},
        403,
        404,
        409,
        412,
        413,
        415,
        428,
        operation_id="options_update",
        request=serializers.OptionPatch,
        parameters=[etags.IF_MATCH],
    )
    def patch(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        data = serializers.OptionPatch(data=request.data)
        data.is_valid(raise_exception=True)
        option = operations.update_option(option_id=public_id, expected=expected, **data.validated_data)
        return _written(option)

    @documented(
        "Delete an option that no variant chooses from",
        {204: None},
        403,
        404,
        409,
        412,
        428,
        operation_id="options_delete",
        parameters=[etags.IF_MATCH],
    )
    def delete(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        operations.delete_option(option_id=public_id, expected=etags.expected(request))
        return Response(status=204)


class OptionValues(APIView):
    required_scope = "catalog:write"

    @documented(
        "Add a value to an option",
        {201: serializers.OptionValueOutput},
        403,
        404,
        409,
        413,
        415,
        operation_id="options_values_create",
        description="The `ETag` is that of the option, which gets a new version.",
        request=serializers.OptionValueInput,
    )
    def post(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        data = serializers.OptionValueInput(data=request.data)
        data.is_valid(raise_exception=True)
        value = operations.add_value(option_id=public_id, **data.validated_data)
        return Response(serializers.OptionValueOutput(value).data, 201, headers=_tag(value.option.version))


class OptionValueDetail(APIView):
    required_scope = "catalog:write"
    parser_classes = [MergePatchParser, StrictJSONParser]

    @documented(
        "Change code, name, swatch or position of a value",
        {200: serializers.OptionValueOutput},
        403,
        404,
        409,
        412,
        413,
        415,
        428,
        operation_id="options_values_update",
        description="`If-Match` and `ETag` are those of the option, which gets a new version.",
        request=serializers.OptionValuePatch,
        parameters=[etags.IF_MATCH],
    )
    def patch(self, request: Request, public_id: UUID, value_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        data = serializers.OptionValuePatch(data=request.data)
        data.is_valid(raise_exception=True)
        value = operations.update_value(
            option_id=public_id, value_id=value_id, expected=expected, **data.validated_data
        )
        return Response(serializers.OptionValueOutput(value).data, headers=_tag(value.option.version))

    @documented(
        "Delete a value that no variant has",
        {204: None},
        403,
        404,
        409,
        412,
        428,
        operation_id="options_values_delete",
        description="`If-Match` and `ETag` are those of the option, which gets a new version.",
        parameters=[etags.IF_MATCH],
    )
    def delete(self, request: Request, public_id: UUID, value_id: UUID) -> Response:
        check_parameters(request, ())
        expected = etags.expected(request)
        option = operations.delete_value(option_id=public_id, value_id=value_id, expected=expected)
        return Response(status=204, headers=_tag(option.version))


def _written(option: Option, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    data = serializers.OptionOutput(option).data
    return Response(data, status, headers=_tag(option.version) | (headers or {}))


def _tag(version: int) -> dict[str, str]:
    return {"ETag": etags.etag(version)}
