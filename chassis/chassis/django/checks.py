"""System checks: what must be true of a service before it answers its first request."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.urls import URLPattern, URLResolver, get_resolver

from chassis.django.permissions import scope_of
from chassis.step_up import MisstatedStepUp, check_statement

_DOCUMENTED_METHODS = ("get", "post", "put", "patch", "delete")


@register(Tags.security)
def check_scopes(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every API view states the scope of each of its methods, or that it is public."""
    return [
        Error(
            f"{view.__module__}.{view.__qualname__} states no scope for {method.upper()}.",
            hint="Give it required_scope, or public = True.",
            id="chassis.E001",
        )
        for view in _api_views(get_resolver().url_patterns)
        for method in _DOCUMENTED_METHODS
        if hasattr(view, method) and not _is_stated(view, method.upper())
    ]


@register(Tags.security)
def check_step_up(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What API views state of a step-up can be kept."""
    return [
        Error(f"{view.__module__}.{view.__qualname__} {problem}.", id="chassis.E002")
        for view in _api_views(get_resolver().url_patterns)
        if (problem := _wrong_step_up(view))
    ]


def _wrong_step_up(view: Any) -> str:
    try:
        check_statement(view, [method.upper() for method in _DOCUMENTED_METHODS if hasattr(view, method)])
    except MisstatedStepUp as exc:
        return str(exc)
    return ""


def _api_views(patterns: list[URLPattern | URLResolver]) -> Iterator[Any]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _api_views(pattern.url_patterns)
        elif hasattr(pattern.callback, "cls"):
            yield pattern.callback.cls


def _is_stated(view: Any, method: str) -> bool:
    if getattr(view, "public", False) is True:
        return True
    try:
        return bool(scope_of(view, method))
    except LookupError:
        return False
