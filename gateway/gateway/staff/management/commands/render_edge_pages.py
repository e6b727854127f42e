"""Makes the pages of the edge from their template, for the edge itself knows no Django."""

from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser
from django.template.loader import render_to_string

from chassis.problems import CATALOGUE
from gateway.edge.pages import FOLDER, PLACEHOLDER

SENTENCES: Final[dict[int | str, tuple[str, str]]] = {
    400: (
        "This address does not work",
        "Something in the request could not be understood. Check the address, or start from the shop.",
    ),
    401: ("Please log in", "Your session has ended, or there was none. Log in and try again."),
    403: (
        "This is not open to you",
        "Either your account does not reach this far, or the form was sent from another site.",
    ),
    404: ("Nothing stands here", "The page may have moved, or it never existed."),
    405: ("This cannot be done here", "The page exists, but it takes no request of this kind."),
    408: ("That took too long", "The request did not arrive completely. Please send it again."),
    413: ("That is too large", "What you sent is larger than this page takes. Pictures may have 8 MB."),
    414: ("This address is too long", "Start from the shop and find your way from there."),
    415: ("This form of content is not taken", "Please send it without compression."),
    417: ("This cannot be promised", "The request asks for something that this shop does not do."),
    429: ("A little slower, please", "There were many requests in a short time. Try again in a moment."),
    431: (
        "Your browser sent too much",
        "It carries more cookies or headers than can be read. Clearing the cookies of this site helps.",
    ),
    500: ("Something went wrong", "It is our fault, not yours. Please try again in a moment."),
    501: ("This is not spoken here", "The request uses a part of HTTP that this shop does not know."),
    502: (
        "We did not get a proper answer",
        "A part of the shop is in trouble. Please try again in a moment.",
    ),
    503: ("We will be right back", "This part of the shop is away for a moment. Please try again soon."),
    504: (
        "This is taking too long",
        "A part of the shop did not answer in time. Please try again in a moment.",
    ),
    505: ("This version is not spoken here", "Please use a current browser."),
    "step-up-required": (
        "Please confirm that it is you",
        "Nothing was saved: your log-in is a while ago, and changes here ask for a recent one. Confirm in a "
        "new tab, then come back and reload this page, which sends your form again.",
    ),
    "second-factor-required": (
        "This needs a second factor",
        "Nothing was saved. You work here with a password alone; the admins open once you have added an "
        "authenticator app or a passkey to your account.",
    ),
}
"""Title and sentence by status, and by the code of a problem that has a page of its own."""

_HOME: Final = ("/", "Back to the shop")
_LOG_IN: Final = ("/account/login/", "Log in")
_ONWARD: Final = {
    401: _LOG_IN,
    "step-up-required": ("/account/reauthenticate/?next=/staff", "Confirm in a new tab"),
    "second-factor-required": ("/account/security/", "Add a second factor"),
}
_CALM: Final = "M38 64c4 5 16 5 20 0"
_SORRY: Final = "M38 67c4-5 16-5 20 0"


class Command(BaseCommand):
    """Writes gateway/edge/pages/<status or code>.html."""

    requires_system_checks: tuple[str, ...] = ()
    help = "Render the error pages of the edge, to be committed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", type=Path, default=FOLDER)

    def handle(self, *args: Any, **options: Any) -> None:
        for name in SENTENCES:
            path: Path = options["folder"] / f"{name}.html"
            path.write_text(render(name))
        self.stdout.write(f"{len(SENTENCES)} pages in {options['folder']}")


def render(name: int | str) -> str:
    """The page of a status or a code, with a placeholder where the edge puts the id of the request."""
    title, sentence = SENTENCES[name]
    status = HTTPStatus(name if isinstance(name, int) else CATALOGUE[name][0])
    context = {
        "status": f"{status} {status.phrase}",
        "title": title,
        "sentence": sentence,
        "mouth": _SORRY if status >= 500 else _CALM,
        "onward": _ONWARD.get(name, _HOME),
        "in_new_tab": name == "step-up-required",
        "request_id": PLACEHOLDER,
    }
    return render_to_string("errors/edge.html", context)
