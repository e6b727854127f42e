"""Structured logs: one JSON object a line on standard output, with the request id and without secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

_SECRET_NAMES: Final = re.compile(
    r"password|passwd|secret|token|authorization|cookie|refresh|access|otp|private", re.I
)
_JWT: Final = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")
_REMOVED: Final = "[removed]"


def configure(service: str, level: str = "info") -> None:
    """Send all logging of the process to standard output: JSON lines with time, level, event, extras."""
    processors: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=processors,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _Stamp(service),
            redact,
            structlog.processors.JSONRenderer(ensure_ascii=True, default=str),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def bind(**values: str) -> None:
    """Add values, such as the request id, to every line that this request writes from now on."""
    structlog.contextvars.bind_contextvars(**values)


def clear() -> None:
    """Forget what was bound; called where a request begins."""
    structlog.contextvars.clear_contextvars()


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove values under secret names and anything that looks like a signed token, however deep.

    The request that Django adds to what it refused is left out: printed, it shows the query, and what is
    worth knowing of it stands in the access log under the same request id.
    """
    event.pop("request", None)
    for name, value in event.items():
        event[name] = _clean(name, value)
    return event


def without_tokens(text: str) -> str:
    """The text with everything that looks like a signed token removed."""
    return _JWT.sub(_REMOVED, text)


def _clean(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clean(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(name, item) for item in value]
    if _SECRET_NAMES.search(name):
        return _REMOVED
    if isinstance(value, str):
        return without_tokens(value)
    if isinstance(value, bool | int | float) or value is None:
        return value
    return without_tokens(str(value))


class _Stamp:
    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event["service"] = self._service
        return event
