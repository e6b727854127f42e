"""Swagger UI's two files among the static files, and nothing else of what its package brings."""

import re
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage

PREFIX: Final = "swagger-ui/"
FILES: Final = ("swagger-ui.css", "swagger-ui-bundle.js")
_SOURCE_MAP: Final = re.compile(rb"\n(?://|/\*)# sourceMappingURL=[^\n]*\n?\Z")


class SwaggerFiles(BaseFinder):
    """Finds 1.7 MB of the 9.4 MB in drf-spectacular-sidecar, which as an app would be collected whole."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        spec = find_spec("drf_spectacular_sidecar")
        if spec is None or spec.origin is None:
            raise FileNotFoundError("drf-spectacular-sidecar is not installed")
        folder = Path(spec.origin).parent / "static" / "drf_spectacular_sidecar" / "swagger-ui-dist"
        self._storage = _WithoutSourceMaps(folder)
        self._storage.prefix = PREFIX.rstrip("/")  # type: ignore[attr-defined]  # As Django's finders do.

    def check(self, **kwargs: Any) -> list[Any]:
        """Nothing is configured, so nothing can be wrong."""
        return []

    def find(self, path: str, find_all: bool = False, **_: Any) -> Any:
        """Where a static file stands; an empty list, as Django's finders give, when it is none of these."""
        name = path.removeprefix(PREFIX)
        if not path.startswith(PREFIX) or name not in FILES:
            return []
        return [self._storage.path(name)] if find_all else self._storage.path(name)

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        """The files to collect."""
        return ((name, self._storage) for name in FILES)


class _WithoutSourceMaps(FileSystemStorage):
    # Names that change with the content are made for what a file refers to as well, and the maps, larger than
    # the files themselves, are not collected.
    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        return ContentFile(_SOURCE_MAP.sub(b"\n", Path(self.path(name)).read_bytes()), name)
