"""The supervisor's end of the line to an edge, on which it asks that requests wait for a moment."""

import json
import socket
from typing import Any, BinaryIO

from mercato.failures import Failure

_ANSWER_SECONDS = 15.0


class EdgeIsSilent(Failure):
    """An edge does not answer its supervisor."""


class EdgeControl:
    """A line to one edge: a socket pair, whose other end the edge inherits when it is started."""

    def __init__(self) -> None:
        self._socket, self._other = socket.socketpair()
        self._socket.settimeout(_ANSWER_SECONDS)
        self._answers: BinaryIO = self._socket.makefile("rb")

    @property
    def descriptor(self) -> int:
        """What the edge inherits."""
        return self._other.fileno()

    def is_handed_over(self) -> None:
        """The edge has its end now; to keep it here would hide the edge's death."""
        self._other.close()

    def close(self) -> None:
        """Hang up. The edge goes on, and holds nothing any more."""
        self._answers.close()
        self._socket.close()
        self._other.close()

    def look(self) -> None:
        """Return once the edge listens.

        Raises: EdgeIsSilent.
        """
        self._ask(do="look")

    def hold(self, upstreams: tuple[str, ...], *, seconds: float, quiet_seconds: float) -> bool:
        """Have the requests to these upstreams wait until resume(), `seconds` at most.

        Returns when those under way have ended, and True, or after `quiet_seconds`. Raises: EdgeIsSilent.
        """
        answer = self._ask(do="hold", upstreams=upstreams, seconds=seconds, quiet_seconds=quiet_seconds)
        return answer["is_quiet"] is True

    def resume(self, upstreams: tuple[str, ...]) -> None:
        """Let the requests go on.

        Raises: EdgeIsSilent.
        """
        self._ask(do="resume", upstreams=upstreams)

    def retire(self) -> None:
        """Have the edge stop listening, and end when the last of its clients has gone.

        Raises: EdgeIsSilent.
        """
        self._ask(do="retire")

    def _ask(self, **question: Any) -> dict[str, Any]:  # Any: JSON.
        try:
            self._socket.sendall(json.dumps(question).encode() + b"\n")
            line = self._answers.readline()
        except OSError as exc:
            raise EdgeIsSilent(f"the edge does not answer {question['do']!r}") from exc
        answer: dict[str, Any] = json.loads(line) if line else {}
        if not answer.get("ok"):
            raise EdgeIsSilent(f"the edge does not answer {question['do']!r}")
        return answer
