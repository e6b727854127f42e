"""Somebody who is logged in, for as long as the work takes."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from mercato.api import Answer, Api, ApiRefused, Tokens, Upload
from mercato.personas import Login

_MARGIN = 60  # seconds that an access token must still be good for


class Account:
    """The API as one persona. Several threads may use it; tokens are renewed before they expire."""

    def __init__(self, api: Api, login: Login, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._login = login
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None
        self._renew_at = 0.0

    def __enter__(self) -> "Account":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _exc: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._tokens is None:
            return
        try:
            self._api.logout(self._tokens)
        except ApiRefused:
            # What went wrong before is what should be told; the tokens die by themselves.
            if kind is None:
                raise

    def find(self, path: str, **params: str) -> Any | None:
        """What stands at a path; None when it is not there. Raises: ApiRefused."""
        return self._api.find(path, access=self.access(), **params)

    def tag(self, path: str) -> str:
        """The ETag of what stands at a path. Raises: ApiRefused."""
        return self._api.send("GET", path, access=self.access()).etag

    def rows(self, path: str, **params: str) -> Iterator[Any]:
        """All rows of a list. Raises: ApiRefused."""
        return self._api.rows(path, access=self.access(), **params)

    def post(self, path: str, body: Mapping[str, Any], *, key: str = "") -> Answer:
        """Post; `key` is the Idempotency-Key. Raises: ApiRefused."""
        return self._api.send("POST", path, access=self.access(), json=body, key=key)

    def upload(self, method: str, path: str, upload: Upload, *, if_match: str = "") -> Answer:
        """Send a file. Raises: ApiRefused."""
        return self._api.send(method, path, access=self.access(), upload=upload, if_match=if_match)

    def access(self) -> str:
        """An access token that is good for a while. Raises: ApiRefused."""
        with self._lock:
            if self._tokens is None:
                self._keep(self._api.login(self._login))
            elif self._clock() >= self._renew_at:
                self._keep(self._api.refresh(self._tokens))
            assert self._tokens is not None  # noqa: S101  For the type checker: _keep has set it.
            return self._tokens.access

    def _keep(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._renew_at = self._clock() + tokens.expires_in - _MARGIN


@contextmanager
def logged_in(api: Api, login: Login) -> Iterator[Account]:
    """The account of a persona; its session ends with the block. Raises: ApiRefused."""
    with Account(api, login) as account:
        yield account
