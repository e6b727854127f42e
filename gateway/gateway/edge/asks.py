"""Asks: the web mints what the edge may not, a token addressed to one service alone."""

import json
import re
import time
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from chassis.tokens import MAX_TOKEN_BYTES, Keys
from gateway.edge import policy
from gateway.edge.config import Limits, Times
from gateway.edge.headers import Fields
from gateway.edge.observe import Figures
from gateway.edge.pool import Pool
from gateway.edge.upstream import Connection, Failure

MAX_ANSWER_BYTES: Final = 16 * 1024
MAX_KEPT_SECONDS: Final = 120

# By status: what it means, and the one code that makes it mean something else.
_REFUSALS: Final = {
    401: ("invalid-token", "step-up-required"),
    403: ("insufficient-scope", "second-factor-required"),
}
_SUBJECT: Final = re.compile(r"[A-Za-z0-9:_-]{1,64}", re.ASCII)
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


class Minted(NamedTuple):
    """A token of a subject for one audience, good until expires_at (Unix seconds)."""

    token: bytes
    expires_at: float
    subject: str


class Asker(Protocol):
    """Who waits for a token."""

    def on_token(self, token: bytes, subject: str) -> None:
        """The web minted it for this subject."""

    def on_no_token(self, code: str) -> None:
        """The web said no, or nothing; code is one of the problem catalogue."""


class Asks:
    """Tokens minted by the web, kept until they expire and asked for once however many wait.

    They are kept by (jti, audience): a signature can be altered without breaking it, so the text of a
    bearer is no key. Those for sessions are not kept at all: each request is one question, so a session
    that has ended gives nothing more.
    """

    def __init__(
        self,
        web: Pool,
        keys: Keys,
        *,
        host: str,
        edge_key: str,
        times: Times,
        limits: Limits,
        figures: Figures,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """host is the origin's, which the web expects."""
        self.web = web
        self._keys = keys
        self._version = keys.current().version
        self._head = f"POST /internal/token HTTP/1.1\r\nhost: {host}\r\nx-edge-key: {edge_key}\r\n"
        self._times = times
        self._limits = limits
        self._figures = figures
        self._clock = clock
        self._minted: dict[tuple[str, str], Minted] = {}
        self._calls: dict[tuple[str, str], _Call] = {}
        self._of_sessions: set[_Call] = set()

    def known(self, ask: policy.Ask) -> bytes | None:
        """The token for this request when there is a live one."""
        version = self._keys.current().version
        if version != self._version:
            # What was kept may be signed by a key that was withdrawn.
            self._version = version
            self._minted.clear()
        minted = self._minted.get((ask.principal.jti, ask.forward.route.audience))
        return minted.token if minted is not None and minted.expires_at > self._clock() else None

    def ask(self, ask: policy.Ask, asker: Asker, request_id: str) -> None:
        """Tell the asker, when the web has answered, the token for this request, which is not known."""
        key = (ask.principal.jti, ask.forward.route.audience)
        call = self._calls.get(key)
        if call is not None:
            call.askers.append(asker)
            return
        question: dict[str, str | bool] = {"bearer": ask.bearer, "audience": key[1]}
        call = _Call(self, question, request_id, self._head, key=key, subject=ask.principal.sub)
        self._calls[key] = call
        call.askers.append(asker)
        self.web.lend(call)

    def ask_session(self, ask: policy.AskSession, asker: Asker, request_id: str) -> None:
        """Tell the asker, when the web has answered, the token for this one request."""
        question: dict[str, str | bool] = {"session": ask.session, "audience": ask.forward.route.audience}
        if policy.is_write(ask.forward):
            question["write"] = True
        call = _Call(self, question, request_id, self._head)
        self._of_sessions.add(call)
        call.askers.append(asker)
        self.web.lend(call)

    def expire(self, now: float) -> None:
        """Give up on calls that have waited too long; now is the time of the event loop."""
        for call in [*self._calls.values(), *self._of_sessions]:
            call.expire(now, self._times.ask, is_excused=self.web.is_excused(now, self._times.ask))

    def retry(self, call: "_Call") -> None:
        """Send a call again on a fresh connection."""
        self._figures.note_retry(self.web.name)
        self.web.lend(call, fresh=True)

    def settle(self, call: "_Call", status: int, body: bytes) -> None:
        """Take the web's answer to a call (status 0: there was none) and tell everyone who waits."""
        if call.key is not None:
            del self._calls[call.key]
        self._of_sessions.discard(call)
        self.web.give_up(call)
        minted = self._read(call.subject, body) if status == 200 else None
        if minted is not None and call.key is not None:
            self._remember(call.key, minted)
        self._figures.note_ask("minted" if minted else "refused" if status in {401, 403} else "failed")
        code = _refusal(status, body, is_session=call.key is None)
        for asker in call.askers:
            if minted is not None:
                asker.on_token(minted.token, minted.subject)
            else:
                asker.on_no_token(code)

    def _read(self, expected: str, body: bytes) -> Minted | None:
        try:
            answer = json.loads(body)
            token, expires_at, subject = answer["token"], answer["exp"], answer["sub"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        # It becomes a header field, so it is not taken on trust even from the web; the subject is logged.
        if not isinstance(token, str) or len(token) > MAX_TOKEN_BYTES or not _TOKEN.fullmatch(token):
            return None
        if type(expires_at) is not int or not isinstance(subject, str):
            return None
        if subject != expected if expected else not _SUBJECT.fullmatch(subject):
            return None
        return Minted(token.encode(), min(expires_at, self._clock() + MAX_KEPT_SECONDS), subject)

    def _remember(self, key: tuple[str, str], minted: Minted) -> None:
        self._minted.pop(key, None)
        while len(self._minted) >= self._limits.minted:
            del self._minted[next(iter(self._minted))]
        self._minted[key] = minted


def _refusal(status: int, body: bytes, *, is_session: bool) -> str:
    # Of what the web says only what is known here becomes an answer.
    if status not in _REFUSALS:
        return "unavailable"
    usual, special = _REFUSALS[status]
    try:
        is_special = is_session and json.loads(body)["code"] == special
    except (ValueError, TypeError, KeyError, RecursionError):
        is_special = False
    return special if is_special else usual


class _Call:
    """One question to the web. Asking twice does no harm, so a stale connection is tried again once.

    key: under which the answer is kept, None for one that is not; subject: whom it must be about, if known.
    """

    def __init__(
        self,
        asks: Asks,
        question: dict[str, str | bool],
        request_id: str,
        head: str,
        *,
        key: tuple[str, str] | None = None,
        subject: str = "",
    ) -> None:
        body = json.dumps(question).encode()
        rest = f"content-type: application/json\r\nx-request-id: {request_id}\r\ncontent-length: {len(body)}"
        self.askers: list[Asker] = []
        self.wants_connection = True
        self.key = key
        self.subject = subject
        self._asks = asks
        self._request = f"{head}{rest}\r\n\r\n".encode() + body
        self._connection: Connection | None = None
        self._answers = asks.web.breaker.answers
        self._is_retried = False
        self._started_at: float | None = None
        self._status = 0
        self._answer = b""

    def expire(self, now: float, seconds: float, *, is_excused: bool) -> None:
        if self._started_at is None:
            self._started_at = now
        elif now - self._started_at > seconds and not is_excused:
            if self._connection is not None:
                self._asks.web.note_failure(self, self._answers)
            self._settle(0)

    def on_connection(self, connection: Connection) -> None:
        self._connection = connection
        connection.send(self, self._request, is_head_request=False, may_be_kept=True)

    def on_reply(
        self, status: int, fields: Fields, length: int | None, data: bytes, *, is_whole: bool
    ) -> None:
        self._status = status
        self._asks.web.breaker.note_answer()
        self.on_data(data, is_whole=is_whole)

    def on_data(self, data: bytes, *, is_whole: bool) -> None:
        self._answer += data
        if len(self._answer) > MAX_ANSWER_BYTES:
            self._settle(0)
        elif is_whole:
            self._connection = None
            self._settle(self._status)

    def on_failure(self, failure: Failure) -> None:
        self._connection = None
        if failure is Failure.LOST and not self._status and not self._is_retried:
            self._is_retried = True
            self._asks.retry(self)
        else:
            if not self._status and failure not in {Failure.BUSY, Failure.OPEN}:
                self._asks.web.note_failure(self, self._answers)
            self._settle(0)

    def hold_body(self) -> None:
        """The question is one small write."""

    def resume_body(self) -> None:
        """The question is one small write."""

    def _settle(self, status: int) -> None:
        self.wants_connection = False
        if self._connection is not None:
            self._connection.abort()
        self._asks.settle(self, status, self._answer)
