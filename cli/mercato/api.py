"""The shop's public API, as the command line uses it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from mercato.failures import Failure

_TIMEOUT = (2.0, 15.0)


class ApiRefused(Failure):
    """The API answered with a problem. `status` is its HTTP status, 0 when there was no answer."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Tokens:
    """What a login brought."""

    access: str
    refresh: str


class Api:
    """A client of one running system, addressed at its edge on this machine under its public name."""

    def __init__(self, edge_url: str, origin: str) -> None:
        self._edge_url = edge_url
        self._session = requests.Session()
        # Loopback needs no proxy, and a .netrc must not add an Authorization header.
        self._session.trust_env = False
        self._session.headers["Host"] = urlsplit(origin).netloc

    def login(self, email: str, password: str) -> Tokens:
        """Log in. Raises: ApiRefused."""
        answer = self._post("/auth/login", {"email": email, "password": password})
        return Tokens(answer["access"], answer["refresh"])

    def logout(self, tokens: Tokens) -> None:
        """End the session of a login. Raises: ApiRefused."""
        self._post("/auth/logout", {"refresh": tokens.refresh})

    def adjust_wallet(self, access: str, *, key: str, body: Mapping[str, Any]) -> bool:
        """Book an adjustment; whether it is new. The same key again changes nothing. Raises: ApiRefused."""
        headers = {"Authorization": f"Bearer {access}", "Idempotency-Key": key}
        response = self._send("/wallet/adjustments", body, headers)
        return "Idempotent-Replayed" not in response.headers

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = self._send(path, body, {})
        content: dict[str, Any] = response.json() if response.content else {}
        return content

    def _send(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> requests.Response:
        url = f"{self._edge_url}/api/v1{path}"
        try:
            response = self._session.post(url, json=body, headers=headers, timeout=_TIMEOUT)
        except requests.RequestException as exc:
            raise ApiRefused(
                f"no answer from {self._edge_url}; is the system running? (mercato up)", 0
            ) from exc
        if not response.ok:
            text = f"{path} answered {response.status_code}: {_reason(response)}"
            raise ApiRefused(text, response.status_code)
        return response


def _reason(response: requests.Response) -> str:
    try:
        problem = response.json()
        return str(problem.get("detail") or problem.get("title") or problem.get("code"))
    except (ValueError, AttributeError):
        return response.reason
