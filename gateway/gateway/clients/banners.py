"""The banner service: what is live now at a placement."""

from dataclasses import dataclass
from typing import Any, Final

from gateway.clients import services
from gateway.clients.pictures import Picture, read_picture

GUEST: Final = "guest"
CUSTOMER: Final = "customer"


@dataclass(frozen=True, slots=True)
class Banner:
    """A banner; theme is light or dark, background and foreground are colors (#rrggbb) or empty."""

    id: str
    title: str
    subtitle: str
    cta_text: str
    href: str
    theme: str
    background: str
    foreground: str
    image: Picture | None


def live(placement: str, audience: str = GUEST, category: str | None = None) -> tuple[Banner, ...]:
    """What is live at a placement, the most important first; category is an id.

    Raises: Unanswered.
    """
    path = services.path_with("/api/v1/banners", placement=placement, audience=audience, category=category)
    return services.service("banner").get(path, _read_banners)


def count(token: str, state: str, limit: int = 100) -> tuple[int, bool]:
    """How many banners are in a state, for staff, and whether there are more than this answer tells.

    Raises: Unanswered.
    """
    path = services.path_with("/api/v1/banners", state=state, limit=limit)
    return services.service("banner").get_private(path, _read_count, token=token, lane=services.STAFF)


def _read_count(data: Any) -> tuple[int, bool]:
    return len(data["data"]), bool(data["next_cursor"])


def _read_banners(data: Any) -> tuple[Banner, ...]:
    return tuple(
        Banner(
            id=str(each["id"]),
            title=str(each["title"]),
            subtitle=str(each["subtitle"]),
            cta_text=str(each["cta_text"]),
            href=str(each["href"]),
            theme=str(each["theme"]),
            background=str(each["background"]),
            foreground=str(each["foreground"]),
            image=read_picture(each["image"]),
        )
        for each in data["data"]
        if _leads_somewhere(str(each["href"]))
    )


def _leads_somewhere(href: str) -> bool:
    # The service makes these addresses itself. Nothing else, such as a script, is to become a link of ours.
    return href.startswith("https://") or (href.startswith("/") and not href.startswith(("//", "/\\")))
