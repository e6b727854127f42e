"""Log-in, renewal, withdrawal, the published keys, and what the edge asks for."""

import hashlib
from ipaddress import ip_network
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chassis.django.openapi import problems
from gateway.credentials import NO_STORE, CredentialsView
from gateway.tokens import operations
from gateway.tokens.browser import token_for_admin
from gateway.tokens.forwarding import token_for_service
from gateway.tokens.keyring import ISSUER_JWKS_FILE
from gateway.tokens.operations import Client, TokenPair
from gateway.tokens.serializers import (
    LoginInput,
    RefreshInput,
    ServiceTokenInput,
    ServiceTokenOutput,
    TokenPairOutput,
)

_PREFIX_BITS: Final = {4: 24, 6: 48}
_PROBLEMS: Final = problems(400, 401, 413, 415)


class LogIn(CredentialsView):
    @extend_schema(
        operation_id="log_in",
        tags=["auth"],
        auth=[],
        request=LoginInput,
        responses={200: TokenPairOutput, **_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        data = LoginInput(data=request.data)
        data.is_valid(raise_exception=True)
        return _pair(operations.log_in(**data.validated_data, client=_client(request)))


class Refresh(CredentialsView):
    @extend_schema(
        operation_id="refresh",
        tags=["auth"],
        auth=[],
        request=RefreshInput,
        responses={200: TokenPairOutput, **_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        data = RefreshInput(data=request.data)
        data.is_valid(raise_exception=True)
        return _pair(operations.rotate(token=data.validated_data["refresh"], began=_began(request)))


class LogOut(CredentialsView):
    @extend_schema(
        operation_id="log_out",
        tags=["auth"],
        auth=[],
        request=RefreshInput,
        responses={204: None, **_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        data = RefreshInput(data=request.data)
        data.is_valid(raise_exception=True)
        operations.log_out(token=data.validated_data["refresh"])
        return Response(status=204, headers=NO_STORE)


class ServiceToken(CredentialsView):
    """For the edge alone: gateway.middleware.EdgeKey guards everything under /internal/."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        data = ServiceTokenInput(data=request.data)
        data.is_valid(raise_exception=True)
        give = token_for_admin if "session" in data.validated_data else token_for_service
        forwarded = give(**data.validated_data)
        return Response(ServiceTokenOutput(forwarded).data, headers=NO_STORE)


class AnyType(BaseContentNegotiation):
    """For documents of one representation: whatever type somebody asks for, they mean it."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class KeySet(APIView):
    authentication_classes = ()
    content_negotiation_class = AnyType
    public = True

    @extend_schema(
        operation_id="jwks",
        tags=["keys"],
        auth=[],
        responses={
            200: OpenApiResponse(OpenApiTypes.OBJECT, "The gateway's access keys as a JWK Set (RFC 7517).")
        },
    )
    def get(self, request: Request) -> HttpResponse:
        content = (settings.KEYS_PUBLIC / ISSUER_JWKS_FILE).read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers = {
            "ETag": etag,
            "Cache-Control": "public, max-age=300",
            "Access-Control-Allow-Origin": "*",
        }
        response = HttpResponse(content, content_type="application/json", headers=headers)
        conditional = get_conditional_response(request._request, etag=etag, response=response)
        assert conditional is not None  # A response was given, so one comes back.  # noqa: S101
        for name in headers.keys() - conditional.headers.keys():
            conditional.headers[name] = headers[name]
        return conditional


def _pair(pair: TokenPair) -> Response:
    return Response(TokenPairOutput(pair).data, headers=NO_STORE)


def _began(request: Request) -> float:
    began: float = request._request.began  # type: ignore[attr-defined]
    return began


def _client(request: Request) -> Client:
    # Enough to recognize one's own sessions in a list, not enough to follow anyone.
    return Client(
        user_agent=request.META.get("HTTP_USER_AGENT", "")[:200],
        ip_prefix=_prefix(request.META.get("REMOTE_ADDR", "")),
    )


def _prefix(address: str) -> str:
    try:
        host = ip_network(address)
    except ValueError:
        return ""
    return str(host.supernet(new_prefix=_PREFIX_BITS[host.version]))
