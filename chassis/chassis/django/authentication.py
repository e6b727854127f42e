"""Who sends a request, by the bearer token alone: DRF's way into chassis.tokens."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from chassis import logs
from chassis.keys import KeyStore
from chassis.problems import CHALLENGE
from chassis.revocations import RevocationStore
from chassis.tokens import InvalidToken, Principal, Verifier


@cache
def get_verifier() -> Verifier:
    """The verifier of this process, for settings.AUDIENCE and settings.ORIGIN.

    Raises: ConfigurationError when there are no usable keys.
    """
    return Verifier(
        get_keys(), issuer=settings.ORIGIN, audience=settings.AUDIENCE, revocations=get_revocations()
    )


@cache
def get_keys() -> KeyStore:
    """The public keys, as this process reads them.

    Raises: ConfigurationError when there are no usable keys.
    """
    return KeyStore(settings.KEYS_PUBLIC)


@cache
def get_revocations() -> RevocationStore:
    """What was revoked, as this process reads it.

    Raises: ConfigurationError when there are no usable keys.
    """
    return RevocationStore(settings.KEYS_PUBLIC, get_keys(), issuer=settings.ORIGIN)


def authenticate(request: HttpRequest) -> Principal | None:
    """The principal of a request, or None when it carries no Authorization header.

    The server joins a repeated header with a comma, which no token contains, so it is refused.
    All lines that the request writes from now on name its subject.
    Raises: InvalidToken.
    """
    value = request.META.get("HTTP_AUTHORIZATION")
    principal = get_verifier().authenticate([] if value is None else [value])
    if principal is not None:
        logs.bind(sub=principal.sub)
    return principal


class BearerAuthentication(BaseAuthentication):
    """Sets request.user and request.auth to the Principal of the token. Reads no user row."""

    def authenticate(self, request: Request) -> tuple[Principal, Principal] | None:
        try:
            principal = authenticate(request._request)
        except InvalidToken as exc:
            raise AuthenticationFailed from exc
        return None if principal is None else (principal, principal)

    def authenticate_header(self, request: Request) -> str:
        return CHALLENGE


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names the token."""

    target_class = "chassis.django.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
