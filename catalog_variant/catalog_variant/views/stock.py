"""Stock, for those who keep it."""

from typing import cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog_variant import operations, queries, serializers
from catalog_variant.models import StockMovement
from chassis.django.idempotency import KEY, REPLAYED, required_key
from chassis.django.openapi import PAGE, documented
from chassis.django.pagination import paginate
from chassis.django.parameters import check_parameters, read_parameters
from chassis.tokens import Principal


class Adjustments(APIView):
    required_scope = "stock:write"

    @documented(
        "Move units of a variant into the house or out of it",
        {201: serializers.MovementOutput},
        403,
        409,
        413,
        415,
        422,
        operation_id="stock_adjustments_create",
        description="What is reserved or allocated stays: 409 `insufficient-stock`.",
        request=serializers.AdjustmentInput,
        parameters=[KEY],
    )
    def post(self, request: Request) -> Response:
        check_parameters(request, ())
        key = required_key(request)
        data = serializers.AdjustmentInput(data=request.data)
        data.is_valid(raise_exception=True)
        actor = cast(Principal, request.auth).sub
        posting = operations.adjust_stock(**data.validated_data, actor_sub=actor, idempotency_key=key)
        movement = serializers.MovementOutput(posting.movement).data
        return Response(movement, 201, headers=REPLAYED if posting.is_replay else {})


class Movements(APIView):
    required_scope = "stock:read"

    @documented(
        "Movements of stock, newest first",
        {200: serializers.MovementList},
        403,
        operation_id="stock_movements_list",
        parameters=[serializers.MovementQuery, *PAGE],
    )
    def get(self, request: Request) -> Response:
        filters = read_parameters(request, serializers.MovementQuery, "limit", "cursor")
        found = StockMovement.objects.filter(**filters).select_related("variant")
        page = paginate(found, request, key=("-created_at", "-public_id"))
        rows = [queries.movement_of(movement) for movement in page.rows]
        return Response(serializers.MovementList({"data": rows, "next_cursor": page.next_cursor}).data)


class LowStock(APIView):
    required_scope = "stock:read"

    @documented(
        "Variants of which few or no units can be sold, fewest first",
        {200: serializers.VariantList},
        403,
        operation_id="stock_low_list",
        parameters=PAGE,
    )
    def get(self, request: Request) -> Response:
        check_parameters(request, ("limit", "cursor"))
        page = paginate(queries.low_stock(), request, key=("available", "public_id"))
        rows = [serializers.variant_output(row, with_stock=True) for row in queries.rows_of(page.rows)]
        return Response({"data": rows, "next_cursor": page.next_cursor})
