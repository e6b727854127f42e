#!/usr/bin/env python3
"""What revocation costs those who verify: CPU time of edge and services while sessions end and while none do.

MERCATO_DATA=DIR mercato up --detach
python bench/revocation/run.py --data DIR

Every verifier is asked ten times a second with a token that it knows. It logs in and out as the second
shopper and writes into the web's table of revocations: take a copy of a shop.
"""

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "requests"))
from run import Shop  # It makes the tests importable.
from services import SERVICES

from mercato.assembly import open_system

READERS = ("edge", *(service.process for service in SERVICES))
READS_PER_SECOND = 10.0
LOG_OUTS_PER_SECOND = 20.0
FULL = 5000
SETTLE_SECONDS = 2.5
FILL = """
INSERT INTO tokens_revocation (sid, sub, not_before, expires_at)
SELECT gen_random_uuid()::text, '', 1, now() + interval '1 hour' FROM generate_series(1, %s)
"""


def main() -> None:
    """Print a table of milliseconds of CPU time a second: a row for each state, a column for each process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the data directory of the running system")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of which the median is taken")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each state in a round")
    arguments = parser.parse_args()
    shop = Shop(arguments.data)
    states = {
        "nothing revoked": (0, 0.0),
        f"a list of {FULL:,}": (FULL, 0.0),
        f"{LOG_OUTS_PER_SECOND:.0f} log-outs a second": (0, LOG_OUTS_PER_SECOND),
        "both": (FULL, LOG_OUTS_PER_SECOND),
    }
    rounds = [
        {name: _measure(shop, *state, arguments.seconds) for name, state in states.items()}
        for _ in range(arguments.rounds)
    ]
    names = [*READERS, "web"]
    print("| ms of CPU a second | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    for state in states:
        figures = (statistics.median(each[state][name] for each in rounds) * 1000 for name in names)
        print(f"| {state} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")


def _measure(shop: Shop, entries: int, log_outs: float, seconds: float) -> dict[str, float]:
    # Seconds of CPU time that each process used in a second.
    with _revoked(shop, entries):
        sessions = iter([shop.log_in("shopper-2").json() for _ in range(int(log_outs * seconds))])
        bearer = shop.token("shopper-2")
        doors = [shop.origin + "/api/v1/wallet", *(shop.url_of(one.process) + one.path for one in SERVICES)]
        http = requests.Session()
        time.sleep(SETTLE_SECONDS)
        before = shop.seconds()
        began = time.monotonic()
        ending = threading.Thread(
            target=_at_a_rate, args=(log_outs, seconds, lambda: _log_out(shop, sessions))
        )
        ending.start()
        _at_a_rate(READS_PER_SECOND, seconds, lambda: _read(http, doors, bearer))
        ending.join()
        passed = time.monotonic() - began
        return {name: (used - before[name]) / passed for name, used in shop.seconds().items()}


@contextmanager
def _revoked(shop: Shop, entries: int) -> Iterator[None]:
    with (
        open_system(shop.home, migrated=False) as system,
        closing(psycopg2.connect(system.databases["gateway"].owner)) as connection,
    ):
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM tokens_revocation")
            cursor.execute(FILL, [entries])
            yield
            cursor.execute("DELETE FROM tokens_revocation")


def _at_a_rate(rate: float, seconds: float, do: Callable[[], None]) -> None:
    began = time.monotonic()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        do()


def _read(http: requests.Session, doors: list[str], bearer: dict[str, str]) -> None:
    for door in doors:
        response = http.get(door, headers=bearer, timeout=10)
        if response.status_code != 200:
            raise SystemExit(f"{door}: {response.status_code}")


def _log_out(shop: Shop, sessions: Iterator[dict[str, str]]) -> None:
    body = {"refresh": next(sessions)["refresh"]}
    requests.post(f"{shop.origin}/api/v1/auth/logout", json=body, timeout=10).raise_for_status()


if __name__ == "__main__":
    main()
