"""Load by wrk, and what it says of it."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contestants import PATH, Contestant
from processes import cpu_seconds, find, resident_mb

CONNECTIONS: Final = 32

# Requests are made before the load begins; each takes any token, for in turns they would meet caches that
# forget the oldest at their worst.
_SCRIPT: Final = """
local requests = {}
function init(args)
  for token in io.lines(args[1]) do
    local headers = {["Host"] = "localhost:8000", ["Authorization"] = "Bearer " .. token}
    requests[#requests + 1] = wrk.format("GET", nil, headers)
  end
end
function request()
  return requests[math.random(#requests)]
end
"""

# Clients who think between an answer and the next request, for as long as it happens (exponentially): so many
# of them ask almost as often however long the answers take.
_THINKING: Final = """
local mean = 0
function init(args)
  mean = tonumber(args[1])
  math.randomseed(tonumber(args[2]))
end
function delay()
  return math.floor(0.5 - math.log(1 - math.random()) * mean)
end
"""
_THINKERS: Final = 256

# On a machine that is far too busy a connection can take longer than a proxy waits for it.
_MOST_WRONG: Final = 0.001
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True)
class Slice:
    """What one slice of load came to. cpu_us: microseconds of CPU a request, of the whole process tree."""

    requests: int
    cpu_us: float
    rate: float
    p50_ms: float
    p99_ms: float
    memory_mb: float


class Wrk:
    """The load generator, on one thread."""

    def __init__(self, folder: Path) -> None:
        path = find("wrk")
        if path is None:
            sys.exit("bench/edge: wrk is not installed (apt-get install wrk haproxy)")
        self._path = path
        self._folder = folder
        self._script = folder / "tokens.lua"
        self._script.write_text(_SCRIPT)

    def latency(self, port: int, token: str, *, rate: float, seconds: int) -> tuple[float, float]:
        """Median and 99th percentile of the wait for an answer in milliseconds, at about so many requests a
        second of clients who do not wait for one another.
        """
        thinking = self._folder / "thinking.lua"
        thinking.write_text(_THINKING)
        said = self._run(
            *("-t1", f"-c{_THINKERS}", f"-d{seconds}s", "-s", str(thinking)),
            *("-H", "Host: localhost:8000", "-H", f"Authorization: Bearer {token}"),
            *(f"http://127.0.0.1:{port}{PATH}", "--", str(_THINKERS / rate * 1000), str(os.getpid())),
        )
        if "Non-2xx" in said or "Socket errors" in said:
            sys.exit(f"bench/edge: not every answer was as it should be:\n{said}")
        return _millis("50", said), _millis("99", said)

    def load(
        self,
        contestant: Contestant,
        tokens: list[str],
        *,
        seconds: int,
        connections: int = CONNECTIONS,
        path: str = PATH,
        refused: bool = False,
    ) -> Slice:
        """Load it for some seconds; answers must be 2xx, or none when all are to be refused."""
        arguments = ["-H", "Host: localhost:8000"]
        after = []
        if len(tokens) == 1:
            arguments += ["-H", f"Authorization: Bearer {tokens[0]}"]
        elif tokens:
            listed = self._folder / "tokens.txt"
            listed.write_text("\n".join(tokens))
            arguments += ["-s", str(self._script)]
            after = ["--", str(listed)]
        before = cpu_seconds(contestant.process)
        said = self._run(
            *("-t1", f"-c{connections}", f"-d{seconds}s", *arguments),
            *(f"http://127.0.0.1:{contestant.port}{path}", *after),
        )
        used = cpu_seconds(contestant.process) - before
        requests = int(_number(r"(\d+) requests in", said))
        failed = int(_number(r"Non-2xx or 3xx responses: (\d+)", said, "0"))
        wrong = requests - failed if refused else failed
        if wrong > requests * _MOST_WRONG or re.search(
            r"Socket errors: (?!connect 0, read 0, write 0)", said
        ):
            sys.exit(f"bench/edge: {contestant.label} did not answer as it should:\n{said}")
        return Slice(
            requests=requests,
            cpu_us=used / requests * 1_000_000,
            rate=_number(r"Requests/sec:\s+([\d.]+)", said),
            p50_ms=_millis("50", said),
            p99_ms=_millis("99", said),
            memory_mb=resident_mb(contestant.process),
        )

    def _run(self, *arguments: str) -> str:
        command = [self._path, "--latency", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _number(pattern: str, said: str, default: str | None = None) -> float:
    match = re.search(pattern, said)
    if match is None and default is None:
        sys.exit(f"bench/edge: wrk said something unexpected:\n{said}")
    return float(match[1] if match else default or 0)


def _millis(percentile: str, said: str) -> float:
    match = re.search(rf"{percentile}%\s+([\d.]+)(us|ms|s|m)", said)
    if match is None:
        sys.exit(f"bench/edge: wrk said something unexpected:\n{said}")
    return float(match[1]) * _SECONDS[match[2]] * 1000
