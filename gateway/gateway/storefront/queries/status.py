"""How the shop's parts are."""

from dataclasses import dataclass
from datetime import datetime

from gateway.clients import health
from gateway.clients.health import Health


@dataclass(frozen=True, slots=True)
class StatusPage:
    """All parts, as they were found at checked_at."""

    services: tuple[Health, ...]
    checked_at: datetime


def status_page(*, now: datetime) -> StatusPage:
    """Each part, asked now."""
    return StatusPage(health.check_all(), now)
