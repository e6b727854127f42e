"""Request heads that came before, byte for byte: what they ask for need not be found out again."""

from typing import Final

from gateway.edge import heads
from gateway.edge.cache import is_shared
from gateway.edge.policy import Forward

MAX_HEAD_BYTES: Final = 4 * 1024
"""The longest head that is remembered."""

MAX_HEADS: Final = 2048
"""How many are remembered that came lately; as many again may be that came before them."""


class Plan:
    """What a head asks for, and what follows from its bytes alone.

    Whatever depends on the time or on who sent it is not in it: credentials are looked at each time.
    """

    __slots__ = ("answer_seconds", "forward", "is_shared", "kind", "method", "path", "sent", "start")

    def __init__(self, forward: Forward, own_lines: bytes) -> None:
        """own_lines: those of the edge for it. Raises: ValueError when a field is not one line."""
        self.forward = forward
        self.sent = heads.passing_lines(forward.head, forward.route)
        """The lines that go to the upstream as they came."""
        self.start = heads.request_start(forward, self.sent, own_lines)
        self.answer_seconds = forward.route.seconds_for(forward.request.method)
        self.kind = heads.reply_kind(forward.route)
        self.method = forward.request.method.decode()
        self.path = forward.request.target.partition(b"?")[0].decode()
        """For logs: it has no query."""
        self.is_shared = is_shared(forward, self.sent)


class SeenHeads:
    """The plans of heads without a body, by their bytes.

    Programs that keep a connection send the same head again and again. It is compared whole, so that nothing
    rests on parts of it; the parser is in the same state before and after. What came once is only counted by
    its hash: most heads never come again, and keeping those costs more than it saves.
    """

    def __init__(self) -> None:
        self._lately: dict[bytes, Plan] = {}
        self._before: dict[bytes, Plan] = {}
        self._once: set[int] = set()

    def find(self, data: bytes) -> Plan | None:
        """The plan of these bytes, if they are a head that came before and nothing else."""
        plan = self._lately.get(data)
        if plan is None and data in self._before:
            plan = self._before[data]
            self._keep(data, plan)
        return plan

    def note(self, data: bytes, plan: Plan) -> None:
        """It came; remember it from the second time on. data: one head, and the connection goes on."""
        digest = hash(data)
        if digest in self._once:
            self._keep(data, plan)
            return
        if len(self._once) >= MAX_HEADS:
            self._once.clear()
        self._once.add(digest)

    def _keep(self, data: bytes, plan: Plan) -> None:
        if len(self._lately) >= MAX_HEADS:
            self._before, self._lately = self._lately, {}
        self._lately[data] = plan


def is_one_head(data: bytes) -> bool:
    """Whether bytes of which one request was parsed are that request's head, and nothing else."""
    return len(data) <= MAX_HEAD_BYTES and data.find(b"\r\n\r\n") == len(data) - 4
