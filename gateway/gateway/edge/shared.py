"""What every connection of one edge shares."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.edge.asks import Asks
from gateway.edge.cache import Cache
from gateway.edge.config import Limits, Times
from gateway.edge.limiter import Addresses, Limiter
from gateway.edge.observe import Figures, Journal
from gateway.edge.policy import Rules
from gateway.edge.pool import Pool
from gateway.edge.seen import SeenHeads

if TYPE_CHECKING:
    from gateway.edge.downstream import Client
    from gateway.edge.state import State


@dataclass(slots=True)
class Shared:
    """The rules, the upstreams and the state of one edge. own_lines: what the edge adds, by upstream."""

    loop: asyncio.AbstractEventLoop
    rules: Rules
    upstreams: Mapping[str, Pool]
    own_lines: Mapping[str, bytes]
    origin: bytes
    asks: Asks
    cache: Cache
    seen: SeenHeads
    limiter: Limiter
    addresses: Addresses
    journal: Journal
    figures: Figures
    times: Times
    limits: Limits
    clients: "set[Client]" = field(default_factory=set)
    renewing: "set[State]" = field(default_factory=set)
    is_draining: bool = False
