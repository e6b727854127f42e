"""What queries and lists have in common, whatever the framework: parameters, limits, signed cursors."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from chassis.problems import DomainError, FieldError

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100


class UnknownParameter(DomainError):
    """The query has a parameter that this resource does not know, or has one twice."""

    code = "unknown-parameter"
    status = 400


class InvalidParameter(DomainError):
    """A query parameter has a value that it cannot have."""

    code = "invalid-input"
    status = 400

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail, errors=[FieldError(f"?{name}", "invalid", detail)])


def check_parameters(query: Iterable[tuple[str, Sequence[str]]], known: Collection[str]) -> None:
    """Refuse a query (names with all their values) with a parameter that is not known, or that stands twice.

    Raises: UnknownParameter.
    """
    for name, values in query:
        if name not in known:
            raise UnknownParameter("The query has a parameter that is not known here.")
        if len(values) > 1:
            raise UnknownParameter(f"The parameter {name} stands twice.")


def limit_of(text: str | None, default: int = DEFAULT_LIMIT) -> int:
    """The rows of a page that the query asks for, 1 to 100.

    Raises: InvalidParameter.
    """
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT):
        raise InvalidParameter("limit", f"The limit must be a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def sign_cursor(values: Sequence[str], *, secret: str, purpose: str) -> str:
    """A cursor that holds these values, readable and unforgeable, for one list in one order (the purpose)."""
    body = _encode(json.dumps(list(values), separators=(",", ":")).encode())
    return f"{body}.{_seal(body, secret, purpose)}"


def read_cursor(text: str, *, secret: str, purpose: str) -> list[str]:
    """The values of a cursor that was signed with this secret for this purpose.

    Raises: InvalidParameter.
    """
    body, _, seal = text.partition(".")
    if not hmac.compare_digest(seal.encode(), _seal(body, secret, purpose).encode()):
        raise InvalidParameter("cursor", "The cursor is not one of this list.")
    try:
        return [str(value) for value in json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))]
    except (binascii.Error, ValueError) as exc:
        raise InvalidParameter("cursor", "The cursor is not one of this list.") from exc


def _seal(body: str, secret: str, purpose: str) -> str:
    key = hashlib.sha256(f"cursor:{secret}".encode()).digest()
    return _encode(hmac.digest(key, f"{purpose}\0{body}".encode(), "sha256"))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
