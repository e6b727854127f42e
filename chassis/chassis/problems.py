"""Problem documents (RFC 9457): the one shape in which every process says no."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

MEDIA_TYPE: Final = "application/problem+json"

CHALLENGE: Final = 'Bearer realm="mercato"'
"""WWW-Authenticate where no token was sent (RFC 6750 section 3)."""

REFUSED_CHALLENGE: Final = 'Bearer realm="mercato", error="invalid_token"'
"""WWW-Authenticate where a token was sent and refused; the reason stays in the log."""

CATALOGUE: Final = MappingProxyType(
    {
        "malformed-request": (400, "The request is malformed"),
        "unknown-parameter": (400, "Unknown query parameter"),
        "invalid-input": (400, "The input is invalid"),
        "idempotency-key-missing": (400, "An Idempotency-Key header is required"),
        "authentication-required": (401, "Authentication is required"),
        "invalid-token": (401, "The access token is invalid"),
        "step-up-required": (401, "The log-in is too long ago for this"),
        "forbidden": (403, "Not allowed"),
        "second-factor-required": (403, "This needs a second factor"),
        "insufficient-scope": (403, "The token lacks a scope"),
        "not-found": (404, "Not found"),
        "method-not-allowed": (405, "Method not allowed"),
        "not-acceptable": (406, "No acceptable representation"),
        "request-timeout": (408, "The request took too long to arrive"),
        "conflict": (409, "Conflict"),
        "precondition-failed": (412, "The resource has changed since it was read"),
        "content-too-large": (413, "The body is too large"),
        "uri-too-long": (414, "The URI is too long"),
        "unsupported-media-type": (415, "Unsupported media type"),
        "expectation-failed": (417, "The expectation cannot be met"),
        "idempotency-key-reused": (422, "The Idempotency-Key was used for another request"),
        "precondition-required": (428, "An If-Match header is required"),
        "too-many-requests": (429, "Too many requests"),
        "headers-too-large": (431, "The header fields are too large"),
        "internal-error": (500, "Internal error"),
        "not-implemented": (501, "Not implemented"),
        "bad-gateway": (502, "The service gave no valid answer"),
        "unavailable": (503, "The service is unavailable"),
        "upstream-timeout": (504, "The service took too long"),
        "http-version-not-supported": (505, "HTTP version not supported"),
    }
)
"""Generic codes with status and title. A service's own codes stand with the exceptions that raise them."""


_BY_STATUS: Final = {status: code for code, (status, _) in reversed(list(CATALOGUE.items()))}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the input: a JSON pointer (RFC 6901, as a URI fragment), a code, a sentence."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """A rule of the domain was broken; adapters turn it into a problem document.

    Subclasses are facts, set code, status and title, and stand in the module that raises them.
    """

    code: str = "conflict"
    status: int = 409
    title: str = ""

    def __init__(self, detail: str = "", *, errors: Sequence[FieldError] = (), **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.extra = extra

    def document(self, request_id: str) -> dict[str, Any]:
        """The problem document of this error."""
        title = self.title or CATALOGUE.get(self.code, (0, ""))[1] or _sentence(type(self).__name__)
        return problem(
            self.status,
            self.code,
            title,
            self.detail,
            request_id=request_id,
            errors=self.errors,
            **self.extra,
        )


class InsufficientScope(DomainError):
    """The token is good, but lacks the scope that this request needs (RFC 6750 section 3.1)."""

    code = "insufficient-scope"
    status = 403

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs the scope {scope}.")
        challenge = REFUSED_CHALLENGE.replace("invalid_token", "insufficient_scope")
        self.headers = {"WWW-Authenticate": f'{challenge}, scope="{scope}"'}


def problem(
    status: int,
    code: str,
    title: str = "",
    detail: str = "",
    *,
    request_id: str = "",
    errors: Sequence[FieldError] = (),
    **extra: Any,
) -> dict[str, Any]:
    """A problem document as a dict: type, title, status, code, request_id; detail, errors, extra when given.

    The type is a relative reference (RFC 9457 section 3.1.1), the same at every service.
    """
    document: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": title or CATALOGUE[code][1],
        "status": status,
        "code": code,
    }
    if detail:
        document["detail"] = detail
    document["request_id"] = request_id
    if errors:
        document["errors"] = [asdict(error) for error in errors]
    return document | extra


def generic(code: str, detail: str = "", *, request_id: str = "", **extra: Any) -> dict[str, Any]:
    """The problem document of a code of the CATALOGUE, which gives its status and title."""
    status, title = CATALOGUE[code]
    return problem(status, code, title, detail, request_id=request_id, **extra)


def encode(document: dict[str, Any]) -> bytes:
    """A problem document as compact JSON in UTF-8, for those who write bytes themselves."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def code_for_status(status: int) -> str:
    """The generic code of an HTTP status: the first of the CATALOGUE, or one of its family."""
    return _BY_STATUS.get(status, "internal-error" if status >= 500 else "malformed-request")


def _sentence(name: str) -> str:
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in name).strip()
    return words[:1].upper() + words[1:]
