"""`mercato bench`: what it says where it cannot measure, and what it makes of what was measured."""

import importlib
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("mercato")
FOLDER = Path(__file__).resolve().parents[2] / "bench" / "edge"


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("report")


def row(contestant, algorithm, cpu_us, tokens="one"):
    figures = dict.fromkeys(("cpu_us_min", "cpu_us_max", "requests_per_second", "p50_ms", "p99_ms"), cpu_us)
    case = {"contestant": contestant, "algorithm": algorithm, "tokens": tokens, "distinct_tokens": 1}
    return case | figures | {"cpu_us": cpu_us, "cpu_us_each": [cpu_us], "memory_mb": 1, "slices": 1}


def test_says_in_one_line_that_wrk_is_missing(tmp_path):
    env = os.environ | {"PATH": str(tmp_path)}

    done = subprocess.run([COMMAND, "bench", "edge"], env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "bench/edge: wrk is not installed (apt-get install wrk haproxy)\n"


def test_compares_with_the_worse_of_both_algorithms(report):
    rows = [
        *(row("edge", "ES256", 60), row("haproxy", "ES256", 120)),
        *(row("edge", "RS256", 70), row("haproxy", "RS256", 100)),
        *(row("edge", "RS256", 90, "many"), row("haproxy", "RS256", 90, "many")),
    ]

    assert report.ratios(rows)["edge_cpu_vs_haproxy"] == 0.7


def test_knows_no_ratio_to_who_did_not_take_part(report):
    rows = [row("edge", "ES256", 60), row("edge", "RS256", 70)]

    assert set(report.ratios(rows).values()) == {None}


def test_draws_a_bar_for_each_row(report):
    import plot

    rows = [row("edge", "ES256", 60), row("haproxy", "ES256", 120), row("django_requests", "ES256", 2000)]
    drawing = ET.fromstring(plot.svg({"rows": rows}))  # noqa: S314

    assert "60" in "".join(drawing.itertext())
    assert "120" in "".join(drawing.itertext())
    assert "Django + requests, gunicorn gthread, ES256, 1 token: 2,000" in "".join(drawing.itertext())
