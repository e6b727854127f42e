"""Keeps requests from a service that does not answer, which would cost them their time and others a place."""


class Breaker:
    """Opens when so many requests in a row got no answer; when it has been open for long enough one request
    may try again, and what becomes of that one decides. It is told the time, in seconds of any one clock.
    """

    __slots__ = ("_failures", "_most_failures", "_open_seconds", "_probe", "_until", "answers")

    def __init__(self, failures: int, open_seconds: float) -> None:
        self._most_failures = failures
        self._open_seconds = open_seconds
        self._failures = 0
        self._until: float | None = None
        self._probe: object = None
        self.answers = 0
        """How many there were. Whoever fails tells how many there were when it began: a request that others
        have overtaken says something about itself, and nothing about the service."""

    @property
    def is_open(self) -> bool:
        """Whether the service was given up and has not answered since."""
        return self._until is not None

    def seconds_left(self, now: float) -> float:
        """How long a request that comes now has to wait before it may be made; 0 when it may."""
        if self._until is None:
            return 0.0
        # How long the one that tries will take nobody knows.
        return max(self._until - now, 1.0 if self._probe is not None else 0.0)

    def permits(self, who: object, now: float) -> bool:
        """Whether this request may be made. One that tries again has to tell what came of it, or leave()."""
        if self._until is None or who is self._probe:
            return True
        if self.seconds_left(now) > 0:
            return False
        self._probe = who
        return True

    def note_answer(self) -> None:
        """The service has answered somebody, so it is alive."""
        self.answers += 1
        if self._failures:
            self._close()

    def note_failure(self, who: object, answers: int, now: float) -> None:
        """The service has not answered, and had given so many answers when this request began."""
        if self._until is not None:
            if who is self._probe:
                self._open(now)
        elif answers == self.answers:
            self._failures += 1
            if self._failures >= self._most_failures:
                self._open(now)

    def leave(self, who: object) -> None:
        """This request ended and says nothing about the service; if it was to try, another may."""
        if who is self._probe:
            self._probe = None

    def reset(self) -> None:
        """Begin with a clean sheet: the service is another one now."""
        self.answers += 1
        self._close()

    def _open(self, now: float) -> None:
        self._probe = None
        self._until = now + self._open_seconds

    def _close(self) -> None:
        self._failures = 0
        self._probe = None
        self._until = None
