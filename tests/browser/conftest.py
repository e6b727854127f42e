"""A real browser on the running system. Whatever it complains about fails the test that it was used in."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from forms import shared_cookies
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from windows import DESKTOP

CHROMIUM = os.environ.get("MERCATO_TEST_CHROMIUM") or shutil.which("chromium")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Colors that have just changed are on their way for a frame or two, and axe would judge one of these.
SETTLED = """async () => {
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  const ending = document.getAnimations().filter(one => one.effect.getComputedTiming().endTime < Infinity);
  await Promise.allSettled(ending.map(one => one.finished));
}"""
# A page that was refused, or could not be had, is said in the console too; so is each step from our pages to
# an admin, which knows no transitions. Neither is a fault.
EXPECTED = re.compile(
    r"Failed to load resource: the server responded with a status of (4|5)\d\d"
    r"|.*ViewTransition opt-in disabled"
)


@dataclass
class Complaints:
    """What a browser found wrong, page by page."""

    found: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self._note(page.url, str(error)))

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._note(message.page.url if message.page else "", message.text)

    def _note(self, url: str, text: str) -> None:
        if not EXPECTED.match(text):
            self.found.append(f"{url}: {text}")


@dataclass
class Visitor:
    """Somebody with a browser window of their own."""

    context: BrowserContext
    page: Page
    system: Any

    @property
    def origin(self) -> str:
        return self.system.origin

    def visit(self, path: str) -> int:
        """Go to a page; the status it came with."""
        answer = self.page.goto(f"{self.origin}{path}")
        assert answer is not None
        return answer.status

    def log_in(self, persona: str, then: str = "/") -> None:
        """Log in, and go on to another page, or to one below it: customers by the form, staff with the
        session that they share, for a code of theirs is good once.
        """
        known = self.system.logins[persona]
        if known["totp_secret"]:
            self.take_cookies(shared_cookies(self.system, persona))
            self.visit(then)
        else:
            self.visit(f"/account/login/?next={then}")
            self.page.get_by_label("E-mail").fill(known["email"])
            self.page.get_by_label("Password", exact=True).fill(known["password"])
            self.page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()
        below = "" if then == "/" else "([/?].*)?" if not then.endswith("/") else ".*"
        expect(self.page).to_have_url(re.compile(f"^{re.escape(self.origin + then)}{below}$"))

    def take_cookies(self, cookies: Any) -> None:
        """Be whom these cookies stand for."""
        self.context.add_cookies(
            [{"name": one.name, "value": one.value, "url": self.origin, "httpOnly": True} for one in cookies]
        )

    def sign_up(self, email: str, password: str) -> None:
        """Make an account by the form, and prove the e-mail with the mailed code."""
        self.visit("/account/signup/")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Sign up").click()
        self.page.get_by_label("Code").fill(self.code_for(email))
        self.page.get_by_role("main").get_by_role("button", name="Confirm").click()
        expect(self.page).to_have_url(f"{self.origin}/")

    def code_for(self, email: str) -> str:
        """The code of the newest mail to somebody, as the page of mail shows it; a mail takes a moment."""
        window = self.context.new_page()
        mails = window.locator(".mail-list li", has_text=email)
        for _ in range(20):
            window.goto(f"{self.origin}/dev/mail/")
            if mails.count():
                break
        code = mails.first.locator("code").inner_text()
        window.close()
        return code

    def violations(self) -> list[str]:
        """What axe finds wrong with the page as it stands: rule, and where."""
        # All else that axe has looked at would be told in full as well, which takes as long as looking.
        options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
        self.page.evaluate(SETTLED)
        results = Axe().run(self.page, options=options).response
        return [
            f"{self.page.url} {violation['id']}: {node['target']} {node['failureSummary'][:200]}"
            for violation in results["violations"]
            for node in violation["nodes"]
        ]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        missing = "there is no chromium; `make test` installs it where it may"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    complaints = Complaints()
    yield complaints
    assert complaints.found == []


@pytest.fixture
def new_visitor(browser: Browser, system: Any, complaints: Complaints) -> Iterator[Callable[..., Visitor]]:
    """Opens browser windows, with the options of a Playwright context."""
    contexts = []

    def open_window(system: Any = system, **options: Any) -> Visitor:
        context = browser.new_context(**{"viewport": DESKTOP, "reduced_motion": "reduce"} | options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        complaints.watch(page)
        context.on("page", complaints.watch)
        return Visitor(context, page, system)

    yield open_window
    for context in contexts:
        context.close()


@pytest.fixture
def visitor(new_visitor: Callable[..., Visitor]) -> Visitor:
    return new_visitor()
