"""What is asked for by many: answered from a copy, or fetched once for all who want it."""

from gateway.edge import policy
from gateway.edge.cache import Copy, Flight
from gateway.edge.forwarding import Forwarding
from gateway.edge.state import NOBODY, Stage


class Sharing(Forwarding):
    """The layer that asks the cache first. One request leads a flight, the others wait for it (Waiters)."""

    __slots__ = ()

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
        exchange = type(self)(self._shared, NOBODY, self._request._replace(method=b"GET"))
        exchange._forward = forward._replace(request=exchange._request)
        exchange._request_id = self._request_id
        exchange.note_end()
        self._shared.figures.in_flight += 1
        self._shared.renewing.add(exchange)
        exchange._lead(flight)

    def _leave_flight(self) -> None:
        flight, self._flight = self._flight, None
        if flight is None:
            return
        if self._is_leading:
            flight.abandon()
        else:
            flight.leave(self)

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
