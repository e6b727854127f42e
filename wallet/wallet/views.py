"""The wallet over HTTP: who may ask, what is asked, and one call that answers it."""

import re
from datetime import UTC, datetime
from typing import Final, cast
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chassis.django.idempotency import KEY, REPLAYED, required_key
from chassis.django.openapi import PAGE, documented
from chassis.django.pagination import paginate
from chassis.django.parameters import check_parameters, read_parameters
from chassis.problems import DomainError
from chassis.tokens import Principal
from wallet import operations, queries, serializers

_MONTH: Final = re.compile(r"2[0-9]{3}-(0[1-9]|1[0-2])")


class MalformedMonth(DomainError):
    """A month is not written like 2026-10."""

    code = "invalid-input"
    status = 400


class CSVRenderer(JSONRenderer):
    """Makes text/csv acceptable. The statement is streamed past it; what it renders itself are problems."""

    media_type = "text/csv"
    format = "csv"


class Wallet(APIView):
    required_scope = "wallet:read"

    @documented("What the wallet holds", {200: serializers.WalletOutput}, 403, operation_id="wallet")
    def get(self, request: Request) -> Response:
        check_parameters(request, ())
        found = queries.balances(_sub(request), default_currency=settings.DEFAULT_CURRENCY)
        return Response(serializers.WalletOutput({"balances": found}).data)


class Transactions(APIView):
    required_scope = "wallet:read"

    @documented(
        "Transactions, newest first",
        {200: serializers.TransactionList},
        403,
        operation_id="wallet_transactions_list",
        parameters=[serializers.TransactionFilter, *PAGE],
    )
    def get(self, request: Request) -> Response:
        filters = read_parameters(request, serializers.TransactionFilter, "limit", "cursor")
        entries = queries.entries_of(_sub(request)).filter(**filters)
        page = paginate(entries, request, key=("-posted_at", "-transfer__public_id"))
        rows = [queries.transaction_of(entry) for entry in page.rows]
        return Response(serializers.TransactionList({"data": rows, "next_cursor": page.next_cursor}).data)


class TransactionDetail(APIView):
    required_scope = "wallet:read"

    @documented(
        "One transaction",
        {200: serializers.TransactionOutput},
        403,
        404,
        operation_id="wallet_transactions_get",
    )
    def get(self, request: Request, public_id: UUID) -> Response:
        check_parameters(request, ())
        entry = queries.entries_of(_sub(request)).filter(transfer__public_id=public_id).first()
        if entry is None:
            raise Http404
        return Response(serializers.TransactionOutput(queries.transaction_of(entry)).data)


class Statements(APIView):
    required_scope = "wallet:read"
    renderer_classes = [JSONRenderer, CSVRenderer]

    @documented(
        "The statement of a month (UTC) in one currency",
        {
            (200, "application/json"): serializers.StatementOutput,
            (200, "text/csv"): serializers.CSV,
        },
        403,
        406,
        operation_id="wallet_statements_get",
        parameters=[serializers.StatementQuery],
    )
    def get(self, request: Request, month: str) -> HttpResponseBase:
        query = read_parameters(request, serializers.StatementQuery)
        start_at, end_at = _bounds(month)
        found = queries.statement(_sub(request), query["currency"], start_at=start_at, end_at=end_at)
        if query.get("format", request.accepted_renderer.format) == "json":
            return Response(serializers.StatementOutput(found).data, content_type="application/json")
        response = StreamingHttpResponse(
            serializers.statement_csv(found), content_type="text/csv; charset=utf-8"
        )
        name = f"statement-{month}-{found.currency}.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class Adjustments(APIView):
    required_scope = "wallet:admin"
    step_up = True

    @documented(
        "Credit or debit a customer's wallet by hand",
        {201: serializers.TransactionOutput},
        403,
        409,
        415,
        422,
        operation_id="wallet_adjustments_create",
        description="Asks for a log-in of the last 15 minutes: 401 `step-up-required` (RFC 9470).",
        request=serializers.AdjustmentInput,
        parameters=[KEY],
    )
    def post(self, request: Request) -> Response:
        check_parameters(request, ())
        key = required_key(request)
        data = serializers.AdjustmentInput(data=request.data)
        data.is_valid(raise_exception=True)
        posting = operations.adjust_balance(
            **data.validated_data, actor_sub=_sub(request), idempotency_key=key
        )
        return Response(
            serializers.TransactionOutput(posting.transaction).data,
            status=201,
            headers=REPLAYED if posting.is_replay else {},
        )


class Integrity(APIView):
    required_scope = "wallet:admin"

    @documented(
        "Whether all accounts balance",
        {200: serializers.IntegrityOutput},
        403,
        operation_id="wallet_integrity",
        description="Adds up every account. `manage.py verify_ledger` proves every entry again.",
    )
    def get(self, request: Request) -> Response:
        check_parameters(request, ())
        totals = queries.currency_totals()
        is_balanced = all(total.is_balanced for total in totals)
        return Response(serializers.IntegrityOutput({"is_balanced": is_balanced, "currencies": totals}).data)


def _sub(request: Request) -> str:
    return cast(Principal, request.auth).sub


def _bounds(month: str) -> tuple[datetime, datetime]:
    if not _MONTH.fullmatch(month):
        raise MalformedMonth("Write the month like 2026-10.")
    year, number = int(month[:4]), int(month[5:])
    return datetime(year, number, 1, tzinfo=UTC), datetime(
        year + number // 12, number % 12 + 1, 1, tzinfo=UTC
    )
