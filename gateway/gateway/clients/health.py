"""Whether the services, and the gateway's own database, are up."""

import time
from dataclasses import dataclass
from typing import Any, Final

from django.db import Error, connection

from gateway.clients import calls, services

NAMES: Final = {
    "wallet": "Wallet",
    "catalog_category": "Categories",
    "catalog_product": "Products",
    "catalog_variant": "Variants",
    "banner": "Banners",
}
"""What people call the services."""

SLOW_MILLISECONDS: Final = 500


@dataclass(frozen=True, slots=True)
class Health:
    """How a part of the shop is; milliseconds is how long it took to say so."""

    code: str
    name: str
    is_up: bool
    milliseconds: int
    detail: str


def check_all() -> tuple[Health, ...]:
    """All services, asked side by side, and the gateway's database; the slowest takes the page's time."""
    answers = {code: calls.begin(check, code, always=True) for code in NAMES}
    database = check_database()
    down = {code: Health(code, NAMES[code], False, 0, "No answer in time") for code in NAMES}
    return (*(answers[code].or_else(down[code]) for code in NAMES), database)


def check(code: str, *, always: bool = False) -> Health:
    """One service, by its own readiness; always: even when it is not expected to answer.

    Raises: Unanswered.
    """
    began = time.monotonic()
    try:
        services.service(code).get_private("/readyz", _read_ready, always=always)
    except calls.Broken:
        return Health(code, NAMES[code], False, _since(began), "Not ready")
    except calls.Away:
        return Health(code, NAMES[code], False, _since(began), "No answer")
    milliseconds = _since(began)
    return Health(code, NAMES[code], True, milliseconds, "Slow" if milliseconds > SLOW_MILLISECONDS else "")


def check_database() -> Health:
    """The gateway's own database."""
    began = time.monotonic()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return Health("gateway", "Accounts", False, _since(began), "No answer")
    return Health("gateway", "Accounts", True, _since(began), "")


def _read_ready(data: Any) -> None:
    if data["status"] != "ok":
        raise ValueError(data["status"])


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
