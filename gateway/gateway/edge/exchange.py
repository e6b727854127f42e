"""One request on its way through the edge, and the answer on its way back."""

import logging
import math
import time
from random import getrandbits
from typing import Any, Final, Protocol

from chassis import ids
from chassis.problems import REFUSED_CHALLENGE
from gateway.edge import heads, policy, replies
from gateway.edge.body import NO_BODY, Body
from gateway.edge.cache import Copy, Flight, Validators
from gateway.edge.headers import BadReply, Fields, Head
from gateway.edge.limiter import Exhausted
from gateway.edge.observe import Outcome
from gateway.edge.paths import NotCanonical, canonical_path
from gateway.edge.pool import Pool
from gateway.edge.seen import Plan
from gateway.edge.shared import Shared
from gateway.edge.upstream import Connection, Failure
from gateway.routes import WEB, Credential, Route

_OK: Final = 200
_NOT_MODIFIED: Final = 304
_CLIENT_ERROR: Final = 400
_UNAUTHORIZED: Final = 401
_SERVER_ERROR: Final = 500
_MISS: Final = b"cache-status: mercato; fwd=miss\r\n"
_RETRY_SECONDS: Final = 2
_LONG_BYTES: Final = 16 * 1024
CLIENT_WENT: Final = 499
"""The status in logs and figures of a request whose client left before the answer."""

_CODES: Final = {
    Failure.REFUSED: "bad-gateway",
    Failure.BUSY: "unavailable",
    Failure.OPEN: "unavailable",
    Failure.LOST: "bad-gateway",
    Failure.INVALID: "bad-gateway",
}

_OUTCOMES: Final = {
    Failure.REFUSED: "not-sent",
    Failure.BUSY: "not-sent",
    Failure.OPEN: "not-sent",
    Failure.LOST: "unknown",
    Failure.INVALID: "unknown",
}

# By these names, for in 3.11 each mention of a member through its Enum costs 0.1 µs.
_NEVER_ASKED: Final = (Failure.BUSY, Failure.OPEN)

_logger = logging.getLogger(__name__)


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


_ASKS_UPSTREAM: Final = (Stage.CONNECTING, Stage.SENDING, Stage.WAITING)


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


class Exchange:
    """Moves one request through its stages. The policy decides, this only carries out.

    A body is collected up to a limit before an upstream is involved, so that a slow client keeps no
    service thread waiting; what is longer streams. A chunked body is collected whole and sent with its
    length, because a WSGI application cannot read one without.
    """

    __slots__ = (
        "_answers",
        "_asked",
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
        "_keeps_alive",
        "_plan",
        "_pool",
        "_quota",
        "_raw",
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
        plan: Plan | None = None,
    ) -> None:
        """refusal: what the transport found before there was anything to decide about; plan: that of a head
        that came before, which is the whole request.
        """
        self._shared = shared
        self._requester = requester
        self._request = request
        self._refusal = refusal
        self._plan = plan
        self._raw = b""
        self._forward: policy.Forward | None = None
        self._connection: Connection | None = None
        self._flight: Flight | None = None
        self._asked: Head | None = None
        self._spare: Copy | None = None
        self._stage: str = Stage.QUEUED
        self._pool: Pool
        self._body = Body() if plan is None else NO_BODY
        self._has_news = False
        self._is_held = False
        self._is_choked = False
        self._is_chunking = False
        self._is_dropping = False
        self._is_leading = False
        self._is_retried = False
        self._is_stream = False
        self._keeps_alive = False
        self._answers = 0
        self._quota = b""
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

    @property
    def body_bytes(self) -> int:
        """What has come of the body."""
        return self._body.size

    # What the client does

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

    # What the web answers

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

    # What others fetched

    def on_copy(self, copy: Copy) -> None:
        """What another has fetched, which may not be what this client asked for."""
        self._flight = None
        if copy.suits(self._planned().sent):
            self._answer_from(copy, "shared")
        else:
            self._fetch()

    def on_unshared(self) -> None:
        """Fetch it alone, or for those who come now."""
        self._flight = None
        self._fetch()

    def on_lead(self, flight: Flight) -> bool:
        """Fetch it for all who wait, if the answer will have a body."""
        if self._request.method != b"GET":
            self._flight = None
            self._admit()
            return False
        self._lead(flight)
        return True

    def on_no_copy(self, code: str, service: str) -> None:
        """Nobody gets it."""
        self._flight = None
        self._fail(code, service)

    # What the upstream does

    def on_connection(self, connection: Connection) -> None:
        """Send what there is of the request."""
        self.wants_connection = False
        self._connection = connection
        forward, plan, body = self._admitted, self._planned(), self._body
        head = heads.request_head(
            plan.start,
            forward,
            token=self._token,
            body_bytes=body.size,
            client=self._client,
            request_id=self._request_id,
            arrived_at=self._arrived_at() if forward.route.upstream == WEB else 0.0,
        )
        is_head_request = self._request.method == b"HEAD"
        self._stage = Stage.SENDING
        self._sent_at = time.perf_counter()
        data = head + self._take_body() if body.size or not body.is_whole else head
        if data is head:
            body.is_sent = True
            self._stage = Stage.WAITING
            self._wait(plan.answer_seconds)
        may_be_kept = data is head or body.is_surely_read
        connection.send(self, data, is_head_request=is_head_request, may_be_kept=may_be_kept)
        if not body.is_whole:
            self._requester.resume_body()

    def on_reply(
        self, status: int, fields: Fields, length: int | None, data: bytes, *, is_whole: bool
    ) -> None:
        """Pass on the head, and what has come of the body."""
        shared, forward = self._shared, self._admitted
        upstream = forward.route.upstream
        shared.figures.note_answer(upstream, status, time.perf_counter() - self._sent_at)
        self._pool.breaker.note_answer()
        if status == _UNAUTHORIZED and not self._token and policy.is_withheld(forward):
            # The service saw nobody and asks for a token; it is the scope that is missing.
            self._refuse(policy.refuse_scope(forward))
            return
        if status >= _SERVER_ERROR and self._spare is not None:
            self._fail("bad-gateway", upstream)
            return
        if status < _CLIENT_ERROR and self._request.method not in heads.SAFE and upstream != WEB:
            # What the web has for everybody are files, which no write changes.
            shared.cache.on_write(upstream)
        try:
            head = heads.reply_head(
                forward,
                self._planned().kind,
                status,
                fields,
                length=length,
                keeps_alive=self._may_keep_alive(),
                request_id=self._request_id,
                origin=shared.origin,
                own_line=self._quota + _MISS if self._is_leading else self._quota,
            )
        except (BadReply, ValueError) as exc:
            _logger.warning("An upstream's reply was refused.", extra={"reason": str(exc)})
            self._fail("bad-gateway", upstream)
            return
        if head.is_stream and not is_whole and not self._begin_stream():
            return
        self._stage = Stage.ANSWERING
        self._status = status
        self._is_chunking = head.is_chunked
        self._keeps_alive = head.keeps_alive
        sent_head = head.data
        flight = self._flight
        if flight is not None:
            flight.on_reply(status, fields, length, head.common, shared.loop.time())
            if (
                flight.validators is not None
                and self._asked is not None
                and flight.validators.are_known(self._asked)
            ):
                sent_head = self._not_modified(flight.validators)
        self._pass_on(sent_head, data, is_whole=is_whole)

    def on_data(self, data: bytes, *, is_whole: bool) -> None:
        """Pass on more of the body."""
        self._pass_on(b"", data, is_whole=is_whole)

    def on_failure(self, failure: Failure) -> None:
        """Try again if that is safe, else say so."""
        self.wants_connection = False
        self._connection = None
        if self._stage == Stage.ANSWERING:
            self._break_off()
        elif failure is Failure.LOST and self._request.method in heads.SAFE and not self._is_retried:
            self._is_retried = True
            self._shared.figures.note_retry(self._route.upstream)
            self._connect(fresh=True)
        else:
            self._shared.figures.note_no_answer(self._route.upstream, _OUTCOMES[failure])
            # A service that answers before it has read a long body closes, and its answer may get lost: a
            # client that sends such bodies could have it given up for all.
            if failure not in _NEVER_ASKED and not (failure is Failure.LOST and self._body.is_long):
                self._pool.note_failure(self, self._answers)
            self._fail(_CODES[failure], self._route.upstream)

    def hold_body(self) -> None:
        """The upstream is slower than the client."""
        self._is_held = True
        self._wait(self._answer_seconds)
        self._requester.hold_body()

    def resume_body(self) -> None:
        """The upstream has caught up."""
        self._is_held = False
        if self._stage == Stage.SENDING:
            self._wait(self._shared.times.body)
        self._requester.resume_body()

    # The stages

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
        peer, proxies = self._requester.peer, self._shared.trusted_proxies
        return policy.client_address(peer, self._admitted.head.forwarded_for, proxies) if proxies else peer

    @property
    def _route(self) -> Route:
        return self._admitted.route

    def _arrived_at(self) -> float:
        # When the request was complete: else a slow body could make a late request look like an early one.
        now = time.time()
        return now - (time.perf_counter() - self._completed_at) if self._body.is_whole else now

    def _decide(self) -> policy.Decision:
        if self._refusal is not None and not self._request.method:
            return self._refusal
        if self._plan is not None:
            decision = policy.admit(self._plan.forward, self._shared.rules, self._requester.peer)
        else:
            decision = policy.decide(self._request, self._shared.rules, self._requester.peer)
        if self._refusal is None or isinstance(decision, policy.Refuse):
            return decision
        # The answer to a malformed body is the same whether it was seen at once or only later.
        return self._refusal._replace(head=decision.head)

    def _planned(self) -> Plan:
        plan = self._plan
        if plan is None:
            forward = self._admitted
            plan = self._plan = Plan(forward, self._shared.own_lines[forward.route.upstream])
            if self._raw:
                self._shared.seen.note(self._raw, plan)
        return plan

    def _may_keep_alive(self) -> bool:
        # An answer to half a request is the last: the other half may never come.
        return self._keeps_alive and self._body.is_whole and not self._shared.is_draining

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

    def _is_within_limit(self) -> bool:
        # Counted is what goes on to a service, or asks the web who it is; what the edge answers is free.
        try:
            self._quota = self._shared.limiter.take(self._subject, "" if self._subject else self._client)
        except Exhausted as exc:
            fields = tuple(self._shared.limiter.refusal_fields(self._subject, exc))
            self._refuse(policy.Refuse("too-many-requests", fields=fields))
            return False
        return True

    def _is_given_up(self) -> bool:
        # Looked at again by the pool, for whoever is let through here may need long for its body.
        self._pool = self._shared.upstreams[self._admitted.route.upstream]
        breaker = self._pool.breaker
        if not breaker.is_open or breaker.seconds_left(self._shared.loop.time()) == 0:
            return False
        self._shared.figures.note_no_answer(self._route.upstream, "not-sent")
        self._fail("unavailable", self._route.upstream)
        return True

    def _begin_stream(self) -> bool:
        # Streams are not over soon: without a limit of their own they would take all places for the others.
        if self._pool.streams >= self._shared.limits.streams or self._requester is NOBODY:
            self._fail("unavailable", self._route.upstream)
            return False
        self._is_stream = True
        self._pool.streams += 1
        self._ends_at = self._shared.loop.time() + self._shared.times.stream
        return True

    def _tell_methods(self, methods: tuple[str, ...]) -> None:
        self._keeps_alive = self._may_keep_alive()
        reply = replies.options(methods, request_id=self._request_id, closes=not self._keeps_alive)
        self._requester.write(reply)
        self._finish(replies.NO_CONTENT)

    def _wait(self, seconds: float) -> None:
        self._deadline = self._shared.loop.time() + seconds

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

    def _look_up(self) -> None:
        cache, forward = self._shared.cache, self._admitted
        copy, now = cache.find(forward, self._planned().sent), self._shared.loop.time()
        if copy is not None and now < copy.revalidating_until:
            if now >= copy.fresh_until:
                self._renew(forward, now)
            self._answer_from(copy, "hit" if now < copy.fresh_until else "stale")
            return
        self._spare = copy if copy is not None and now < copy.on_error_until else None
        if not self._is_within_limit():
            return
        flight = cache.flight(forward)
        if flight is not None:
            self._flight = flight
            self._stage = Stage.SHARING
            self._wait(self._shared.times.queue + self._answer_seconds)
            flight.join(self)
            return
        self._shared.figures.note_cache("miss")
        self._fetch()

    def _fetch(self) -> None:
        cache, now = self._shared.cache, self._shared.loop.time()
        flight = cache.take_off(self._admitted, now) if self._request.method == b"GET" else None
        if flight is None:
            self._admit()
        else:
            self._lead(flight)

    def _lead(self, flight: Flight) -> None:
        self._flight = flight
        self._is_leading = True
        self._asked = self._admitted.head
        self._forward = flight.lead(self._admitted)
        self._plan = None  # It is not what the client sent.
        self._raw = b""
        self._admit()

    def _renew(self, forward: policy.Forward, now: float) -> None:
        flight = self._shared.cache.take_off(forward, now)
        if flight is None:
            return
        exchange = Exchange(self._shared, NOBODY, self._request._replace(method=b"GET"))
        exchange._forward = forward._replace(request=exchange._request)
        exchange._request_id = self._request_id
        exchange.note_end()
        self._shared.figures.in_flight += 1
        self._shared.renewing.add(exchange)
        exchange._lead(flight)

    def _answer_from(self, copy: Copy, outcome: str) -> None:
        self._shared.figures.note_cache(outcome)
        self._keeps_alive = self._may_keep_alive()
        is_known = copy.validators.are_known(self._admitted.head)
        head = copy.reply_head(
            is_known=is_known,
            now=self._shared.loop.time(),
            request_id=self._request_id,
            closes=not self._keeps_alive,
        )
        body = b"" if is_known or self._request.method == b"HEAD" else copy.body
        self._sent_bytes = len(body)
        if len(body) < _LONG_BYTES:
            self._requester.write(head + body)
        else:
            # However many do not read it, there is one in memory.
            self._requester.write(head)
            self._requester.write(body)
        self._finish(_NOT_MODIFIED if is_known else _OK)

    def _not_modified(self, validators: Validators) -> bytes:
        # The whole answer was asked for, to be kept; this client has it already.
        self._status = _NOT_MODIFIED
        self._is_chunking = False
        self._is_dropping = True
        own = b"x-request-id: %b\r\n" % self._request_id.encode() + _MISS + self._quota
        return validators.not_modified + own + (b"" if self._keeps_alive else replies.CLOSE_LINE) + b"\r\n"

    def _leave_flight(self) -> None:
        flight, self._flight = self._flight, None
        if flight is None:
            return
        if self._is_leading:
            flight.abandon()
        else:
            flight.leave(self)

    def _turn_away(self, decision: policy.Redirect | policy.Refuse) -> None:
        if isinstance(decision, policy.Redirect):
            self._redirect(decision)
        else:
            self._refuse(decision)

    def _redirect(self, decision: policy.Redirect) -> None:
        self._release()
        self._keeps_alive = self._may_keep_alive()
        reply = replies.redirect(
            decision.location,
            request_id=self._request_id,
            closes=not self._keeps_alive,
            quota=self._quota,
        )
        self._requester.write(reply)
        self._finish(replies.FOUND)

    def _go_without_scope(self, decision: policy.Forward | policy.Refuse) -> None:
        if isinstance(decision, policy.Refuse):
            self._refuse(decision)
        else:
            self._admit()  # Without a token: the service sees nobody.

    def _admit(self) -> None:
        if self._is_given_up():
            return
        if self._body.is_whole:
            if self._body.size:
                self._collect()
            else:
                self._connect()
            return
        self._stage = Stage.COLLECTING
        if self._admitted.head.expects_continue and not self._body.size:
            self._requester.write(replies.CONTINUE)
        self._collect()

    def _collect(self) -> None:
        if self._body.size > self._route.body_limit:
            self._refuse(policy.Refuse("content-too-large", closes=True))
        elif self._body.is_whole or self._has_enough():
            self._connect()
        else:
            self._wait(self._shared.times.body)
            self._requester.resume_body()

    def _has_enough(self) -> bool:
        return not self._admitted.head.is_chunked and self._body.size >= self._shared.limits.collected

    def _connect(self, *, fresh: bool = False) -> None:
        self._stage = Stage.CONNECTING
        if not self._body.is_whole:
            self._requester.hold_body()
        self.wants_connection = True
        self._answers = self._pool.breaker.answers
        self._pool.lend(self, fresh=fresh)
        if self.wants_connection:
            self._wait(self._shared.times.queue)

    def _take_body(self) -> bytes:
        # All that has come, to be sent at once; who is waited for next depends on whether that is all.
        data = self._body.take()
        if self._stage == Stage.SENDING:
            self._stage = Stage.WAITING if self._body.is_whole else Stage.SENDING
            self._wait(self._answer_seconds if self._body.is_whole else self._shared.times.body)
        return data

    def _pass_on(self, head: bytes, data: bytes, *, is_whole: bool) -> None:
        if self._flight is not None:
            self._keep(self._flight, data, is_whole=is_whole)
        if self._is_dropping:
            data = b""
        self._sent_bytes += len(data)
        if self._is_chunking:
            data = (b"%x\r\n%b\r\n" % (len(data), data) if data else b"") + (
                b"0\r\n\r\n" if is_whole else b""
            )
        if is_whole:
            self._connection = None
        else:
            self._wait(self._answer_seconds)
        if head or data:
            self._requester.write(head + data)
        if is_whole and self._stage != Stage.DONE:
            self._finish(self._status)

    def _keep(self, flight: Flight, data: bytes, *, is_whole: bool) -> None:
        flight.on_data(data, self._shared.loop.time(), is_whole=is_whole)
        if not flight.is_keeping:
            self._flight = None
            if self._is_choked and self._connection is not None and not is_whole:
                self._connection.pause_reading()

    def _spoil(self, refusal: policy.Refuse) -> None:
        # The client broke off or broke the rules in the middle of its request.
        if self._stage == Stage.ANSWERING:
            self._break_off()
        elif self._stage != Stage.DONE:
            self._refuse(refusal)

    def _break_off(self) -> None:
        if self._flight is not None:
            self._flight.fail("bad-gateway", self._route.upstream)
        self._release()
        self._note_outcome(self._status)
        self._requester.cut()

    def _fail(self, code: str, upstream: str) -> None:
        flight, self._flight = self._flight, None
        if flight is not None:
            flight.fail(code, upstream)
        spare, self._spare = self._spare, None
        if spare is not None:
            self._release()
            self._answer_from(spare, "on-error")
            return
        service = "gateway" if upstream == WEB else upstream
        left = self._shared.upstreams[upstream].breaker.seconds_left(self._shared.loop.time())
        fields = (("retry-after", str(math.ceil(left) or _RETRY_SECONDS)),)
        self._refuse(policy.Refuse(code, fields=fields), service=service)

    def _refuse(self, refusal: policy.Refuse, **extra: Any) -> None:
        self._release()
        self._shared.figures.note_refusal(refusal.code)
        self._keeps_alive = self._may_keep_alive() and not refusal.closes
        is_page = policy.is_answered_with_page(self._request, self._shared.rules.table)
        reply = replies.refusal(
            refusal.code,
            refusal.detail,
            request_id=self._request_id,
            fields=refusal.fields,
            closes=not self._keeps_alive,
            is_head=self._request.method == b"HEAD",
            is_page=is_page,
            quota=self._quota,
            **extra,
        )
        self._requester.write(reply)
        self._finish(replies.problem_status(refusal.code))

    def _report(self, path: bytes) -> None:
        is_ready = path == policy.LIVEZ or not self._shared.is_draining
        self._keeps_alive = self._may_keep_alive()
        self._requester.write(
            replies.report(
                200 if is_ready else 503,
                {"status": "ok" if is_ready else "draining"},
                request_id=self._request_id,
                closes=not self._keeps_alive,
                is_head=self._request.method == b"HEAD",
            )
        )
        self._finish(200 if is_ready else 503)

    def _release(self) -> None:
        self._leave_flight()
        if self._stage in _ASKS_UPSTREAM:
            self.wants_connection = False
            self._pool.give_up(self)
        self._body.drop()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    def _finish(self, status: int) -> None:
        self._note_outcome(status)
        self._requester.on_done(closes=not self._keeps_alive)

    def _note_outcome(self, status: int) -> None:
        self._stage = Stage.DONE
        if self._is_stream:
            self._pool.streams -= 1
        if isinstance(self._requester, Nobody):
            self._shared.renewing.discard(self)
            self._shared.figures.in_flight -= 1
            return
        plan = self._plan
        outcome = Outcome(
            self._request.method.decode() if plan is None else plan.method,
            self._path() if plan is None else plan.path,
            self._forward.route.prefix if self._forward is not None else "none",
            status,
            time.perf_counter() - self._started_at,
            self._sent_bytes,
            self._requester.peer,
            self._request_id,
            self._subject,
        )
        self._shared.journal.note(outcome)
        self._shared.figures.note(outcome)

    def _path(self) -> str:
        # A refused path may hold anything, and a log line must not.
        if self._forward is not None:
            return self._request.target.partition(b"?")[0].decode()
        try:
            return canonical_path(self._request.target).decode()
        except NotCanonical:
            return ""


def _new_request_id() -> str:
    # Sorts by time like the UUIDs of chassis.ids, without their system call: nobody gains by guessing it.
    return f"{time.time_ns() // 1_000_000:012x}{getrandbits(80):020x}"
