"""All that is known of a request while the edge answers it, and who it is for."""

import time
from typing import Final, Protocol

from gateway.edge import policy
from gateway.edge.body import NO_BODY, Body
from gateway.edge.cache import Copy, Flight
from gateway.edge.headers import Head
from gateway.edge.pool import Pool
from gateway.edge.seen import Known, Plan
from gateway.edge.shared import Shared
from gateway.edge.upstream import Connection
from gateway.routes import Route


class Stage:
    """Where a request stands, which tells whose delay it is. No Enum: in 3.11 each mention costs 0.1 µs."""

    QUEUED: Final = "queued"
    ASKING: Final = "asking"
    SHARING: Final = "sharing"
    COLLECTING: Final = "collecting"
    CONNECTING: Final = "connecting"
    SENDING: Final = "sending"
    WAITING: Final = "waiting"
    ANSWERING: Final = "answering"
    DONE: Final = "done"


class Requester(Protocol):
    """The client connection that a request came on."""

    peer: str

    def write(self, data: bytes) -> None:
        """Send bytes of the answer."""

    def hold_body(self) -> None:
        """Read no more of this request for now."""

    def resume_body(self) -> None:
        """Read on."""

    def on_done(self, *, closes: bool) -> None:
        """The answer is complete; closes: no further request may follow."""

    def cut(self) -> None:
        """Break the connection, so that a part of an answer is not taken for the whole."""


class Nobody:
    """Stands for the client of a request that the edge makes by itself, to renew a copy."""

    peer = ""

    def write(self, data: bytes) -> None:
        """What is kept goes another way."""

    def hold_body(self) -> None:
        """There is none."""

    def resume_body(self) -> None:
        """There is none."""

    def on_done(self, *, closes: bool) -> None:
        """Nobody asks for more."""

    def cut(self) -> None:
        """There is no connection."""


NOBODY: Final = Nobody()


class State:
    """One request and where it stands. Four layers move it on: Answering, Forwarding, Sharing, Exchange."""

    __slots__ = (
        "_answers",
        "_asked",
        "_bearer",
        "_body",
        "_completed_at",
        "_connection",
        "_deadline",
        "_ends_at",
        "_flight",
        "_forward",
        "_has_news",
        "_is_choked",
        "_is_chunking",
        "_is_dropping",
        "_is_held",
        "_is_leading",
        "_is_retried",
        "_is_stream",
        "_is_upload",
        "_keeps_alive",
        "_plan",
        "_pool",
        "_quota",
        "_raw",
        "_reason",
        "_refusal",
        "_request",
        "_request_id",
        "_requester",
        "_sent_at",
        "_sent_bytes",
        "_shared",
        "_spare",
        "_stage",
        "_started_at",
        "_status",
        "_subject",
        "_token",
        "wants_connection",
    )

    def __init__(
        self,
        shared: Shared,
        requester: Requester,
        request: policy.Request,
        refusal: policy.Refuse | None = None,
        *,
        known: Known | None = None,
    ) -> None:
        """refusal: what the transport found before there was anything to decide about; known: of a head
        that came before, which is the whole request.
        """
        self._shared = shared
        self._requester = requester
        self._request = request
        self._refusal = refusal
        self._plan: Plan | None = None
        self._bearer = ""
        if known is not None:
            self._plan, self._bearer = known
        self._raw = b""
        self._forward: policy.Forward | None = None
        self._connection: Connection | None = None
        self._flight: Flight | None = None
        self._asked: Head | None = None
        self._spare: Copy | None = None
        self._stage: str = Stage.QUEUED
        self._pool: Pool
        self._body = Body() if known is None else NO_BODY
        self._has_news = False
        self._is_held = False
        self._is_choked = False
        self._is_chunking = False
        self._is_dropping = False
        self._is_leading = False
        self._is_retried = False
        self._is_stream = False
        self._is_upload = False
        self._keeps_alive = False
        self._answers = 0
        self._quota = b""
        self._reason = ""
        self._request_id = ""
        self._subject = ""
        self._token = b""
        self._status = 0
        self._sent_at = 0.0
        self._sent_bytes = 0
        # The loop's clock is too coarse for a duration.
        self._started_at = self._completed_at = time.perf_counter()
        self._ends_at = self._deadline = shared.loop.time() + shared.times.total
        self.wants_connection = False

    # What is noted before anything is done about it

    @property
    def body_bytes(self) -> int:
        """What has come of the body."""
        return self._body.size

    def note_whole(self, data: bytes) -> None:
        """The request is complete, and these are all its bytes: next time they need not be parsed."""
        self._raw = data

    def note_body(self, data: bytes) -> None:
        """A piece of the body was parsed. Nothing is done about it before proceed()."""
        self._body.add(data)
        self._has_news = True

    def note_end(self) -> None:
        """The request was parsed to its end."""
        self._body.is_whole = True
        self._completed_at = time.perf_counter()
        self._has_news = True

    def note_malformed(self) -> None:
        """The body cannot be parsed."""
        self._refusal = policy.Refuse("malformed-request", "The body is malformed.", closes=True)
        self._has_news = True

    # What else is known

    @property
    def _admitted(self) -> policy.Forward:
        if self._forward is None:
            raise RuntimeError("this request was not admitted")
        return self._forward

    @property
    def _answer_seconds(self) -> float:
        if self._is_stream:
            return self._shared.times.stream_idle
        return self._route.seconds_for(self._request.method)

    @property
    def _client(self) -> str:
        peer, proxies = self._requester.peer, self._shared.rules.trusted_proxies
        return policy.client_address(peer, self._admitted.head.forwarded_for, proxies) if proxies else peer

    @property
    def _route(self) -> Route:
        return self._admitted.route

    def _planned(self) -> Plan:
        plan = self._plan
        if plan is None:
            forward = self._admitted
            plan = self._plan = Plan(forward, self._shared.own_lines[forward.route.upstream])
            if self._raw:
                self._shared.seen.note(self._raw, plan, forward.head.bearer)
        return plan

    def _may_keep_alive(self) -> bool:
        # An answer to half a request is the last: the other half may never come.
        return self._keeps_alive and self._body.is_whole and not self._shared.is_draining

    def _wait(self, seconds: float) -> None:
        self._deadline = self._shared.loop.time() + seconds

    # What Exchange does

    def check(self, now: float) -> None:
        """Give up when the deadline of the stage, or of the whole, has passed."""
        raise NotImplementedError

    def _release(self) -> None:
        """Let go of all that is held for this request."""
        raise NotImplementedError
