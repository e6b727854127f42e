"""How many requests of one client go on to services, how many bad signatures are computed for one, and how
many connections it has.
"""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from chassis.tokens import InvalidToken, Principal, Verifier

_NOTHING: Final = -1e-3
"""What is left when nothing is: sums of fractions are not exact."""

_IPV6_NETWORK_BYTES: Final = 8


class Exhausted(Exception):
    """A client has nothing left; seconds until it has something again."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class Buckets:
    """A bucket of tokens for each key, which fills by itself.

    Kept as the one number of the generic cell rate algorithm (ITU-T I.371): the time at which the bucket
    will be full. Of too many keys those go that were not used for longest, whose buckets are the fullest.
    It is told the time, in seconds of any one clock that does not go back.
    """

    def __init__(self, *, per_second: float, burst: int, most_keys: int) -> None:
        self._interval = 1 / per_second
        self._burst_seconds = burst / per_second
        self._most_keys = most_keys
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self.burst = burst
        self.window_seconds = math.ceil(self._burst_seconds)
        """In which an empty bucket fills."""

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, now: float) -> tuple[float, float]:
        """Take one. How many are left, with a fraction, and in how many seconds the bucket is full again.

        Raises: Exhausted, when nothing was left, and nothing is taken.
        """
        buckets = self._full_at
        full_at = buckets.get(key, now)
        seconds = (full_at - now if full_at > now else 0.0) + self._interval
        left = (self._burst_seconds - seconds) / self._interval
        if left < _NOTHING:
            raise Exhausted(seconds - self._burst_seconds)
        buckets[key] = now + seconds
        buckets.move_to_end(key)
        if len(buckets) > self._most_keys:
            buckets.popitem(last=False)
        return left, seconds

    def check(self, key: str, now: float) -> None:
        """Raises: Exhausted, when nothing is left."""
        seconds = max(0.0, self._full_at.get(key, now) - now) + self._interval
        if (self._burst_seconds - seconds) / self._interval < _NOTHING:
            raise Exhausted(seconds - self._burst_seconds)


class Limiter:
    """The requests that go on to services, for each client: a verified subject, or an address."""

    def __init__(
        self,
        *,
        per_second: int,
        burst: int,
        most_keys: int,
        people_per_address: int,
        clock: Callable[[], float],
    ) -> None:
        """people_per_address: how many times more an address may than a subject."""
        people = people_per_address
        self._subjects = _Quota(Buckets(per_second=per_second, burst=burst, most_keys=most_keys))
        self._addresses = _Quota(
            Buckets(per_second=per_second * people, burst=burst * people, most_keys=most_keys)
        )
        self._clock = clock

    def take(self, subject: str, address: str) -> bytes:
        """Count a request. The header lines that tell its client what it has left.

        Raises: Exhausted.
        """
        if subject:
            return self._subjects.take(subject, self._clock())
        return self._addresses.take(network_of(address), self._clock())

    def refusal_fields(self, subject: str, exhausted: Exhausted) -> list[tuple[str, str]]:
        """The header fields of the answer to a request that was not let through."""
        return (self._subjects if subject else self._addresses).refusal_fields(exhausted)


class _Quota:
    """One size of buckets, and how it is told (draft-ietf-httpapi-ratelimit-headers-11)."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._policy = f'"client";q={buckets.burst};w={buckets.window_seconds}'
        self._lines = f'ratelimit-policy: {self._policy}\r\nratelimit: "client";r='.encode()

    def take(self, key: str, now: float) -> bytes:
        left, seconds = self._buckets.take(key, now)
        # t: the seconds until there is as much as can be.
        return b"%b%d;t=%d\r\n" % (self._lines, left - _NOTHING, seconds + 0.999)

    def refusal_fields(self, exhausted: Exhausted) -> list[tuple[str, str]]:
        return [
            ("retry-after", str(math.ceil(exhausted.seconds))),
            ("ratelimit-policy", self._policy),
            ("ratelimit", f'"client";r=0;t={self._buckets.window_seconds}'),
        ]


class Guesses:
    """Verifies tokens, and computes no more signatures for an address that has shown too many bad ones.

    A token that is known passes whatever its address did: nobody is locked out by a neighbor. One that is
    refused for its form costs nothing, for no signature was computed.
    """

    def __init__(
        self, verifier: Verifier, *, per_second: int, burst: int, most_keys: int, clock: Callable[[], float]
    ) -> None:
        self._verifier = verifier
        self._failed = Buckets(per_second=per_second, burst=burst, most_keys=most_keys)
        self._clock = clock

    def verify(self, token: str, address: str) -> Principal:
        """The principal of a token in compact form that came from this address.

        Raises: InvalidToken, Exhausted.
        """
        known = self._verifier.known(token)
        if known is not None:
            return known
        network, now = network_of(address), self._clock()
        is_computed = False

        def check() -> None:
            nonlocal is_computed
            self._failed.check(network, now)
            is_computed = True

        try:
            return self._verifier.verify(token, before_signature=check)
        except InvalidToken:
            if is_computed:
                self._failed.take(network, now)
            raise


class Addresses:
    """How many connections each address has that has any."""

    def __init__(self, most: float) -> None:
        """most: how many one may have, which is for others to see to."""
        self.most = most
        self._connections: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._connections)

    def count(self, address: str) -> int:
        """How many this one has."""
        return self._connections.get(network_of(address), 0)

    def add(self, address: str) -> None:
        """One more."""
        network = network_of(address)
        self._connections[network] = self._connections.get(network, 0) + 1

    def remove(self, address: str) -> None:
        """One less."""
        network = network_of(address)
        if self._connections[network] > 1:
            self._connections[network] -= 1
        else:
            del self._connections[network]


def network_of(address: str) -> str:
    """What one client may be told by: an IPv4 address, or the /64 of an IPv6 one."""
    return _network_of_ipv6(address) if ":" in address else address


@lru_cache(4096)
def _network_of_ipv6(address: str) -> str:
    parsed = ipaddress.IPv6Address(address)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return parsed.packed[:_IPV6_NETWORK_BYTES].hex()
