"""What an outsider's program can know of whoever signs the tokens (RFC 8414)."""

import json
from functools import cache

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from rest_framework.request import Request

from gateway.accounts.roles import GROUP_SCOPES, scopes_of
from gateway.documents import validated


@cache
def metadata() -> bytes:
    """The metadata as JSON.

    Of OAuth 2.0 there is what this says and no more: the log-in of API clients is none of its grants, so
    there is neither an authorization endpoint nor a token endpoint to name, and the lists are empty.
    Revocation is that of RFC 7009.
    """
    said = {
        "issuer": settings.ORIGIN,
        "jwks_uri": f"{settings.ORIGIN}/.well-known/jwks.json",
        "revocation_endpoint": settings.ORIGIN + reverse("revoke"),
        # Whoever has a token may revoke it: there are no clients with a secret.
        "revocation_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": sorted(scopes_of(GROUP_SCOPES)),
        "response_types_supported": [],
        "grant_types_supported": [],
        "service_documentation": f"{settings.ORIGIN}/developers/",
        "ui_locales_supported": ["en"],
    }
    return json.dumps(said, indent=1).encode()


def public_document(request: Request, content: bytes) -> HttpResponse:
    """JSON that any page of any site may read, and anybody keep for five minutes."""
    headers = {"Access-Control-Allow-Origin": "*"}
    response = HttpResponse(content, content_type="application/json", headers=headers)
    return validated(request._request, response, "public, max-age=300")
