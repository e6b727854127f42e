"""Calls between services: a time-out always, no retries, and errors that tell what may have happened."""

import json as json_codec
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import structlog
import urllib3
from prometheus_client import Counter, Histogram
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
)

from chassis.metrics import BUCKETS

CONNECT_SECONDS: Final = 0.3
READ_SECONDS: Final = 1.5
MAX_BODY_BYTES: Final = 8 * 1024 * 1024


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_DECODER: Final = json_codec.JSONDecoder(parse_constant=_refuse)
_calls: Final = Counter("mercato_upstream_calls", "Calls to a service by outcome.", ["upstream", "outcome"])
_seconds: Final = Histogram(
    "mercato_upstream_seconds", "Time until a service has answered.", ["upstream"], buckets=BUCKETS
)


class CallFailed(Exception):
    """A call to another service gave no answer."""


class NotSent(CallFailed):
    """The request never left, so nothing happened at the other side and it may be sent again."""


class Unknown(CallFailed):
    """The request left and no complete answer came: it may or may not have had its effect."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of any status; body is at most MAX_BODY_BYTES, names of headers are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises: Unknown when it is not JSON, for such an answer says nothing.
        """
        try:
            return _DECODER.decode(self.body.decode())
        except (ValueError, RecursionError) as exc:
            raise Unknown("The answer is not JSON.") from exc


class Client:
    """Calls one service. Keeps connections, follows no redirect, keeps no cookie, reads no proxy setting."""

    def __init__(self, base_url: str, *, name: str, origin: str, connections: int = 8) -> None:
        """base_url is where the service of that name listens; origin is the public one, whose Host every
        call carries.
        """
        self._name = name
        self._base_url = base_url.rstrip("/")
        self._host = urlsplit(origin).netloc
        self._pool = urllib3.PoolManager(maxsize=connections, block=False, retries=False)

    def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> Response:
        """Send one request, once, with the current request id; times in seconds.

        Raises: NotSent, Unknown.
        """
        started = time.perf_counter()
        try:
            answer = self._pool.request(
                method,
                self._base_url + path,
                body=None if json is None else json_codec.dumps(json).encode(),
                headers=self._headers(token, json is not None) | dict(headers or {}),
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
                redirect=False,
                preload_content=False,
            )
            body = answer.read(MAX_BODY_BYTES + 1, decode_content=True)
            answer.release_conn()
        except (NewConnectionError, ConnectTimeoutError) as exc:
            _calls.labels(self._name, "not-sent").inc()
            raise NotSent("The service cannot be reached.") from exc
        except HTTPError as exc:
            _calls.labels(self._name, "unknown").inc()
            raise Unknown("The service gave no complete answer.") from exc
        _calls.labels(self._name, "error" if answer.status >= 500 else "answered").inc()
        _seconds.labels(self._name).observe(time.perf_counter() - started)
        if len(body) > MAX_BODY_BYTES:
            raise Unknown("The answer is too large.")
        return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)

    def _headers(self, token: str | None, has_body: bool) -> dict[str, str]:
        headers = {"Host": self._host, "Accept": "application/json"}
        if has_body:
            headers["Content-Type"] = "application/json"
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        if request_id:
            headers["X-Request-ID"] = request_id
        return headers
