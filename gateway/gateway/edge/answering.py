"""The answers that the edge gives by itself, and the end of every request."""

import math
import time
from typing import Any, Final

from gateway.edge import policy, replies
from gateway.edge.cache import Copy
from gateway.edge.observe import Outcome
from gateway.edge.paths import NotCanonical, canonical_path
from gateway.edge.state import Nobody, Stage, State
from gateway.routes import WEB

_OK: Final = 200
_RETRY_SECONDS: Final = 2
_LONG_BYTES: Final = 16 * 1024


class Answering(State):
    """The layer that ends a request: whatever is asked for above, here it becomes bytes and an outcome."""

    __slots__ = ()

    def _tell_methods(self, methods: tuple[str, ...]) -> None:
        self._keeps_alive = self._may_keep_alive()
        reply = replies.options(methods, request_id=self._request_id, closes=not self._keeps_alive)
        self._requester.write(reply)
        self._finish(replies.NO_CONTENT)

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

    def _refuse(self, refusal: policy.Refuse, **extra: Any) -> None:
        self._release()
        self._reason = refusal.reason
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
        self._finish(replies.NOT_MODIFIED if is_known else _OK)

    def _finish(self, status: int) -> None:
        self._note_outcome(status)
        self._requester.on_done(closes=not self._keeps_alive)

    def _note_outcome(self, status: int) -> None:
        self._stage = Stage.DONE
        if self._is_stream:
            self._pool.streams -= 1
        if self._is_upload:
            self._end_upload()
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
            self._reason,
        )
        self._shared.journal.note(outcome)
        self._shared.figures.note(outcome)

    def _end_upload(self) -> None:
        self._is_upload = False
        self._pool.end_upload(self)

    def _path(self) -> str:
        # A refused path may hold anything, and a log line must not.
        if self._forward is not None:
            return self._request.target.partition(b"?")[0].decode()
        try:
            return canonical_path(self._request.target).decode()
        except NotCanonical:
            return ""
