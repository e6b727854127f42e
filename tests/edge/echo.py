"""A service that writes down what it understood of each request, as one line of JSON, and says so."""

import base64
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

TOLD = Path(os.environ.get("ECHO_TOLD", os.devnull))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    named = ("CONTENT_TYPE", "CONTENT_LENGTH")
    fields = {k: v for k, v in environ.items() if k.startswith("HTTP_") or k in named}
    told = {
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "query": environ["QUERY_STRING"],
        "fields": {name.removeprefix("HTTP_").replace("_", "-").lower(): v for name, v in fields.items()},
        "body": base64.b64encode(environ["wsgi.input"].read()).decode(),
    }
    line = json.dumps(told).encode()
    with TOLD.open("ab") as file:
        file.write(line + b"\n")
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(line)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else line]
