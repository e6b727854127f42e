"""Questions to another service: asked with a token of one's own, and never answered by a guess."""

import logging
from functools import cache
from typing import Final

from django.conf import settings

from chassis.http import READ_SECONDS, CallFailed, Client, Response
from chassis.keys import SigningKey, SigningKeys
from chassis.problems import DomainError
from chassis.tokens import sign_for_service

_logger = logging.getLogger(__name__)


class ServiceAway(DomainError):
    """Another service did not say what it was asked, so what depends on it is not done."""

    code = "unavailable"
    status = 503
    headers: Final = {"Retry-After": "1"}

    def __init__(self, service: str) -> None:
        super().__init__("A service that must be asked does not answer.", service=service)


def get_service_key() -> SigningKey:
    """The key that this service signs its own tokens with now. Its wsgi.py asks for it at start.

    Raises: ConfigurationError.
    """
    return get_service_keys().active


@cache
def get_service_keys() -> SigningKeys:
    """Where that key is looked up. Raises: ConfigurationError."""
    return SigningKeys(settings.KEYS_PRIVATE, "service")


def ask(
    service: str, url: str, path: str, *, scope: str = "", read_seconds: float = READ_SECONDS
) -> Response:
    """GET a path of a service that listens at url: as this service with a scope, without a token when empty.

    The answer is a JSON object with status 200, or any 404.
    Raises: ServiceAway for everything else.
    """
    token = _token_for(service, scope) if scope else None
    try:
        response = _client(service, url).request("GET", path, token=token, read_seconds=read_seconds)
        if response.status == 404 or (response.status == 200 and isinstance(response.json(), dict)):
            return response
    except CallFailed as exc:
        raise ServiceAway(service) from exc
    _logger.error("A service gave no answer of use.", extra={"service": service, "status": response.status})
    raise ServiceAway(service)


def _token_for(service: str, scope: str) -> str:
    return sign_for_service(
        get_service_key(),
        issuer=settings.ORIGIN,
        service=settings.AUDIENCE,
        audience=service,
        scope=scope,
    )


@cache
def _client(service: str, url: str) -> Client:
    return Client(url, name=service, origin=settings.ORIGIN)
