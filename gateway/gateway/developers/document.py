"""The merged OpenAPI document as it is served: read once, for this origin."""

import json
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings

from gateway.developers.merging import METHODS

FILE: Final = Path(__file__).with_name("openapi.json")
"""What `manage.py merge_openapi` writes. It is committed, so that serving it asks nobody."""


@cache
def content() -> bytes:
    """The document as JSON in UTF-8, with this origin as its server."""
    document = json.loads(FILE.read_text())
    at = {"openapi": document.pop("openapi"), "info": document.pop("info")}
    served = at | {"servers": [{"url": settings.ORIGIN}]} | document
    return json.dumps(served, separators=(",", ":"), ensure_ascii=False).encode()


@cache
def operation_count() -> int:
    """How many operations it describes."""
    paths = json.loads(FILE.read_text())["paths"].values()
    return sum(method in item for item in paths for method in METHODS)
