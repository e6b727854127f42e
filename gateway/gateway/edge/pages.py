"""The pages with which the edge says no to browsers, made beforehand by `manage.py render_edge_pages`."""

import base64
import hashlib
import re
from pathlib import Path
from types import MappingProxyType
from typing import Final

FOLDER: Final = Path(__file__).with_name("pages")
MEDIA_TYPE: Final = "text/html; charset=utf-8"
PLACEHOLDER: Final = "{request_id}"
"""Stands where the id of the request goes. An id has no character that means something in HTML."""

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def _read(folder: Path) -> tuple[dict[str, tuple[bytes, ...]], str]:
    texts = {path.stem: path.read_text() for path in sorted(folder.glob("*.html"))}
    styles = {style for text in texts.values() for style in _STYLE.findall(text)}
    hashes = " ".join(sorted(f"'sha256-{_sha256(style)}'" for style in styles))
    policy = (
        f"default-src 'none'; style-src {hashes}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    pieces = {name: tuple(text.encode().split(PLACEHOLDER.encode())) for name, text in texts.items()}
    return pieces, policy


def _sha256(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


_PIECES, POLICY = _read(FOLDER)
_PAGES: Final = MappingProxyType(_PIECES)


def page(status: int, request_id: str, code: str = "") -> bytes:
    """The page of a problem's code where it has one of its own, else of its status, for a request id that
    chassis.ids has let pass.

    Raises: KeyError for a status that the edge does not answer with.
    """
    return request_id.encode().join(_PAGES[code if code in _PAGES else str(status)])
