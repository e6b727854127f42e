"""Reads JSON bodies, strictly."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

from chassis.strict_json import parse_object


class BodyTooLarge(APIException):
    """The body is larger than any that this view has a use for."""

    status_code = 413


class StrictJSONParser(BaseParser):
    """One JSON object of at most max_bytes, as chassis.strict_json reads it."""

    media_type = "application/json"
    max_bytes = 1024 * 1024

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        body = stream.read(self.max_bytes + 1)
        if len(body) > self.max_bytes:
            raise BodyTooLarge
        try:
            return parse_object(body)
        except ValueError as exc:
            raise ParseError("The body is not one well-formed JSON object.") from exc


class MergePatchParser(StrictJSONParser):
    """RFC 7396 by its own name; application/json means the same where a view takes it."""

    media_type = "application/merge-patch+json"
