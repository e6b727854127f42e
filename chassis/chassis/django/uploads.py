"""Reads a form with one picture in it, and nothing that announces itself as larger than any may be."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import MultiPartParser

from chassis.django.parsers import BodyTooLarge
from chassis.images import MAX_BYTES


class UploadParser(MultiPartParser):
    """A picture with a few fields beside it; refused unread by its Content-Length."""

    max_bytes = MAX_BYTES + 64 * 1024

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        length = (parser_context or {})["request"].META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit() and int(length) <= self.max_bytes):
            raise BodyTooLarge
        return super().parse(stream, media_type, parser_context)
