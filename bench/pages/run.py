#!/usr/bin/env python3
"""Time the pages of a running, seeded shop through the edge, and weigh them.

mercato up --detach --data DIR
python bench/pages/run.py --data DIR
"""

import argparse
import gzip
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from forms import log_in_by_form

MERCATO = Path(sys.executable).with_name("mercato")
WARM_UP = 30
PAGES = ("/", "/c/clothing/", "/c/clothing/tops/", "/search?q=hoodie", "/p/tideline-hoodie", "/status")
PERSONAL = ("/c/clothing/", "/p/tideline-hoodie", "/wallet", "/account")


class Shop:
    """What `mercato status` and `mercato logins` tell of a running system."""

    def __init__(self, data: Path | None) -> None:
        where = ["--data", str(data)] if data else []
        self.origin = self._ask("status", *where)["origin"]
        self.logins = {login["persona"]: login for login in self._ask("logins", *where)}

    def _ask(self, *arguments: str) -> Any:
        command = [MERCATO, *arguments, "--json"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Print a table: time to the first byte in milliseconds, and the size of the HTML as gzip makes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the data directory of the running system")
    parser.add_argument("--count", type=int, default=300, help="requests for each figure")
    arguments = parser.parse_args()
    shop = Shop(arguments.data)
    visitor = requests.Session()
    visitor.headers["Accept"] = "text/html"
    print(f"{'':<36}{'p50':>7}{'p95':>7}{'KB gz':>8}")
    for who, session, pages in (
        ("", visitor, PAGES),
        ("shopper ", log_in_by_form(shop, "shopper"), PERSONAL),
    ):
        for path in pages:
            median, late, size = timed(session, shop.origin + path, arguments.count)
            print(f"{who + path:<36}{median * 1000:>7.1f}{late * 1000:>7.1f}{size / 1024:>8.1f}")


def timed(session: requests.Session, url: str, count: int) -> tuple[float, float, int]:
    """Median and 95th percentile of one client's waits in seconds, and the page's bytes."""
    took = []
    for number in range(WARM_UP + count):
        started = time.perf_counter()
        answer = session.get(url, timeout=10, stream=True)
        if number >= WARM_UP:
            took.append(time.perf_counter() - started)
        page = answer.content
        if answer.status_code != requests.codes.ok:
            raise SystemExit(f"{url}: {answer.status_code} {answer.text[:200]}")
    return statistics.median(took), statistics.quantiles(took, n=20)[-1], len(gzip.compress(page))


if __name__ == "__main__":
    main()
