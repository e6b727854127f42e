"""The kind of endpoint that takes credentials in its body."""

from collections.abc import Mapping
from typing import IO, Any, Final
from urllib.parse import parse_qsl

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.views import APIView

from chassis.django.parsers import BodyTooLarge, StrictJSONParser

NO_STORE: Final = {"Cache-Control": "no-store"}


_MOST_BYTES: Final = 16 * 1024
_MOST_PARAMETERS: Final = 16


class SmallParser(StrictJSONParser):
    """JSON objects of 16 KiB at most."""

    max_bytes = _MOST_BYTES


class FormParser(BaseParser):
    """Parameters of OAuth 2.0 (RFC 6749 section 3.2) in 16 KiB at most: none occurs twice, and one without a
    value is as good as none.
    """

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, str]:
        body = stream.read(_MOST_BYTES + 1)
        if len(body) > _MOST_BYTES:
            raise BodyTooLarge
        try:
            return _parameters(body.decode())
        except ValueError as exc:
            raise ParseError("The body is not one well-formed form.") from exc


class CredentialsView(APIView):
    """For everyone. The body alone counts: a client renews with its expired bearer still in the header."""

    authentication_classes = ()
    parser_classes: tuple[type[BaseParser], ...] = (SmallParser,)
    public = True


def _parameters(text: str) -> dict[str, str]:
    pairs = parse_qsl(
        text,
        keep_blank_values=True,
        strict_parsing=True,
        errors="strict",
        max_num_fields=_MOST_PARAMETERS,
    )
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A parameter occurs twice.")
    return {name: value for name, value in found.items() if value}
