"""Views that several services have in common."""

from typing import Any, Final

from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from chassis.django.permissions import HasScope
from chassis.tokens import Principal

PUBLIC_CACHE: Final = "public, max-age=30, stale-while-revalidate=300"
"""Cache-Control of what anybody may read and staff may change."""


class PublicReads(APIView):
    """Anybody reads what is published; a token with the scope of GET also sees the rest."""

    def get_permissions(self) -> Any:
        # The scopes of the other methods stay required: only what HTTP calls safe is open.
        return [AllowAny()] if self.request.method in SAFE_METHODS else super().get_permissions()


class ServicesOnly(APIView):
    """For other services, below /internal/, which the edge does not route: no user's token will do."""

    permission_classes = [HasScope]

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if not (isinstance(request.auth, Principal) and request.auth.is_service):
            self.permission_denied(request)


def sees_more(request: Request, scope: str) -> bool:
    """Whether the request's token, if it has any, carries this scope."""
    return isinstance(request.auth, Principal) and request.auth.has_scope(scope)
