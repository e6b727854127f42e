"""Measures what the edge costs beside Envoy, HAProxy, nginx and a Django view that calls requests.

All stand before the same upstream, check the same tokens (signature, issuer, audience, expiry), set the same
forwarding headers and write an access log. Slices of load take turns, because the machine is never quiet, and
medians are shown.

    mercato bench edge [--quick] [--json] [--results DIR] [--memory]
"""

import argparse
import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import alone
import plot
import report
from contestants import (
    DJANGO,
    DJANGO_GRANIAN,
    EDGE,
    NGINX,
    Contestant,
    edge,
    expect_refusals,
    rivals,
    show,
    upstream,
)
from issuer import ALGORITHMS, Issuer, Web
from load import Slice, Wrk

Case = tuple[str, str]
"""An algorithm and which tokens: one, many or bad."""


def main() -> int:
    """Run what was asked for and print it; 1 when memory grew."""
    arguments = parse_arguments()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        wrk, issuer = Wrk(folder), Issuer(folder)
        upstream_port = stack.enter_context(upstream(folder))
        web = Web(issuer)
        if arguments.memory:
            found = alone.memory(wrk, issuer, upstream_port, web) | {"machine": report.machine()}
            write(arguments, "memory.json", json.dumps(found, indent=2))
            print(json.dumps(found, indent=2))
            return 0 if found["is_flat"] else 1
        document = measure(wrk, issuer, upstream_port, web, arguments)
    table = report.markdown(document)
    write(arguments, "edge.json", json.dumps(document, indent=2))
    write(arguments, "edge.md", f"# `mercato bench edge`\n\n{table}")
    write(arguments, "edge.svg", plot.svg(document))
    print(json.dumps(document, indent=2) if arguments.json else table)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="within 40 s")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--results", type=Path, help="a folder for table, plot and figures")
    parser.add_argument("--memory", action="store_true", help="a million requests and 5,000 idle connections")
    parser.add_argument("--rounds", type=int, help="5, quickly 3")
    parser.add_argument("--seconds", type=int, help="of a slice: 3, quickly 1")
    parser.add_argument("--tokens", type=int, help="distinct ones: 10,000, quickly 2,000")
    arguments = parser.parse_args()
    quick = arguments.quick
    arguments.rounds = arguments.rounds or (3 if quick else 5)
    arguments.seconds = arguments.seconds or (1 if quick else 3)
    arguments.tokens = arguments.tokens or (2_000 if quick else 10_000)
    return arguments


def write(arguments: argparse.Namespace, name: str, text: str) -> None:
    if arguments.results:
        arguments.results.mkdir(parents=True, exist_ok=True)
        (arguments.results / name).write_text(f"{text.rstrip()}\n")


def measure(
    wrk: Wrk, issuer: Issuer, upstream_port: int, web: Web, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Everything: the comparison, and what concerns the edge alone."""
    seconds, quick = arguments.seconds, arguments.quick
    with (
        edge(issuer, upstream_port, web) as ours,
        rivals(issuer, upstream_port, leave_out=(DJANGO_GRANIAN,) if quick else ()) as others,
    ):
        for contestant in (ours, *others):
            if contestant.name != NGINX:
                expect_refusals(contestant, issuer)
        rows = compare(wrk, issuer, [ours, *others], arguments)
        document = {"rows": rows, "ratios": report.ratios(rows), "machine": report.machine()}
        rounds = 1 if quick else arguments.rounds
        document["cached"] = alone.cached(wrk, ours, rounds=rounds, seconds=seconds)
        if quick:
            return document
        document["added_latency"] = alone.added_latency(
            wrk,
            [ours, *(each for each in others if each.name not in {DJANGO, DJANGO_GRANIAN})],
            upstream_port,
            issuer.mint(
                "RS256"
            ),  # HAProxy verifies each signature, and could not carry half the load with ES256.
            rate=half_load(rows),
            rounds=rounds,
            seconds=seconds,
        )
    document["workers"] = alone.workers(wrk, issuer, upstream_port, web, rounds=rounds, seconds=seconds)
    return document


def half_load(rows: list[dict[str, Any]]) -> float:
    """Half the requests a second that the edge carries."""
    most = next(
        r["requests_per_second"] for r in rows if (r["contestant"], r["algorithm"]) == (EDGE, "RS256")
    )
    return float(most) / 2


def compare(
    wrk: Wrk, issuer: Issuer, contestants: list[Contestant], arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    """The rows of the table: each contestant in each case."""
    slices: dict[tuple[str, Case], list[Slice]] = {}
    distinct = {}
    for number in range(arguments.rounds):
        for case in cases(number, quick=arguments.quick):
            tokens = issuer.tokens(*case, arguments.tokens)
            distinct[case] = len(tokens)
            for contestant in contestants:
                if not takes_part(contestant, case, number, quick=arguments.quick):
                    continue
                if case[1] == "many" and contestant.remembers:
                    show(contestant, tokens)
                got = wrk.load(contestant, tokens, seconds=arguments.seconds, refused=case[1] == "bad")
                slices.setdefault((contestant.name, case), []).append(got)
    return [report.row(name, case, got, distinct[case]) for (name, case), got in slices.items()]


def cases(number: int, *, quick: bool) -> list[Case]:
    """What is tried in a round; quickly, all but the headline case once and with one algorithm."""
    if not quick:
        return [(algorithm, kind) for kind in report.KINDS for algorithm in ALGORITHMS]
    headline = [(algorithm, "one") for algorithm in ALGORITHMS]
    return headline if number else [*headline, ("ES256", "many"), ("ES256", "bad")]


def takes_part(contestant: Contestant, case: Case, number: int, *, quick: bool) -> bool:
    """nginx looks at no token, so one case is enough; quickly, it and Django have one slice of a case."""
    if contestant.name == NGINX and case != ("ES256", "one"):
        return False
    return not (quick and contestant.name in {NGINX, DJANGO} and (number or case[1] != "one"))


if __name__ == "__main__":
    sys.exit(main())
