"""What every page shows around its content."""

from typing import Any, Final

from django.http import HttpRequest

from gateway.accounts.sessions import browser_session
from gateway.clients import banners, calls, categories
from gateway.clients.banners import Banner
from gateway.clients.categories import Node

THEME_COOKIE: Final = "theme"
THEMES: Final = ("system", "light", "dark")


class Shell:
    """Header and footer. Services are asked when a page begins, or when a template first looks here."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._nav: calls.Answer[tuple[Node, ...]] | None = None
        self._announcements: calls.Answer[tuple[Banner, ...]] | None = None

    def begin(self) -> None:
        """Ask for what the services know, beside what the page itself asks for."""
        if self._nav is None:
            self._nav = calls.begin(categories.tree)
            self._announcements = calls.begin(banners.live, "announcement", audience_of(self._request))

    @property
    def nav(self) -> tuple[Node, ...]:
        """The top categories with their children; none when nobody knows them."""
        self.begin()
        return self._nav.or_else(()) if self._nav else ()

    @property
    def announcement(self) -> Banner | None:
        """The line above the header."""
        self.begin()
        live = self._announcements.or_else(()) if self._announcements else ()
        return live[0] if live else None

    @property
    def theme(self) -> str:
        """system, light or dark."""
        theme = self._request.COOKIES.get(THEME_COOKIE, "")
        return theme if theme in THEMES else THEMES[0]

    @property
    def user_email(self) -> str:
        """Who is logged in, or empty."""
        session = browser_session(self._request)
        return session.user.email if session else ""

    @property
    def is_staff(self) -> bool:
        """Whether who is logged in works here."""
        session = browser_session(self._request)
        return session is not None and session.is_staff

    @property
    def path(self) -> str:
        """Where one is, to come back to."""
        return self._request.get_full_path()


def audience_of(request: HttpRequest) -> str:
    """For whom banners are chosen."""
    return banners.CUSTOMER if browser_session(request) else banners.GUEST


def shell_of(request: HttpRequest) -> Shell:
    """The one shell of a request."""
    if not hasattr(request, "_shell"):
        request._shell = Shell(request)  # type: ignore[attr-defined]
    found: Shell = request._shell  # type: ignore[attr-defined]
    return found


def shell(request: HttpRequest) -> dict[str, Any]:
    """The context processor."""
    return {"shell": shell_of(request)}
