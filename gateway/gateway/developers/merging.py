"""One OpenAPI document from those that the services commit."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from chassis.problems import MEDIA_TYPE
from gateway.developers.problems import PROBLEMS

SERVICES: Final = ("gateway", "wallet", "catalog_category", "catalog_product", "catalog_variant", "banner")
"""Whose documents are merged, in the order in which they are shown. Also the names of their folders."""

DESCRIPTION: Final = """\
Six services behind one address. Log in for an access token, send it as `Authorization: Bearer …`.

- [Quick start](/developers/): the first requests, in curl, Python and JavaScript.
- [Problems](/problems/): every `code` that an error can have, and what to do about it.

Everything that goes wrong is a problem document (RFC 9457). Money is an integer of minor units beside its \
currency. Unknown query parameters are refused, lists have cursors."""

METHODS: Final = ("get", "post", "put", "patch", "delete")
_PUBLIC: Final = ("/api/", "/.well-known/")
_PROBLEM: Final = "ProblemOutput"
_ALIKE: Final = (_PROBLEM, "FieldErrorOutput")
"""What every service describes in the words of its own framework, and means the same."""

_OF_THE_EDGE: Final = (502, 503, 504)
"""What is answered to any operation while its service is in trouble."""

Document = dict[str, Any]


class CannotMerge(Exception):
    """Two documents say different things under one name, or one has no problem documents."""


def merge(documents: Mapping[str, Document]) -> Document:
    """The public operations of these documents, by service, as one OpenAPI 3.1 document without servers.

    Schemas that differ under one name get the name of their service in front; equal ones are one. Answers
    that are problem documents are referred to, for most operations share them.

    Raises: CannotMerge when two services have the same path or operation id.
    """
    names = _names(documents)
    paths: Document = {}
    schemas: Document = {}
    for service, document in documents.items():
        public = {path: item for path, item in document["paths"].items() if path.startswith(_PUBLIC)}
        if twice := paths.keys() & public.keys():
            raise CannotMerge(f"two services have {', '.join(sorted(twice))}")
        renamed = _renamed({"paths": public, "schemas": document["components"]["schemas"]}, names[service])
        paths |= renamed["paths"]
        for name, schema in renamed["schemas"].items():
            schemas.setdefault(names[service][name], schema)
        for operation in _operations(renamed["paths"]):
            operation["tags"] = [_tag(document)]
            operation["responses"] = _responses(operation["responses"])
    _demand_one_id_each(paths)
    used = _used(paths, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mercato", "version": "1.0.0", "description": DESCRIPTION},
        "tags": [
            {"name": _tag(document), "description": document["info"]["description"]}
            for document in documents.values()
        ],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "responses": _problem_responses(paths),
            "schemas": {name: schemas[name] for name in sorted(used)},
        },
    }


def encode(document: Document) -> str:
    """The form in which the merged document is committed."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _names(documents: Mapping[str, Document]) -> dict[str, dict[str, str]]:
    # What each schema of each service is called in the merged document.
    meanings: dict[str, set[str]] = {}
    for document in documents.values():
        for name in document["components"]["schemas"]:
            meanings.setdefault(name, set()).add(_meaning(document, name))
    return {
        service: {
            name: name
            if name in _ALIKE or len(meanings[name]) == 1
            else f"{service.title().replace('_', '')}{name}"
            for name in document["components"]["schemas"]
        }
        for service, document in documents.items()
    }


def _meaning(document: Document, name: str, within: tuple[str, ...] = ()) -> str:
    # The schema with all that it refers to, so that two that look alike and refer to different ones differ.
    def spelled(reference: str) -> str:
        other = reference.rpartition("/")[2]
        return other if other in {name, *within, *_ALIKE} else _meaning(document, other, (*within, name))

    return json.dumps(_mapped(document["components"]["schemas"][name], spelled), sort_keys=True)


def _renamed(node: Document, names: Mapping[str, str]) -> Document:
    renamed: Document = _mapped(node, lambda reference: _reference(names[reference.rpartition("/")[2]]))
    return renamed


def _mapped(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, list):
        return [_mapped(each, change) for each in node]
    if isinstance(node, dict):
        return {
            key: change(value) if key == "$ref" and isinstance(value, str) else _mapped(value, change)
            for key, value in node.items()
        }
    return node


def _reference(name: str) -> str:
    return f"#/components/schemas/{name}"


def _operations(paths: Document) -> Iterator[Document]:
    return (item[method] for item in paths.values() for method in METHODS if method in item)


def _tag(document: Document) -> str:
    title: str = document["info"]["title"]
    return title.removeprefix("Mercato ")


def _responses(responses: Document) -> Document:
    found = {
        status: _to_problem(int(status)) if MEDIA_TYPE in response.get("content", {}) else response
        for status, response in responses.items()
    }
    return dict(sorted((found | {str(status): _to_problem(status) for status in _OF_THE_EDGE}).items()))


def _to_problem(status: int) -> Document:
    return {"$ref": f"#/components/responses/{_response_name(status)}"}


def _response_name(status: int) -> str:
    return f"Problem{status}"


def _problem_responses(paths: Document) -> Document:
    used = {status for operation in _operations(paths) for status in operation["responses"]}
    codes: dict[int, list[str]] = {}
    for problem in PROBLEMS.values():
        for status in problem.statuses:
            codes.setdefault(status, []).append(f"[{problem.code}]({problem.type})")
    return {
        _response_name(status): {
            "description": f"Codes that operations answer with it: {', '.join(codes[status])}.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": _reference(_PROBLEM)}}},
        }
        for status in codes
        if str(status) in used
    }


def _used(paths: Document, schemas: Document) -> set[str]:
    used: set[str] = set()
    waiting = {_PROBLEM} | _named(paths)
    while waiting:
        name = waiting.pop()
        used.add(name)
        waiting |= _named(schemas[name]) - used
    return used


def _named(node: Any) -> set[str]:
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(node)))


def _demand_one_id_each(paths: Document) -> None:
    ids = [operation["operationId"] for operation in _operations(paths)]
    if twice := {one for one in ids if ids.count(one) > 1}:
        raise CannotMerge(f"two operations are called {', '.join(sorted(twice))}")
