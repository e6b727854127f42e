"""Views that several services have in common."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.views import APIView


class PublicReads(APIView):
    """Anybody reads what is published; a token with the scope of GET also sees the rest."""

    def get_permissions(self) -> Any:
        # The scopes of the other methods stay required: only what HTTP calls safe is open.
        return [AllowAny()] if self.request.method in SAFE_METHODS else super().get_permissions()
