"""One request on its way through the edge, and the answer on its way back."""

import time
from random import getrandbits
from typing import Final

from chassis import ids
from chassis.problems import REFUSED_CHALLENGE
from gateway.edge import policy
from gateway.edge.sharing import Sharing
from gateway.edge.state import Stage
from gateway.routes import WEB, Credential

CLIENT_WENT: Final = 499
"""The status in logs and figures of a request whose client left before the answer."""

_ASKS_UPSTREAM: Final = (Stage.CONNECTING, Stage.SENDING, Stage.WAITING)


class Exchange(Sharing):
    """Moves one request through its stages. The policy decides, this only carries out.

    It is one object in five layers, each of which uses what is below it: State (what is known), Answering
    (what the edge says itself, and the end), Forwarding (to an upstream and back), Sharing (the cache), and
    this one: what the client does, who it is, and whose delay it was.
    """

    __slots__ = ()

    # What the client does

    def begin(self) -> None:
        """Decide; it is this request's turn to be answered."""
        self._has_news = False
        self._shared.figures.in_flight += 1
        decision = self._decide()
        head = decision.head
        self._keeps_alive = head is not None and head.keep_alive
        if head is not None and head.request_id:
            self._request_id = ids.request_id(head.request_id.decode("latin-1"))
        else:
            self._request_id = _new_request_id()
        if isinstance(decision, policy.Ask):
            self._ask(decision)
        elif isinstance(decision, policy.Forward):
            self._forward = decision
            if decision.route.is_cached and self._planned().is_shared:
                self._look_up()
            elif self._is_within_limit():
                self._admit()
        elif isinstance(decision, policy.Refuse):
            self._refuse(decision)
        elif isinstance(decision, policy.AskSession):
            self._ask_session(decision)
        elif isinstance(decision, policy.Redirect):
            self._redirect(decision)
        elif isinstance(decision, policy.Options):
            self._tell_methods(decision.methods)
        else:
            self._report(decision.path)

    def proceed(self) -> None:
        """Act on what was noted since the last call. Chunk sizes and trailers are not: they are no news."""
        if not self._has_news:
            return
        self._has_news = False
        if self._refusal is not None:
            self._spoil(self._refusal)
        elif self._connection is not None:
            if not self._body.is_sent:
                self._connection.write(self._take_body(), may_be_kept=self._body.is_surely_read)
        elif self._stage == Stage.COLLECTING:
            self._collect()
        elif self._body.size > self._shared.limits.collected and not self._body.is_whole:
            self._requester.hold_body()

    def abandon(self) -> None:
        """The client is gone."""
        if self._stage == Stage.DONE:
            return
        self._release()
        self._note_outcome(CLIENT_WENT)

    def pause_reply(self) -> None:
        """The client takes the answer slower than it comes."""
        self._is_choked = True
        # Others do not wait for this client: what they wait for is taken as it comes, for it is bounded.
        if self._connection is not None and not (self._flight is not None and self._flight.is_keeping):
            self._connection.pause_reading()

    def resume_reply(self) -> None:
        """The client has caught up."""
        self._is_choked = False
        if self._connection is not None:
            self._wait(self._answer_seconds)
            self._connection.resume_reading()

    # What the policy and the web say

    def _decide(self) -> policy.Decision:
        if self._refusal is not None and not self._request.method:
            return self._refusal
        if self._plan is not None:
            forward, rules = self._plan.forward, self._shared.rules
            decision = policy.admit(forward, self._bearer, rules, self._requester.peer)
        else:
            decision = policy.decide(self._request, self._shared.rules, self._requester.peer)
        if self._refusal is None or isinstance(decision, policy.Refuse):
            return decision
        # The answer to a malformed body is the same whether it was seen at once or only later.
        return self._refusal._replace(head=decision.head)

    def _ask(self, ask: policy.Ask) -> None:
        self._forward = ask.forward
        self._subject = ask.principal.sub
        if not self._is_within_limit():
            return
        token = self._shared.asks.known(ask)
        if token is not None:
            self._token = token
            self._admit()
            return
        self._stage = Stage.ASKING
        self._wait(self._shared.times.ask)
        self._shared.asks.ask(ask, self, self._request_id)

    def _ask_session(self, ask: policy.AskSession) -> None:
        self._forward = ask.forward
        if not self._is_within_limit():
            return
        self._stage = Stage.ASKING
        self._wait(self._shared.times.ask)
        self._shared.asks.ask_session(ask, self, self._request_id)

    def on_token(self, token: bytes, subject: str) -> None:
        """The token for the upstream is here."""
        if self._stage == Stage.ASKING:
            self._token = token
            self._subject = subject
            self._admit()

    def on_no_token(self, code: str) -> None:
        """There is no token, and code says why."""
        if self._stage != Stage.ASKING or self._forward is None:
            return
        if self._route.credential is Credential.STAFF and code in policy.SESSION_REFUSALS:
            self._turn_away(policy.refuse_session(self._forward, code))
        elif code == "insufficient-scope":
            self._go_without_scope(policy.decide_without_scope(self._forward))
        elif code == "invalid-token":
            self._refuse(policy.Refuse(code, fields=(("www-authenticate", REFUSED_CHALLENGE),)))
        else:
            self._fail(code, WEB)

    def _turn_away(self, decision: policy.Redirect | policy.Refuse) -> None:
        if isinstance(decision, policy.Redirect):
            self._redirect(decision)
        else:
            self._refuse(decision)

    def _go_without_scope(self, decision: policy.Forward | policy.Refuse) -> None:
        if isinstance(decision, policy.Refuse):
            self._refuse(decision)
        else:
            self._admit()  # Without a token: the service sees nobody.

    # How long it may take

    def check(self, now: float) -> None:
        """Give up when the deadline of the stage, or of the whole, has passed."""
        if self._is_stream and self._shared.is_draining:
            self._ends_at = min(self._ends_at, now + self._shared.times.drain)
        if now < self._ends_at and (now < self._deadline or self._is_excused(now)):
            return
        if self._stage == Stage.ANSWERING:
            self._break_off()
        elif self._stage == Stage.COLLECTING or (self._stage == Stage.SENDING and not self._is_held):
            self._spoil(policy.Refuse("request-timeout", closes=True))
        elif self._stage == Stage.ASKING:
            self._fail("unavailable", WEB)
        elif self._stage == Stage.SHARING:
            self._leave_flight()
            self._admit()
        elif self._stage == Stage.CONNECTING:
            self._shared.figures.note_no_answer(self._route.upstream, "not-sent")
            self._fail("unavailable", self._route.upstream)
        elif self._stage in {Stage.SENDING, Stage.WAITING}:
            self._shared.figures.note_no_answer(self._route.upstream, "unknown")
            if now >= self._deadline:  # Else the client took the time of the whole.
                self._pool.note_failure(self, self._answers)
            self._fail("upstream-timeout", self._route.upstream)

    def _is_excused(self, now: float) -> bool:
        # While an upstream is replaced its requests wait; the time of the whole goes on counting.
        if self._stage == Stage.ASKING:
            return self._shared.upstreams[WEB].is_excused(now, self._shared.times.ask)
        if self._stage == Stage.CONNECTING:
            return self._shared.upstreams[self._route.upstream].is_excused(now, self._shared.times.queue)
        if self._stage == Stage.SHARING:
            seconds = self._shared.times.queue + self._answer_seconds
            return self._shared.upstreams[self._route.upstream].is_excused(now, seconds)
        return False

    def _release(self) -> None:
        self._leave_flight()
        if self._stage in _ASKS_UPSTREAM:
            self.wants_connection = False
            self._pool.give_up(self)
            if self._stage != Stage.CONNECTING:
                self._note_write()  # It was sent and nobody will hear what came of it: it may have happened.
        self._body.drop()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()


def _new_request_id() -> str:
    # Sorts by time like the UUIDs of chassis.ids, without their system call: nobody gains by guessing it.
    return f"{time.time_ns() // 1_000_000:012x}{getrandbits(80):020x}"
