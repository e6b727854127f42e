#!/usr/bin/env python3
"""Put hostile services behind an edge: whatever they do, each request has its end and nothing is left over.

tests/fuzz/hostile.py [100000]

Says what became of the requests, and fails if an end was not one of those that may be, when a write was
sent twice, when another service became slow, or when connections, tasks, objects or memory have grown.
"""

import asyncio
import contextlib
import gc
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil

from gateway.edge.downstream import Client
from gateway.edge.exchange import Exchange
from gateway.edge.rehearsal import read_answers, roomy
from gateway.edge.testing import QUICK, Issuer, RunningEdge, Seen, json_reply
from gateway.edge.upstream import Connection

AT_ONCE = 128
BATCH = 512
RSS_BYTES = 24 * 1024 * 1024
PROBE_SECONDS = 2.0
TIMES = replace(QUICK, head=10.0, idle=10.0, connect=2.0, body=1.5, queue=2.0, ask=2.0, total=2.0, linger=0.1)
WATCHED = (Client, Exchange, Connection)
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOMB = zlib.compress(bytes(100 * 1024 * 1024), 9, wbits=31)
CUT, GONE = "cut", "gone"
# How any request may end in time on a machine that is busy with other things; not many of them.
LATE, MOST_LATE = {408, 503, 504}, 0.1


def says(data: bytes, *, closes: bool = False) -> Callable[[Seen], Awaitable[None]]:
    async def behave(seen: Seen) -> None:
        await seen.read_body()
        seen.reply(data)
        await seen.writer.drain()
        if closes:
            seen.writer.close()

    return behave


def says_and_hangs(data: bytes) -> Callable[[Seen], Awaitable[None]]:
    async def behave(seen: Seen) -> None:
        seen.reply(data)
        await seen.reader.read()  # Until the edge gives up.

    return behave


def says_and_resets(data: bytes) -> Callable[[Seen], Awaitable[None]]:
    async def behave(seen: Seen) -> None:
        await seen.read_body()
        seen.reply(data)
        await asyncio.sleep(0)
        seen.writer.transport.abort()

    return behave


async def never_ends(seen: Seen) -> None:
    while not seen.writer.is_closing():
        seen.reply(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await seen.writer.drain()


async def answers_early(seen: Seen) -> None:
    seen.reply(json_reply(status="409 Conflict"))
    await seen.reader.read()


@dataclass(frozen=True)
class Kind:
    """How a service behaves, and how a request to it may end: statuses, or CUT after the head."""

    behave: Callable[[Seen], Awaitable[None]]
    ends: set[int | str]
    method: str = "GET"


KINDS = {
    "is-well": Kind(says(json_reply()), {200}),
    "hangs": Kind(says_and_hangs(b""), {504}),
    "hangs-in-the-head": Kind(says_and_hangs(b"HTTP/1.1 200 OK\r\nContent-"), {504}),
    "hangs-in-the-body": Kind(says_and_hangs(JSON + b"Content-Length: 50\r\n\r\n{"), {CUT}),
    "resets": Kind(says_and_resets(b""), {502}),
    "resets-in-the-head": Kind(says_and_resets(b"HTTP/1.1 200 OK\r\nContent-"), {502}),
    "resets-in-the-body": Kind(says_and_resets(JSON + b"Content-Length: 50\r\n\r\n{"), {CUT, 502}),
    "resets-after-a-write": Kind(says_and_resets(b""), {502}, "POST"),
    "is-garbage": Kind(says(b"\0\1\2garbage\r\n\r\n"), {502}),
    "has-many-fields": Kind(says(JSON + b"A: b\r\n" * 10_000 + b"\r\n"), {502}),
    "has-a-long-head": Kind(says(JSON + b"A: " + b"b" * 1_000_000 + b"\r\n\r\n"), {502}),
    "is-short": Kind(says(JSON + b"Content-Length: 50\r\n\r\n{", closes=True), {CUT, 502}),
    "is-long": Kind(says(JSON + b"Content-Length: 2\r\n\r\n{}{}{}"), {200}),
    "never-ends-to-begin": Kind(never_ends, {502}),
    "is-badly-chunked": Kind(says(JSON + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n"), {CUT, 502}),
    "speaks-http-2": Kind(says(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), {502}),
    "answers-early": Kind(answers_early, {409}, "POST"),
    "answers-twice": Kind(says(json_reply() + json_reply(b'"poison"')), {200}),
    "is-a-bomb": Kind(says(json_reply(BOMB, extra=b"Content-Encoding: gzip\r\n")), {200}),
    "has-no-client": Kind(says_and_hangs(b""), {GONE}),
}


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@dataclass
class Trial:
    """Requests to hostile services, and what became of them."""

    edge: RunningEdge
    bearer: bytes = b""
    ends: Counter[tuple[str, int | str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    probes: list[float] = field(default_factory=list)
    late: int = 0
    writes: int = 0
    served_writes: int = 0

    async def put(self, count: int) -> None:
        """Send so many requests, each kind in turn, while another service is asked all the time."""
        names = list(KINDS)
        gate = asyncio.Semaphore(AT_ONCE)
        probing = asyncio.create_task(self._probe())
        for start in range(0, count, BATCH):
            token = self.edge.issuer.mint(exp=int(time.time()) + 900)  # One does not live as long as a trial.
            self.bearer = b"Authorization: Bearer %b\r\n" % token.encode()
            turns = range(start, min(count, start + BATCH))
            await asyncio.gather(*(self._one(names[turn % len(names)], gate) for turn in turns))
            seen = [seen.start for seen in self.edge.wallet.seen]
            self.served_writes += sum(line.startswith("POST") for line in seen)
            self.edge.wallet.seen.clear()
            self.edge.web.seen.clear()
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)

    async def _one(self, name: str, gate: asyncio.Semaphore) -> None:
        kind = KINDS[name]
        async with gate:
            end = await self._end(name, kind)
        self.ends[name, end] += 1
        self.writes += kind.method == "POST"
        if end in LATE and end not in kind.ends:
            self.late += 1
        elif end not in kind.ends:
            self.wrong.append(f"{name}: {end}")

    async def _end(self, name: str, kind: Kind) -> int | str:
        head = (
            f"{kind.method} /api/v1/wallet/{name} HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n"
        )
        body = b"Content-Length: 2\r\n\r\n{}"
        if name == "answers-early":
            body = b"Content-Length: 200000\r\n\r\n" + bytes(100_000)
        request = head.encode() + self.bearer + (body if kind.method == "POST" else b"\r\n")
        async with connected(self.edge.port) as (reader, writer):
            writer.write(request)
            if kind.ends == {GONE}:
                await asyncio.sleep(0.02)
                return GONE
            data = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := await asyncio.wait_for(reader.read(65_536), 20):
                    data += piece
        return read_end(name, kind, data)

    async def _probe(self) -> None:
        while True:
            started_at = time.monotonic()
            async with connected(self.edge.port) as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n")
                data = await reader.read()
            self.probes.append(time.monotonic() - started_at)
            if not data.startswith(b"HTTP/1.1 200 "):
                self.wrong.append(f"another service: {data[:40]!r}")
            await asyncio.sleep(0.05)


def read_end(name: str, kind: Kind, data: bytes) -> int | str:
    """What the client got: a status, CUT, or what is wrong with it."""
    answers = read_answers(data, methods=[kind.method.encode()], is_ended=True)
    if len(answers) != 1 or b"poison" in data:
        return f"{len(answers)} answers"
    (answer,) = answers
    if answer.status >= 500 and b"content-type: application/problem+json" not in answer.fields:
        return "no problem document"
    if name == "is-a-bomb" and answer.status == 200 and answer.body != BOMB:
        return "another body"
    return answer.status if answer.is_whole else CUT


def left_over(edge: RunningEdge) -> dict[str, int]:
    """What is there when nothing happens any more."""

    async def count() -> dict[str, int]:
        shared = edge.edge.shared
        for pool in shared.upstreams.values():
            pool.hold(shared.loop.time())  # No connection is kept; the next tick goes on.
        await asyncio.sleep(0.3)
        gc.collect()
        found = Counter(
            type(thing).__name__ for thing in gc.get_objects() if issubclass(type(thing), WATCHED)
        )
        return {
            **{kind.__name__: found[kind.__name__] for kind in WATCHED},
            "clients": len(shared.clients),
            "connections": shared.figures.connections,
            "in flight": shared.figures.in_flight,
            **{f"connections to {name}": pool.open_connections for name, pool in shared.upstreams.items()},
            "queued": sum(pool.queued for pool in shared.upstreams.values()),
            "tasks": len(asyncio.all_tasks()),
            "files": psutil.Process().num_fds(),
        }

    ends_at = time.monotonic() + 10
    found: dict[str, int] = edge.run(count())
    while (found["Client"] or found["Connection"]) and time.monotonic() < ends_at:
        found = edge.run(count())
    return found


def try_all(folder: Path, count: int, warm_up: int = 0) -> dict[str, Any]:
    """What became of so many requests, after some that fill what is meant to stay."""
    issuer = Issuer(folder)
    edge = RunningEdge(issuer, times=TIMES, limits=roomy(upstream_connections=2 * AT_ONCE))

    async def misbehave(seen: Seen) -> None:
        await KINDS[seen.start.rpartition("/")[2]].behave(seen)

    edge.wallet.behave = misbehave
    try:
        asyncio.run(Trial(edge).put(warm_up or 2 * len(KINDS)))
        before, rss = left_over(edge), psutil.Process().memory_info().rss
        trial = Trial(edge)
        started_at = time.monotonic()
        asyncio.run(trial.put(count))
        seconds = time.monotonic() - started_at
        edge.log.truncate(0)
        after, grown = left_over(edge), psutil.Process().memory_info().rss - rss
    finally:
        edge.close()
    probes = sorted(trial.probes)
    return {
        "ends": {f"{name}: {end}": number for (name, end), number in sorted(trial.ends.items(), key=str)},
        "wrong": dict(Counter(trial.wrong)),
        "late": trial.late / count,
        "writes": trial.writes,
        "served writes": trial.served_writes,
        "seconds": round(seconds, 1),
        "another service p50 ms": round(1000 * probes[len(probes) // 2], 1),
        "another service p99 ms": round(1000 * probes[len(probes) * 99 // 100], 1),
        "grown": {what: after[what] - before[what] for what in after if after[what] > before[what]},
        "rss grown MB": round(grown / 1024 / 1024, 1),
    }


def faults(found: dict[str, Any]) -> list[str]:
    """What should not be in it."""
    return [
        *found["wrong"],
        *(f"{what} grew by {by}" for what, by in found["grown"].items()),
        *(["a write was sent twice"] if found["served writes"] > found["writes"] else []),
        *(["many were late"] if found["late"] > MOST_LATE else []),
        *(["memory grew"] if found["rss grown MB"] * 1024 * 1024 > RSS_BYTES else []),
        *(["another service became slow"] if found["another service p99 ms"] > 1000 * PROBE_SECONDS else []),
    ]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as keys:
        found = try_all(Path(keys), int(sys.argv[1]) if sys.argv[1:] else 100_000, warm_up=2000)
    for what, value in found.items():
        print(f"{what}: {value}")
    sys.exit("\n".join(faults(found)) or None)
