#!/usr/bin/env python3
"""Weigh each kind of request to a running, seeded shop: CPU time of every process, bytes left in its tables.

mercato up --detach --data DIR
python bench/requests/run.py --data DIR

It writes: log-ins, refreshed sessions and adjustments of the second shopper's wallet. Take a copy of a shop.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg2
import requests

from mercato.assembly import open_system
from mercato.home import Home
from mercato.totp import Codes

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
from forms import log_in_by_form

MERCATO = Path(sys.executable).with_name("mercato")
IDLE_SECONDS = 5.0
WARM_UP = 20
FRESH_SECONDS = 31  # The web asks again for what it has kept for 30 seconds.
SIZES = """
SELECT c.relname, pg_total_relation_size(c.oid)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname = 'public'
"""


@dataclass(frozen=True)
class Kind:
    """A kind of request: `send` makes one, `count` of them make a round, `before` comes before each round."""

    name: str
    send: Callable[[], requests.Response]
    count: int = 200
    before: Callable[[], object] = lambda: None


class Shop:
    """What `mercato status` and `mercato logins` tell of a running system, and its processes."""

    def __init__(self, data: Path | None) -> None:
        self._where = ["--data", str(data)] if data else []
        status = self._ask("status")
        self.origin = status["origin"]
        self.logins = {login["persona"]: login for login in self._ask("logins")}
        self._pids = {process["name"]: process["pid"] for process in status["processes"]}
        self._ports = {process["name"]: process["port"] for process in status["processes"]}
        self.home = Home.at(data)

    def seconds(self) -> dict[str, float]:
        """CPU time that each process has used, with its children, those that have ended too."""
        return {name: sum(map(_used, _family(pid))) for name, pid in self._pids.items()}

    def url_of(self, process: str) -> str:
        """Where a process itself listens."""
        return f"http://127.0.0.1:{self._ports[process]}"

    def sizes(self) -> dict[str, int]:
        """Bytes of each table of each service with its indexes."""
        sizes: dict[str, int] = {}
        with open_system(self.home, migrated=False) as system:
            for service, urls in system.databases.items():
                with psycopg2.connect(urls.owner) as connection, connection.cursor() as cursor:
                    cursor.execute(SIZES)
                    sizes |= {f"{service}.{table}": size for table, size in cursor.fetchall()}
                connection.close()
        return sizes

    def token(self, persona: str) -> dict[str, str]:
        """The Authorization header of a new log-in."""
        pair = self.log_in(persona).json()
        return {"Authorization": f"Bearer {pair['access']}"}

    def log_in(self, persona: str) -> requests.Response:
        """One log-in by the API."""
        login = self.logins[persona]
        known = {key: login[key] for key in ("email", "password")} | {"otp": self.otp(persona)}
        return requests.post(f"{self.origin}/api/v1/auth/login", json=known, timeout=10)

    def otp(self, persona: str) -> str:
        """A code of a member of staff that nobody has used; empty for others."""
        login = self.logins[persona]
        codes = Codes(self.home.codes_file)
        return codes.next(login["email"], login["totp_secret"]) if login["totp_secret"] else ""

    def _ask(self, command: str) -> Any:
        done = subprocess.run(
            [MERCATO, command, "--json", *self._where], capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)


def main() -> None:
    """Print a table of microseconds of CPU time for each process and request, then bytes for each write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the data directory of the running system")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the median is taken")
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    arguments = parser.parse_args()
    shop = Shop(arguments.data)
    idle = _idle(shop)
    names = list(idle)
    print("µs of CPU time for one request; idle, in µs for a second: ", end="")
    print(", ".join(f"{name} {rate * 1e6:.0f}" for name, rate in idle.items()))
    print("| request | " + " | ".join(names) + " | together |")
    print("|---|" + "---|" * (len(names) + 1))
    before, sent = shop.sizes(), 0
    for kind in kinds(shop):
        if arguments.only not in kind.name:
            continue
        rounds = [_round(shop, kind, idle) for _ in range(arguments.rounds)]
        figures = [statistics.median(each[name] for each in rounds) for name in names]
        together = statistics.median(sum(each.values()) for each in rounds)
        shown = (f"{_rounded(figure)}" for figure in (*figures, together))
        print(f"| {kind.name} | " + " | ".join(shown) + " |", flush=True)
        after = shop.sizes()
        sent = arguments.rounds * (kind.count + WARM_UP)
        grown = {table: after[table] - before.get(table, 0) for table in after}
        before = after
        for table, size in grown.items():
            if size > sent * 10:
                print(f"    {table}: {size / sent:.0f} bytes for each of {sent}")


def kinds(shop: Shop) -> Iterator[Kind]:
    """What is measured, reads first."""
    http = requests.Session()
    product = http.get(f"{shop.origin}/api/v1/products?slug=tideline-hoodie", timeout=10).json()
    products = http.get(f"{shop.origin}/api/v1/products?limit=100", timeout=10).json()["data"]
    ids = ",".join(each["id"] for each in products)
    slugs = itertools.cycle([each["slug"] for each in products])
    roots = http.get(f"{shop.origin}/api/v1/categories/tree", timeout=10).json()["data"]
    picture = product["image"]["renditions"][1]["url"] if "image" in product else products[0]["image"]["jpeg"]
    page = {"Accept": "text/html"}
    by_form, as_staff = log_in_by_form(shop, "shopper"), log_in_by_form(shop, "superuser")

    def get(
        path: str, headers: dict[str, str] | None = None, session: requests.Session = http
    ) -> Callable[[], requests.Response]:
        return lambda: session.get(shop.origin + path, headers=headers, timeout=10)

    def wait() -> None:
        time.sleep(FRESH_SECONDS)

    yield Kind("a picture", get(picture))
    yield Kind("`GET /api/v1/categories/tree`", get("/api/v1/categories/tree"))
    yield Kind("`GET /api/v1/products?limit=20`", get("/api/v1/products?limit=20"))
    yield Kind("`…/products?category=&limit=24`", get(f"/api/v1/products?category={roots[0]['id']}&limit=24"))
    yield Kind("`…/products?q=hoodie`", get("/api/v1/products?q=hoodie"))
    yield Kind("`…/products?slug=`", get("/api/v1/products?slug=tideline-hoodie"))
    yield Kind("`…/variants/matrix?product=`", get(f"/api/v1/variants/matrix?product={product['id']}"))
    yield Kind(
        f"`…/variants/summary`, {len(products)} products", get(f"/api/v1/variants/summary?product={ids}")
    )
    yield Kind("`GET /api/v1/banners?placement=`", get("/api/v1/banners?placement=home_hero"))
    yield Kind("page `/`", get("/", page))
    yield Kind("page `/c/clothing/`", get("/c/clothing/", page))
    yield Kind("page `/p/…`, the same one", get("/p/tideline-hoodie", page))
    yield Kind(
        "page `/p/…`, each asked for after 30 s",
        lambda: http.get(f"{shop.origin}/p/{next(slugs)}", headers=page, timeout=10),
        count=len(products),
        before=wait,
    )
    yield Kind("page `/search?q=hoodie`", get("/search?q=hoodie", page))
    yield Kind("logged in: page `/p/…`", get("/p/tideline-hoodie", session=by_form))
    yield Kind("logged in: page `/wallet`", get("/wallet", session=by_form))
    yield Kind("staff: `/admin/wallet/`", get("/admin/wallet/", session=as_staff))
    # Tokens live 300 s, so they are fetched only now.
    shopper = shop.token("shopper")
    yield Kind("`GET /api/v1/wallet`", get("/api/v1/wallet", shopper))
    yield Kind("`…/wallet/transactions?limit=20`", get("/api/v1/wallet/transactions?limit=20", shopper))
    finance = shop.token("finance")
    yield Kind("`POST …/wallet/adjustments`", lambda: _adjust(http, shop, finance), count=400)
    yield Kind("`POST …/auth/login`", lambda: shop.log_in("shopper-2"), count=60)
    yield Kind(
        "`POST …/auth/login`, then a first `GET …/wallet`", lambda: _log_in_and_read(http, shop), count=60
    )
    refresh = [shop.log_in("shopper-2").json()["refresh"]]
    yield Kind("`POST …/auth/refresh`", lambda: _refresh(http, shop, refresh))


def _adjust(http: requests.Session, shop: Shop, token: dict[str, str]) -> requests.Response:
    body = {
        "sub": shop.logins["shopper-2"]["sub"],
        "direction": "credit",
        "amount_minor": 1,
        "currency": "EUR",
        "reason": "Weighed by the benchmark",
    }
    headers = token | {"Idempotency-Key": str(uuid4())}
    return http.post(f"{shop.origin}/api/v1/wallet/adjustments", json=body, headers=headers, timeout=10)


def _log_in_and_read(http: requests.Session, shop: Shop) -> requests.Response:
    return http.get(f"{shop.origin}/api/v1/wallet", headers=shop.token("shopper-2"), timeout=10)


def _refresh(http: requests.Session, shop: Shop, last: list[str]) -> requests.Response:
    answer = http.post(f"{shop.origin}/api/v1/auth/refresh", json={"refresh": last[0]}, timeout=10)
    last[0] = answer.json()["refresh"]
    return answer


def _round(shop: Shop, kind: Kind, idle: dict[str, float]) -> dict[str, float]:
    # Microseconds for one request, without what the processes use anyway.
    kind.before()
    for _ in range(WARM_UP):
        _sent(kind)
    used, began = shop.seconds(), time.monotonic()
    for _ in range(kind.count):
        _sent(kind)
    took = time.monotonic() - began
    return {
        name: max(0.0, seconds - used[name] - idle[name] * took) * 1e6 / kind.count
        for name, seconds in shop.seconds().items()
    }


def _sent(kind: Kind) -> None:
    answer = kind.send()
    if not answer.ok:
        raise SystemExit(f"{kind.name}: {answer.status_code} {answer.text[:200]}")


def _idle(shop: Shop) -> dict[str, float]:
    used = shop.seconds()
    time.sleep(IDLE_SECONDS)
    return {name: (seconds - used[name]) / IDLE_SECONDS for name, seconds in shop.seconds().items()}


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # Its time is now among that of its parent's children.
    return float(times.user + times.system + times.children_user + times.children_system)


def _rounded(microseconds: float) -> str:
    # The kernel counts in ticks of 10 ms, which are 50 µs of a request in a round of 200.
    return "-" if microseconds < 20 else f"{microseconds:,.0f}"


if __name__ == "__main__":
    main()
