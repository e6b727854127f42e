"""Who may call a view: by scope, and nobody where no scope is stated."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from chassis.problems import REFUSED_CHALLENGE, DomainError
from chassis.tokens import Principal


class InsufficientScope(DomainError):
    """The token is good, but lacks the scope that this request needs (RFC 6750 section 3.1)."""

    code = "insufficient-scope"
    status = 403

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}.")
        challenge = REFUSED_CHALLENGE.replace("invalid_token", "insufficient_scope")
        self.headers = {"WWW-Authenticate": f'{challenge}, scope="{scope}"'}


class HasScope(BasePermission):
    """Lets a request through when its token has the scope that the view states.

    A view states `required_scope` (one scope, or a dict of one for each method) or `public = True`;
    chassis.django.checks stops a process with a view that states neither.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if getattr(view, "public", False):
            return True
        if not isinstance(request.auth, Principal):
            return False
        scope = scope_of(view, request.method or "")
        if not request.auth.has_scope(scope):
            raise InsufficientScope(scope)
        return True


def scope_of(view: Any, method: str) -> str:
    """The scope that a view (class or instance) asks for a method; HEAD and OPTIONS ask what GET asks.

    Raises: LookupError when it states none.
    """
    stated = view.required_scope if hasattr(view, "required_scope") else {}
    if isinstance(stated, str):
        return stated
    return str(stated["GET" if method in {"HEAD", "OPTIONS"} and method not in stated else method])
