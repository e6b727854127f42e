"""Print every URL that a service's own resolver knows, as JSON: [[path, {method: what it asks for}], …].

A method asks for a scope, or is for `anybody` (who may show a token, but no bad one), for `anybody, unseen`
(no token is looked at), for a `service` with a scope, for those whom a `page` or an `admin` lets in.
A scope for which the log-in must not be long ago is a `fresh` one.

list_urls.py catalog_product    in the service's environment
"""

import importlib
import inspect
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PARAMETER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


def django_urls(service: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Of a Django service. All of its admin stands as one path."""
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{service}.settings"
    import django
    from django.urls import get_resolver

    django.setup()
    yield from walk(get_resolver().url_patterns, "/")


def walk(patterns: Iterable[Any], prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The paths below a list of patterns."""
    from django.contrib.admindocs.views import simplify_regex

    for pattern in patterns:
        path = prefix + PARAMETER.sub(r"{\1}", simplify_regex(str(pattern.pattern)).lstrip("/"))
        if path.startswith("/admin/"):
            yield path, dict.fromkeys(("GET", "POST"), "admin")
        elif hasattr(pattern, "url_patterns"):
            yield from walk(pattern.url_patterns, path)
        else:
            methods = methods_of(pattern.callback)
            yield path, {method: asked_for(pattern.callback, method) for method in methods}


def asked_for(callback: Any, method: str) -> str:
    """What a view of Django asks for."""
    from chassis.django.permissions import scope_of
    from chassis.django.views import PublicReads, ServicesOnly

    view = getattr(callback, "cls", None)
    if view is None:
        return "page"
    if not view.authentication_classes:
        return "anybody, unseen"
    if getattr(view, "public", False) or (issubclass(view, PublicReads) and method == "GET"):
        return "anybody"
    scope = scope_of(view, method)
    return f"service {scope}" if issubclass(view, ServicesOnly) else f"{freshness(view, method)}{scope}"


def freshness(view: Any, method: str) -> str:
    """Whether a view asks that the log-in is not long ago, of all methods or of some."""
    step_up = getattr(view, "step_up", False)
    return "fresh " if step_up is True or (step_up and method in step_up) else ""


def methods_of(callback: Any) -> list[str]:
    """What a view answers; a plain function says so with a decorator, or is there to be read."""
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    if view is None:
        return next(filter(None, map(stated_methods, unwrapped(callback))), ["GET"])
    return [method for method in METHODS if is_meant(view, method.lower())]


def unwrapped(callback: Any) -> Iterator[Any]:
    """A view and what its decorators are around."""
    while callback is not None:
        yield callback
        callback = getattr(callback, "__wrapped__", None)


def stated_methods(callback: Any) -> list[str]:
    """What Django's require_http_methods and its like let pass; nothing when it is none of them."""
    closed_over = inspect.getclosurevars(callback).nonlocals if inspect.isfunction(callback) else {}
    return sorted(set(closed_over.get("request_method_list", ())) & set(METHODS))


def is_meant(view: Any, method: str) -> bool:
    """Whether a view answers this method by itself; Django's forms take a PUT for a POST."""
    from django.views.generic.edit import ProcessFormView

    return hasattr(view, method) and getattr(view, method) is not ProcessFormView.put


def flask_urls(service: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Of a Flask service."""
    application = importlib.import_module(service).create_app()
    for rule in application.url_map.iter_rules():
        view = application.view_functions[rule.endpoint]
        view = getattr(view, "view_class", view)
        is_admin = rule.rule.startswith(application.config["ADMIN_PATH"])
        methods = sorted(set(rule.methods) & set(METHODS))
        asked = {method: "admin" if is_admin else asked_by_flask(view, method) for method in methods}
        yield PARAMETER.sub(r"{\1}", rule.rule), asked


def asked_by_flask(view: Any, method: str) -> str:
    """What a view of Flask asks for."""
    if getattr(view, "reads_token", True) is False:
        return "anybody, unseen"
    if getattr(view, "public", False) or (getattr(view, "reads_are_public", False) and method == "GET"):
        return "anybody"
    stated = view.required_scope
    return f"{freshness(view, method)}{stated if isinstance(stated, str) else stated[method]}"


def main(service: str) -> None:
    """Print them."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / service))
    urls = flask_urls(service) if service == "banner" else django_urls(service)
    print(json.dumps(sorted(urls)))


if __name__ == "__main__":
    main(sys.argv[1])
