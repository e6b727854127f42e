"""What is measured besides the comparison: the edge's cache, the waits, more workers, its memory."""

import contextlib
import resource
import sys
from statistics import median
from typing import Any, Final

from contestants import CACHED_PATH, EDGE, Contestant, edge
from issuer import Issuer, Web
from load import Slice, Wrk
from processes import resident_mb

from gateway.edge.testing import RawClient

_IDLE: Final = 5_000
_REQUESTS: Final = 1_000_000
_MOST_GROWTH: Final = 1.10


def cached(wrk: Wrk, ours: Contestant, *, rounds: int, seconds: int) -> dict[str, Any]:
    """Public reads that the edge answers from its memory, without a token, on its one thread."""
    slices = [wrk.load(ours, [], seconds=seconds, path=CACHED_PATH) for _ in range(rounds)]
    micros = median(each.cpu_us for each in slices)
    return {
        "requests_per_second": round(median(each.rate for each in slices)),
        "cpu_us": round(micros, 1),
        "requests_per_second_of_cpu": round(1_000_000 / micros),
    }


def added_latency(
    wrk: Wrk,
    contestants: list[Contestant],
    upstream_port: int,
    token: str,
    *,
    rate: float,
    rounds: int,
    seconds: int,
) -> dict[str, Any]:
    """What the edge adds to the wait for the upstream at so many requests a second, and how long others take.

    Waits are pairs of milliseconds: the median and the 99th percentile.
    """
    ports = {"direct": upstream_port} | {each.name: each.port for each in contestants}
    waits: dict[str, list[tuple[float, float]]] = {name: [] for name in ports}
    for _ in range(rounds):
        for name, port in ports.items():
            waits[name].append(wrk.latency(port, token, rate=rate, seconds=seconds))
    middle = {name: [median(each[i] for each in found) for i in (0, 1)] for name, found in waits.items()}
    p50, p99 = (middle[EDGE][i] - middle["direct"][i] for i in (0, 1))
    return {
        "requests_per_second": round(rate),
        "added_p50_ms": round(p50, 2),
        "added_p99_ms": round(p99, 2),
    } | {f"{name}_ms": [round(each, 2) for each in pair] for name, pair in middle.items()}


def workers(
    wrk: Wrk, issuer: Issuer, upstream_port: int, web: Web, *, rounds: int, seconds: int
) -> dict[str, Any]:
    """Requests a second of two workers to those of one.

    With bad signatures only, for there all the work is the edge's: on two cores the load generator and the
    upstream would else take what the second worker is to have. Twice the connections, for the kernel deals
    them out.
    """
    slices: dict[str, list[Slice]] = {"1": [], "2": []}
    tokens = issuer.tokens("ES256", "bad", 0)
    with contextlib.ExitStack() as stack:
        edges = {
            count: stack.enter_context(edge(issuer, upstream_port, web, {"EDGE_WORKERS": count}))
            for count in slices
        }
        for _ in range(rounds):
            for count, ours in edges.items():
                got = wrk.load(ours, tokens, seconds=seconds, connections=64, refused=True)
                slices[count].append(got)
    one, two = (median(each.rate for each in slices[count]) for count in ("1", "2"))
    return {
        "one": round(one),
        "two": round(two),
        "ratio": round(two / one, 2),
        "cpu_us": [round(median(each.cpu_us for each in slices[count]), 1) for count in ("1", "2")],
    }


def memory(wrk: Wrk, issuer: Issuer, upstream_port: int, web: Web) -> dict[str, Any]:
    """Resident memory through a million requests beside 5,000 idle connections, after 100,000 to warm up."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))
    told = {"EDGE_CONNECTIONS": "8192", "EDGE_IDLE_SECONDS": "3600"}
    tokens = issuer.tokens("ES256", "one", 0)
    with edge(issuer, upstream_port, web, told) as ours, contextlib.ExitStack() as stack:
        before_mb = resident_mb(ours.process)
        clients = [_idle(stack, ours) for _ in range(_IDLE)]
        connected_mb = resident_mb(ours.process)
        sampled = []
        done = 0
        while done < _REQUESTS + 100_000:
            got = wrk.load(ours, tokens, seconds=5)
            done += got.requests
            if done >= 100_000:
                sampled.append(got.memory_mb)
            print(f"{done:>9,} requests, {got.memory_mb:.1f} MB", file=sys.stderr)
        for client in clients:
            _ask(client)
    return {
        "requests": done,
        "idle_connections": _IDLE,
        "start_mb": round(before_mb, 1),
        "with_idle_connections_mb": round(connected_mb, 1),
        "warm_mb": round(sampled[0], 1),
        "most_mb": round(max(sampled), 1),
        "growth": round(max(sampled) / sampled[0], 3),
        "is_flat": max(sampled) <= sampled[0] * _MOST_GROWTH,
    }


def _idle(stack: contextlib.ExitStack, ours: Contestant) -> RawClient:
    client = RawClient(ours.port)
    stack.callback(client.close)
    _ask(client)
    return client


def _ask(client: RawClient) -> None:
    client.send(b"GET /livez HTTP/1.1\r\nHost: localhost:8000\r\n\r\n")
    if client.read_reply().status != 200:
        sys.exit("bench/edge: an idle connection was not answered")
