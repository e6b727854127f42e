"""Who may call a view: by scope, and nobody where no scope is stated."""

from typing import Any

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from chassis.problems import InsufficientScope
from chassis.step_up import asks_step_up, require_fresh
from chassis.tokens import Principal


class HasScope(BasePermission):
    """Lets a request through when its token has the scope that the view states, and is fresh where it asks.

    A view states `required_scope` (one scope, or a dict of one for each method) or `public = True`;
    chassis.django.checks stops a process with a view that states neither. It may also state `step_up`: True,
    or the methods for which the log-in must not be long ago.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if getattr(view, "public", False):
            return True
        if not isinstance(request.auth, Principal):
            return False
        method = request.method or ""
        try:
            scope = scope_of(view, method)
        except LookupError as exc:
            # With the others known at start (chassis.django.checks), it is a method that the view lacks.
            raise MethodNotAllowed(method) from exc
        if not request.auth.has_scope(scope):
            raise InsufficientScope(scope)
        if asks_step_up(view, method):
            require_fresh(request.auth)
        return True


def scope_of(view: Any, method: str) -> str:
    """The scope that a view (class or instance) asks for a method; HEAD and OPTIONS ask what GET asks.

    Raises: LookupError when it states none.
    """
    stated = view.required_scope if hasattr(view, "required_scope") else {}
    if isinstance(stated, str):
        return stated
    return str(stated["GET" if method in {"HEAD", "OPTIONS"} and method not in stated else method])
