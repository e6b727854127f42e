"""A browser without a screen: forms are filled and sent as the page has them."""

import time
from html.parser import HTMLParser
from typing import Any

import requests

FRESH_SECONDS = 600


class Form(HTMLParser):
    """The fields of the first form of a page that is sent to an address, with the values they come with."""

    def __init__(self, page: str, action: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._action = action
        self._is_in = self._is_done = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and not self._is_done:
            self._is_in = given.get("action", "").partition("?")[0] in {"", self._action}
        elif self._is_in and tag == "input" and "name" in given and given.get("type") != "checkbox":
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._is_in:
            self._is_in, self._is_done = False, True


def send_form(session: requests.Session, origin: str, path: str, **filled: str) -> requests.Response:
    """Get a page and send its form."""
    page = session.get(f"{origin}{path}", timeout=10)
    form = Form(page.text, path.partition("?")[0])
    assert form.fields, f"{path} has no form"
    # A browser tells where a form comes from; there is no other site in this one.
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    return session.post(f"{origin}{path}", data=form.fields | filled, headers=headers, timeout=10)


def log_in_by_form(system: Any, persona: str) -> requests.Session:
    """A session with the cookie of somebody who has logged in, staff by a code as well."""
    known = system.logins[persona]
    session = requests.Session()
    session.headers["Accept"] = "text/html"
    filled = {"login": known["email"], "password": known["password"]}
    answer = send_form(session, system.origin, "/account/login/", **filled)
    if known["totp_secret"]:
        assert answer.url.endswith("/account/login/code/"), answer.text
        answer = send_form(session, system.origin, "/account/login/code/", code=system.otp(persona))
    assert answer.status_code == 200, answer.text
    assert "/account/login" not in answer.url
    return session


def shared_cookies(system: Any, persona: str) -> Any:
    """The cookies of somebody who logged in not long ago. Many may use them at a time: log-ins take time,
    and staff have few codes for them. Whoever logs out with them has the next one log in again.
    """
    key = ("browser", persona)
    kept = system.kept.get(key)
    if kept is None or kept[1] < time.monotonic() - FRESH_SECONDS or not _is_open(system, kept[0]):
        kept = system.kept[key] = (log_in_by_form(system, persona), time.monotonic())
    return kept[0].cookies


def _is_open(system: Any, session: requests.Session) -> bool:
    answer = session.get(f"{system.origin}/account", allow_redirects=False, timeout=10)
    return answer.status_code == 200
