"""The verifier of refresh tokens; access tokens have chassis.django.authentication.get_verifier."""

from functools import cache

from django.conf import settings

from chassis.django.authentication import get_verifier
from chassis.keys import GATEWAY
from chassis.tokens import REFRESH, Verifier
from gateway.tokens.issuing import access_key, refresh_keys


@cache
def refresh_verifier() -> Verifier:
    """Verifies refresh tokens. Raises: chassis.env.ConfigurationError."""
    # A refresh token is good once, so there is nothing to cache.
    return Verifier(refresh_keys(), issuer=settings.ORIGIN, audience=GATEWAY, kind=REFRESH, cache_size=0)


def require_keys() -> None:
    """Load every key the web needs, so that it starts with all of them or not at all.

    Raises: chassis.env.ConfigurationError.
    """
    access_key()
    refresh_verifier()
    get_verifier()
