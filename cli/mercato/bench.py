"""`mercato bench`: what parts of the system cost beside their rivals."""

import subprocess
import sys
from pathlib import Path

import click

from mercato.home import Home
from mercato.options import json_option


@click.group()
def bench() -> None:
    """Measure parts of the system beside their rivals, in one run on this machine."""


@bench.command()
@click.option("--quick", is_flag=True, help="Within 40 seconds, with fewer slices and cases.")
@json_option
@click.option(
    "--results",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write table, plot and figures there.",
)
@click.option("--memory", is_flag=True, help="Instead: whether it stays flat, with 10⁶ requests. Minutes.")
@click.option("--rounds", type=click.IntRange(min=1), help="5, quickly 3.")
@click.option("--seconds", type=click.IntRange(min=1), help="Of a slice: 3, quickly 1.")
def edge(
    *, quick: bool, as_json: bool, results: Path | None, memory: bool, rounds: int | None, seconds: int | None
) -> None:
    """The edge beside Envoy, HAProxy, nginx and a Django view that calls requests.

    Needs wrk and haproxy; rivals that are not installed are left out.
    """
    script = Home.at().root / "bench" / "edge" / "run.py"
    flags = {"--quick": quick, "--json": as_json, "--memory": memory}
    options = [name for name, is_set in flags.items() if is_set]
    values = {"--results": results and results.absolute(), "--rounds": rounds, "--seconds": seconds}
    options += [f"{name}={value}" for name, value in values.items() if value]
    sys.exit(subprocess.run([sys.executable, str(script), *options], check=False).returncode)
