"""The way to an upstream and back."""

import logging
import time
from typing import Final

from gateway.edge import heads, policy, replies
from gateway.edge.answering import Answering
from gateway.edge.cache import Flight, Validators
from gateway.edge.headers import BadReply, Fields
from gateway.edge.limiter import Exhausted
from gateway.edge.state import NOBODY, Stage
from gateway.edge.upstream import Connection, Failure
from gateway.routes import WEB

_CLIENT_ERROR: Final = 400
_UNAUTHORIZED: Final = 401
_SERVER_ERROR: Final = 500
_MISS: Final = b"cache-status: mercato; fwd=miss\r\n"

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


class Forwarding(Answering):
    """The layer that borrows a connection, sends what was admitted and passes on what comes (a Borrower).

    A body is collected up to a limit before an upstream is involved, so that a slow client keeps no
    service thread waiting; what is longer streams. A chunked body is collected whole and sent with its
    length, because a WSGI application cannot read one without.
    """

    __slots__ = ()

    def _is_within_limit(self) -> bool:
        # Counted is what goes on to a service, or asks the web who it is; what the edge answers is free.
        try:
            self._quota = self._shared.limiter.take(self._subject, "" if self._subject else self._client)
        except Exhausted as exc:
            fields = tuple(self._shared.limiter.refusal_fields(self._subject, exc))
            self._refuse(policy.Refuse("too-many-requests", fields=fields))
            return False
        return True

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

    def _is_given_up(self) -> bool:
        # Looked at again by the pool, for whoever is let through here may need long for its body.
        self._pool = self._shared.upstreams[self._admitted.route.upstream]
        breaker = self._pool.breaker
        if not breaker.is_open or breaker.seconds_left(self._shared.loop.time()) == 0:
            return False
        self._shared.figures.note_no_answer(self._route.upstream, "not-sent")
        self._fail("unavailable", self._route.upstream)
        return True

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
        self.wants_connection = True
        self._answers = self._pool.breaker.answers
        if self._body.is_whole:
            self._pool.lend(self, fresh=fresh)
        else:
            self._requester.hold_body()
            self._is_upload = True
            self._pool.lend_to_upload(self)
        if self.wants_connection:
            self._wait(self._shared.times.queue)

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
        if status < _CLIENT_ERROR:
            self._note_write()
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

    # What goes there and comes back

    def _arrived_at(self) -> float:
        # When the request was complete: else a slow body could make a late request look like an early one.
        now = time.time()
        return now - (time.perf_counter() - self._completed_at) if self._body.is_whole else now

    def _take_body(self) -> bytes:
        # All that has come, to be sent at once; who is waited for next depends on whether that is all.
        data = self._body.take()
        if self._is_upload and self._body.is_whole:
            self._end_upload()
        if self._stage == Stage.SENDING:
            self._stage = Stage.WAITING if self._body.is_whole else Stage.SENDING
            self._wait(self._answer_seconds if self._body.is_whole else self._shared.times.body)
        return data

    def _note_write(self) -> None:
        # What the web has for everybody are files, which no write changes.
        if self._request.method not in heads.SAFE and self._route.upstream != WEB:
            self._shared.cache.on_write(self._route.upstream)

    def _begin_stream(self) -> bool:
        # Streams are not over soon: without a limit of their own they would take all places for the others.
        if self._pool.streams >= self._shared.limits.streams or self._requester is NOBODY:
            self._fail("unavailable", self._route.upstream)
            return False
        self._is_stream = True
        self._pool.streams += 1
        self._ends_at = self._shared.loop.time() + self._shared.times.stream
        return True

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

    def _not_modified(self, validators: Validators) -> bytes:
        # The whole answer was asked for, to be kept; this client has it already.
        self._status = replies.NOT_MODIFIED
        self._is_chunking = False
        self._is_dropping = True
        own = b"x-request-id: %b\r\n" % self._request_id.encode() + _MISS + self._quota
        return validators.not_modified + own + (b"" if self._keeps_alive else replies.CLOSE_LINE) + b"\r\n"
