"""Log-in, renewal, withdrawal, the published keys, and what the edge asks for."""

from dataclasses import asdict
from typing import Final

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chassis.django.openapi import problems
from gateway.credentials import NO_STORE, CredentialsView, FormParser, SmallParser
from gateway.documents import AnyType
from gateway.limits import devices
from gateway.limits.operations import take
from gateway.limits.quotas import REFRESH
from gateway.tokens import operations
from gateway.tokens.browser import token_for_admin
from gateway.tokens.forwarding import token_for_service
from gateway.tokens.keyring import ISSUER_JWKS_FILE
from gateway.tokens.metadata import metadata, public_document
from gateway.tokens.operations import Client, TokenPair
from gateway.tokens.serializers import (
    LoginInput,
    RefreshInput,
    RevokeInput,
    ServiceTokenInput,
    ServiceTokenOutput,
    TokenPairOutput,
)

_PROBLEMS: Final = problems(400, 401, 413, 415, 429)


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
        take(REFRESH, devices.client_of(request._request).address)
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


class LogOutEverywhere(CredentialsView):
    @extend_schema(
        operation_id="log_out_everywhere",
        tags=["auth"],
        auth=[],
        description=(
            "Ends every session of the user, of API clients and of browsers. "
            "Takes the newest refresh token of a session."
        ),
        request=RefreshInput,
        responses={204: None, **_PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        data = RefreshInput(data=request.data)
        data.is_valid(raise_exception=True)
        operations.log_out_everywhere(token=data.validated_data["refresh"])
        return Response(status=204, headers=NO_STORE)


class Revoke(CredentialsView):
    # The form is what clients of RFC 7009 send, JSON what all the rest here takes.
    parser_classes = (SmallParser, FormParser)

    @extend_schema(
        operation_id="revoke",
        tags=["auth"],
        auth=[],
        description="Ends the session of a token (RFC 7009). A dead or unknown token gets the same answer.",
        request=RevokeInput,
        responses={200: None, **problems(400, 413, 415)},
    )
    def post(self, request: Request) -> Response:
        data = RevokeInput(data=request.data)
        data.is_valid(raise_exception=True)
        operations.revoke(token=data.validated_data["token"])
        return Response(status=200, headers=NO_STORE)


class ServiceToken(CredentialsView):
    """For the edge alone: gateway.middleware.EdgeKey guards everything under /internal/."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        data = ServiceTokenInput(data=request.data)
        data.is_valid(raise_exception=True)
        give = token_for_admin if "session" in data.validated_data else token_for_service
        forwarded = give(**data.validated_data)
        return Response(ServiceTokenOutput(forwarded).data, headers=NO_STORE)


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
        return public_document(request, content)


class Metadata(APIView):
    authentication_classes = ()
    content_negotiation_class = AnyType
    public = True

    @extend_schema(
        operation_id="authorization_server_metadata",
        tags=["keys"],
        auth=[],
        responses={200: OpenApiResponse(OpenApiTypes.OBJECT, "Who issues the tokens (RFC 8414).")},
    )
    def get(self, request: Request) -> HttpResponse:
        return public_document(request, metadata())


def _pair(pair: TokenPair) -> Response:
    return Response(asdict(pair), headers=NO_STORE)


def _began(request: Request) -> float:
    began: float = request._request.began  # type: ignore[attr-defined]
    return began


def _client(request: Request) -> Client:
    # Enough to recognize one's own sessions in a list, not enough to follow anyone.
    return Client(
        user_agent=request.META.get("HTTP_USER_AGENT", "")[:200],
        visitor=devices.client_of(request._request),
    )
