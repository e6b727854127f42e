"""Who may call an endpoint: by the bearer token alone and its scopes, and nobody where no scope is stated."""

from typing import Any, ClassVar, Final

from flask import Flask, Response, current_app, g, request
from flask.views import MethodView
from werkzeug.exceptions import NotAcceptable, NotFound
from werkzeug.routing import Rule

from chassis import logs
from chassis.flask.problems import problem_response
from chassis.problems import CHALLENGE, REFUSED_CHALLENGE, DomainError, InsufficientScope
from chassis.step_up import MisstatedStepUp, asks_step_up, check_statement, require_fresh
from chassis.tokens import InvalidToken, Principal

LOG_OUT: Final = "/account/logout/"
"""Where the gateway ends the only session there is."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class UnstatedScope(Exception):
    """An endpoint states no scope for one of its methods nor that it is public, or a step-up in vain."""


class AuthenticationRequired(DomainError):
    """No token was sent where one is needed (RFC 6750 section 3)."""

    code = "authentication-required"
    status = 401
    headers: ClassVar = {"WWW-Authenticate": CHALLENGE}


class TokenRefused(DomainError):
    """A token was sent that must not be believed; the reason is in the log."""

    code = "invalid-token"
    status = 401
    headers: ClassVar = {"WWW-Authenticate": REFUSED_CHALLENGE}


class PublicReads(MethodView):
    """Anybody reads what is published; a token with the scope of GET also sees the rest.

    A view states `required_scope` (one scope, or a dict of one for each method), `public = True`, or
    `reads_token = False` when it does not even look at a token; and `step_up` where the log-in must not be
    long ago (True, or the methods that it is for).
    """

    reads_are_public = True


def init_app(app: Flask) -> None:
    """Verify the bearer before every request, and stop an application with an endpoint that states nothing.

    Raises: UnstatedScope.
    """
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(app.config["ADMIN_PATH"]):
            _require_statement(app, rule)
    app.before_request(_let_in)


def principal() -> Principal | None:
    """Whose token this request carries, if any."""
    found: Principal | None = getattr(g, "principal", None)
    return found


def subject() -> str:
    """The subject of the request's token, for an endpoint that asks for a scope."""
    found = principal()
    if found is None:
        raise AuthenticationRequired
    return found.sub


def sees_more(scope: str) -> bool:
    """Whether the request's token, if it has any, carries this scope."""
    found = principal()
    return found is not None and found.has_scope(scope)


def require(scope: str) -> None:
    """Ask for a scope that only some uses of an endpoint need.

    Raises: AuthenticationRequired, InsufficientScope.
    """
    found = principal()
    if found is None:
        raise AuthenticationRequired
    if not found.has_scope(scope):
        raise InsufficientScope(scope)


def _let_in() -> Response | None:
    if request.path.startswith(current_app.config["ADMIN_PATH"]):
        return _let_staff_in()
    view = _view_of(current_app, request.endpoint) if request.endpoint else None
    if isinstance(request.routing_exception, NotFound) or getattr(view, "reads_token", True) is False:
        return None
    if request.accept_mimetypes and not request.accept_mimetypes.quality("application/json"):
        raise NotAcceptable
    _authenticate()
    if view is not None and not _is_open(view, request.method):
        require(_scope_of(view, request.method))
        if asks_step_up(view, request.method):
            _require_fresh()
    return None


def _let_staff_in() -> Response | None:
    _authenticate()
    found, scope = principal(), current_app.config["ADMIN_SCOPE"]
    if found is None:
        raise AuthenticationRequired
    if not found.is_staff or not found.has_scope(scope):
        return problem_response("forbidden", f"This needs staff with {scope}.")
    if request.method not in _SAFE:
        _require_fresh()
    return None


def _require_fresh() -> None:
    found = principal()
    if found is None:
        raise AuthenticationRequired
    require_fresh(found)


def _authenticate() -> None:
    # The server joins a repeated header with a comma, which no token contains, so it is refused.
    try:
        g.principal = current_app.extensions["chassis"].authenticate(request.headers.getlist("Authorization"))
    except InvalidToken as exc:
        raise TokenRefused from exc
    if g.principal is not None:
        logs.bind(sub=g.principal.sub)


def _is_open(view: Any, method: str) -> bool:
    return bool(
        getattr(view, "public", False) or (getattr(view, "reads_are_public", False) and method in _SAFE)
    )


def _scope_of(view: Any, method: str) -> str:
    stated = getattr(view, "required_scope", {})
    if isinstance(stated, str):
        return stated
    return str(stated["GET" if method in {"HEAD", "OPTIONS"} and method not in stated else method])


def _require_statement(app: Flask, rule: Rule) -> None:
    view = _view_of(app, rule.endpoint)
    if getattr(view, "reads_token", True) is False or getattr(view, "public", False) is True:
        return
    try:
        check_statement(view, rule.methods or ())
    except MisstatedStepUp as exc:
        raise UnstatedScope(f"{rule.endpoint} {exc}.") from exc
    for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
        try:
            is_stated = bool(_scope_of(view, method))
        except LookupError:
            is_stated = False
        if not is_stated:
            raise UnstatedScope(f"{rule.endpoint} states no scope for {method}.")


def _view_of(app: Flask, endpoint: str) -> Any:
    function = app.view_functions[endpoint]
    return getattr(function, "view_class", function)
