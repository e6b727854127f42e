"""Print every URL that a service's own resolver knows, as JSON: [[path, [method, …]], …].

list_urls.py catalog_product    in the service's environment
"""

import importlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PARAMETER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


def django_urls(service: str) -> Iterator[tuple[str, list[str]]]:
    """Of a Django service. All of its admin stands as one path."""
    os.environ["DJANGO_SETTINGS_MODULE"] = f"{service}.settings"
    import django
    from django.urls import get_resolver

    django.setup()
    yield from walk(get_resolver().url_patterns, "/")


def walk(patterns: Iterable[Any], prefix: str) -> Iterator[tuple[str, list[str]]]:
    """The paths below a list of patterns."""
    from django.contrib.admindocs.views import simplify_regex

    for pattern in patterns:
        path = prefix + PARAMETER.sub(r"{\1}", simplify_regex(str(pattern.pattern)).lstrip("/"))
        if path.startswith("/admin/"):
            yield path, list(METHODS)
        elif hasattr(pattern, "url_patterns"):
            yield from walk(pattern.url_patterns, path)
        else:
            yield path, methods_of(pattern.callback)


def methods_of(callback: Any) -> list[str]:
    """What a view answers; a plain function answers everything it does not refuse."""
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    return [method for method in METHODS if hasattr(view, method.lower())] if view else ["GET"]


def flask_urls(service: str) -> Iterator[tuple[str, list[str]]]:
    """Of a Flask service."""
    application = importlib.import_module(service).create_app()
    for rule in application.url_map.iter_rules():
        yield PARAMETER.sub(r"{\1}", rule.rule), sorted(set(rule.methods) & set(METHODS))


def main(service: str) -> None:
    """Print them."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / service))
    urls = flask_urls(service) if service == "banner" else django_urls(service)
    print(json.dumps(sorted(urls)))


if __name__ == "__main__":
    main(sys.argv[1])
