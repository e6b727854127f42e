"""The shop's public API, as the command line uses it."""

import base64
import json as json_format
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from mercato.failures import Failure
from mercato.personas import Login
from mercato.totp import Codes

_TIMEOUT = (2.0, 30.0)  # seconds, to connect and for each piece of the answer
_NOT_FOUND = 404
_TOO_MANY = 429
_TRIES = 10
_PATIENCE = 5  # seconds; who is asked to wait longer is told so
_PAGE = 100
_WRONG_CODE = "wrong-otp"


class ApiRefused(Failure):
    """The API answered with a problem: its HTTP status and its code. 0 when there was no answer."""

    def __init__(self, text: str, status: int, code: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Tokens:
    """What a login brought; the access token is good for `expires_in` seconds."""

    access: str
    refresh: str
    expires_in: int

    @property
    def subject(self) -> str:
        """Whom they speak for, as the access token says; it came from the gateway itself."""
        payload = self.access.split(".")[1]
        return str(json_format.loads(base64.urlsafe_b64decode(payload + "=="))["sub"])


@dataclass(frozen=True)
class Upload:
    """A form with one file, a PNG."""

    file: bytes
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What the API answered; `is_replay` when the same key had been used for it before."""

    content: Any
    etag: str = ""
    is_replay: bool = False


class Api:
    """A client of one running system, addressed at its edge on this machine under its public name.

    Several threads may use it; each has connections of its own.
    """

    def __init__(self, edge_url: str, origin: str, codes: Codes | None = None) -> None:
        """codes: where those of second factors come from."""
        self._edge_url = edge_url
        self._codes = codes or Codes()
        self._host = urlsplit(origin).netloc
        self._local = threading.local()

    def login(self, login: Login) -> Tokens:
        """Log in, with a code where there is a second factor; one that somebody has used is passed over.

        Raises: ApiRefused.
        """
        if not login.totp_secret:
            return self.login_without_code(login)
        for is_last in (False, False, False, True):
            try:
                return self._login(login, otp=self._codes.next(login.email, login.totp_secret))
            except ApiRefused as exc:
                if exc.code != _WRONG_CODE or is_last:
                    raise
        raise AssertionError("The last try returns or raises.")

    def login_without_code(self, login: Login) -> Tokens:
        """Log in by the password alone. Raises: ApiRefused."""
        return self._login(login)

    def _login(self, login: Login, **more: str) -> Tokens:
        known = {"email": login.email, "password": login.password}
        return _tokens(self.send("POST", "/auth/login", json=known | more))

    def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens for old ones, which are void then. Raises: ApiRefused."""
        return _tokens(self.send("POST", "/auth/refresh", json={"refresh": tokens.refresh}))

    def logout(self, tokens: Tokens) -> None:
        """End the session of a login. Raises: ApiRefused."""
        self.send("POST", "/auth/logout", json={"refresh": tokens.refresh})

    def find(self, path: str, *, access: str, **params: str) -> Any | None:
        """What stands at a path; None when it is not there. Raises: ApiRefused."""
        try:
            return self.send("GET", path, access=access, params=params).content
        except ApiRefused as exc:
            if exc.status != _NOT_FOUND:
                raise
            return None

    def rows(self, path: str, *, access: str, **params: str) -> Iterator[Any]:
        """All rows of a list, page after page. Raises: ApiRefused."""
        page: dict[str, str] = {"limit": str(_PAGE), **params}
        while True:
            answer = self.send("GET", path, access=access, params=page).content
            yield from answer["data"]
            if not answer["next_cursor"]:
                return
            page["cursor"] = answer["next_cursor"]

    def send(
        self,
        method: str,
        path: str,
        *,
        access: str = "",
        json: Mapping[str, Any] | None = None,
        upload: Upload | None = None,
        params: Mapping[str, str] | None = None,
        key: str = "",
        if_match: str = "",
    ) -> Answer:
        """One request; `key` is its Idempotency-Key. Raises: ApiRefused."""
        headers = {
            "Authorization": f"Bearer {access}" if access else "",
            "Idempotency-Key": key,
            "If-Match": if_match,
        }
        request = {
            "json": json,
            "data": upload.fields if upload else None,
            "files": {"file": ("picture.png", upload.file, "image/png")} if upload else None,
            "params": params,
            "headers": {name: value for name, value in headers.items() if value},
        }
        try:
            response = self._patiently(method, f"{self._edge_url}/api/v1{path}", **request)
        except requests.RequestException as exc:
            raise ApiRefused(
                f"no answer from {self._edge_url}; is the system running? (mercato up)", 0
            ) from exc
        return _answer(method, path, response)

    def _patiently(self, method: str, url: str, **request: Any) -> requests.Response:
        # Any: what requests takes. Nothing has happened to what came too often, so it may be sent again.
        for _ in range(_TRIES):
            response = self._session().request(method, url, timeout=_TIMEOUT, **request)
            wait = response.headers.get("Retry-After", "")
            if response.status_code != _TOO_MANY or not wait.isdigit() or int(wait) > _PATIENCE:
                break
            time.sleep(int(wait))
        return response

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            # Loopback needs no proxy, and a .netrc must not add an Authorization header.
            session.trust_env = False
            session.headers["Host"] = self._host
            self._local.session = session
        found: requests.Session = self._local.session
        return found


def _answer(method: str, path: str, response: requests.Response) -> Answer:
    if not response.ok:
        reason, code = _problem(response)
        text = f"{method} {path} answered {response.status_code}: {reason}"
        raise ApiRefused(text, response.status_code, code)
    try:
        content = response.json() if response.content else {}
    except ValueError as exc:
        raise ApiRefused(f"{method} {path} answered what is not JSON", response.status_code) from exc
    return Answer(content, response.headers.get("ETag", ""), "Idempotent-Replayed" in response.headers)


def _tokens(answer: Answer) -> Tokens:
    content = answer.content
    return Tokens(content["access"], content["refresh"], content["expires_in"])


def _problem(response: requests.Response) -> tuple[str, str]:
    """What a problem document says, in one line, and its code."""
    try:
        problem = response.json()
        said = str(problem.get("detail") or problem.get("title") or problem.get("code"))
        errors = [f"{error['pointer']}: {error['detail']}" for error in problem.get("errors", ())]
        return "; ".join([said, *errors]), str(problem.get("code", ""))
    except (ValueError, AttributeError, KeyError, TypeError):
        return response.reason, ""
