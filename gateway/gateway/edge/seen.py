"""Request heads that came before, but for the token: what they ask for need not be found out again."""

import string
from typing import Final, Generic, NamedTuple, TypeVar

from gateway.edge import heads, policy
from gateway.edge.cache import is_shared
from gateway.edge.policy import Forward

MAX_HEAD_BYTES: Final = 4 * 1024
"""The longest head that is remembered."""

MAX_HEADS: Final = 2048
"""How many are remembered that came lately; as many again may be that came before them."""


_BEARER: Final = b"uthorization: Bearer "
_LINE_STARTS: Final = (b"\r\nA", b"\r\na")
_TOKEN_CHARS: Final = f"{string.ascii_letters}{string.digits}-_.".encode()

T = TypeVar("T")


class Plan:
    """What a head asks for, and what follows from its bytes alone.

    Whatever depends on the time or on who sent it is not in it: credentials are looked at each time, and no
    token is kept, so that one who forgets to give his own has none.
    """

    __slots__ = ("answer_seconds", "forward", "is_shared", "kind", "method", "path", "sent", "start")

    def __init__(self, forward: Forward, own_lines: bytes) -> None:
        """own_lines: those of the edge for it. Raises: ValueError when a field is not one line."""
        self.forward = policy.without_token(forward)
        self.sent = heads.passing_lines(forward.head, forward.route)
        """The lines that go to the upstream as they came."""
        self.start = heads.request_start(forward, self.sent, own_lines)
        self.answer_seconds = forward.route.seconds_for(forward.request.method)
        self.kind = heads.reply_kind(forward.route)
        self.method = forward.request.method.decode()
        self.path = forward.request.target.partition(b"?")[0].decode()
        """For logs: it has no query."""
        self.is_shared = is_shared(forward, self.sent)


class Known(NamedTuple):
    """The plan of a head, and the token that it came with."""

    plan: Plan
    bearer: str


class SeenHeads:
    """The plans of heads without a body, by their bytes: all of them, or all but the token.

    Programs that keep a connection send the same head again and again, and many people have the same program.
    It is compared whole, so that nothing rests on parts of it; the parser is in the same state before and
    after. What came once is only counted by its hash: most heads never come again, and keeping those costs
    more than it saves.
    """

    def __init__(self) -> None:
        self._whole: _Recent[Known] = _Recent()
        self._shapes: _Recent[Plan] = _Recent()
        self._once: set[int] = set()

    def find(self, data: bytes) -> Known | None:
        """What is known of these bytes, if they are a head that came before and nothing else."""
        known = self._whole.lately.get(data) or self._whole.find_older(data)
        if known is not None or len(data) > MAX_HEAD_BYTES:
            return known
        shape, bearer = _cut(data)
        plan = self._shapes.find(shape) if bearer else None
        if plan is None:
            return None
        known = Known(plan, bearer)
        if self._came_before(data):
            self._whole.keep(data, known)
        return known

    def note(self, data: bytes, plan: Plan, bearer: str) -> None:
        """It came; remember it from the second time on. data: one head, and the connection goes on; bearer:
        the token that the parser found in it.
        """
        shape, cut = _cut(data)
        if not self._came_before(shape):
            return
        if cut and cut == bearer:
            self._shapes.keep(shape, plan)
        else:
            self._whole.keep(data, Known(plan, bearer))

    def _came_before(self, data: bytes) -> bool:
        digest = hash(data)
        if digest in self._once:
            return True
        if len(self._once) >= MAX_HEADS:
            self._once.clear()
        self._once.add(digest)
        return False


class _Recent(Generic[T]):
    """What was used lately: up to MAX_HEADS, and as many that were before them."""

    def __init__(self) -> None:
        self.lately: dict[bytes, T] = {}
        self._before: dict[bytes, T] = {}

    def find(self, data: bytes) -> T | None:
        return self.lately.get(data) or self.find_older(data)

    def find_older(self, data: bytes) -> T | None:
        found = self._before.get(data)
        if found is not None:
            self.keep(data, found)
        return found

    def keep(self, data: bytes, value: T) -> None:
        if len(self.lately) >= MAX_HEADS:
            self._before, self.lately = self.lately, {}
        self.lately[data] = value


def _cut(data: bytes) -> tuple[bytes, str]:
    # A line with a token of nothing but what tokens are made of: another in its place is parsed the same way.
    start = data.find(_BEARER) + len(_BEARER)
    if data[start - len(_BEARER) - 3 : start - len(_BEARER)] not in _LINE_STARTS:
        return data, ""
    end = data.find(b"\r", start)
    token = data[start:end]
    if not token or token.translate(None, _TOKEN_CHARS):
        return data, ""
    return data[:start] + data[end:], token.decode("ascii")


def is_one_head(data: bytes) -> bool:
    """Whether bytes of which one request was parsed are that request's head, and nothing else."""
    return len(data) <= MAX_HEAD_BYTES and data.find(b"\r\n\r\n") == len(data) - 4
