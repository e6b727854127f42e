#!/usr/bin/env python3
"""Time log-in and renewal through the edge of a running, seeded shop, and compare what must look alike.

mercato up --detach --data DIR
python bench/identity/run.py --data DIR

It writes: log-ins, renewed sessions, and it forgets what is counted. Take a copy of a shop.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg2

from mercato.assembly import open_system
from mercato.home import Home

MERCATO = Path(sys.executable).with_name("mercato")
CLIENTS = 4
WARM_UP = 5


class Client:
    """Keeps one connection, from an address of its own in the network of this machine."""

    def __init__(self, origin: str, number: int = 0) -> None:
        where = urlsplit(origin)
        source = (f"127.0.{number}.2", 0)
        self._connection = http.client.HTTPConnection("127.0.0.1", where.port, 30, source_address=source)
        self._headers = {"Content-Type": "application/json", "Host": where.netloc}

    def post(self, name: str, **body: Any) -> tuple[int, Any]:
        """Status and body of the answer of an endpoint below /api/v1/auth/."""
        self._connection.request("POST", f"/api/v1/auth/{name}", json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


def main() -> None:
    """Print milliseconds of log-ins, of refused ones by their reason, and of renewals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the data directory of the running system")
    parser.add_argument("--count", type=int, default=200, help="log-ins of each kind")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long tokens are renewed")
    arguments = parser.parse_args()
    where = ["--data", str(arguments.data)] if arguments.data else []
    status = ask("status", where)
    origin, pids = status["origin"], [process["pid"] for process in status["processes"]]
    login = next(login for login in ask("logins", where) if login["persona"] == "shopper")
    right = {"email": login["email"], "password": login["password"]}

    log_ins = [timed(lambda: log_in(Client(origin), right)) for _ in range(arguments.count + WARM_UP)]
    print("| | p50 ms | p95 ms |\n|---|---|---|")
    row("log-in", log_ins[WARM_UP:])
    for number in (1, CLIENTS):
        used = cpu_seconds(pids)
        durations, rate = renew(origin, right, number, arguments.seconds)
        cost = (cpu_seconds(pids) - used) / len(durations)
        row(f"refresh, {number} at a time: {rate:.0f} a second, {cost * 1e3:.1f} ms of CPU each", durations)
    with forgetting(arguments.data) as forget:
        for name, durations in refused(origin, right, arguments.count, forget).items():
            row(f"refused: {name}", durations)


def cpu_seconds(pids: list[int]) -> float:
    """CPU time that these processes have used, with their children."""
    family = [
        one for pid in pids for one in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True))
    ]
    return sum(one.cpu_times().user + one.cpu_times().system for one in family)


def ask(command: str, where: list[str]) -> Any:
    """What a command of mercato says."""
    done = subprocess.run([MERCATO, command, "--json", *where], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def log_in(client: Client, credentials: dict[str, str]) -> Any:
    """The tokens of a new session."""
    status, body = client.post("login", **credentials)
    assert status == 200, body
    return body


def timed(action: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def renew(origin: str, credentials: dict[str, str], number: int, seconds: float) -> tuple[list[float], float]:
    """Seconds of each renewal, and renewals a second, by so many clients at a time, each with its session."""
    clients = [Client(origin, 10 + which) for which in range(number)]
    tokens = [log_in(client, credentials)["refresh"] for client in clients]
    ends_at = time.perf_counter() + seconds

    def go_on(client: Client, token: str) -> list[float]:
        durations = []
        while (began := time.perf_counter()) < ends_at:
            status, body = client.post("refresh", refresh=token)
            assert status == 200, body
            token = body["refresh"]
            durations.append(time.perf_counter() - began)
        return durations

    with ThreadPoolExecutor(number) as pool:
        durations = [one for each in pool.map(go_on, clients, tokens) for one in each]
    return durations, len(durations) / seconds


def refused(
    origin: str, right: dict[str, str], count: int, forget: Callable[[], None]
) -> dict[str, list[float]]:
    """Seconds of refused log-ins by their reason, in turns. Nothing is counted from one to the next."""
    client = Client(origin)
    kinds = {
        "wrong password": right | {"password": "wrong"},
        "unknown e-mail": right | {"email": "nobody@example.com"},
        "inactive account": right | {"email": "inactive@example.com"},
    }
    durations: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(count + WARM_UP):
        for kind, credentials in kinds.items():
            forget()
            began = time.perf_counter()
            status, body = client.post("login", **credentials)
            durations[kind].append(time.perf_counter() - began)
            assert (status, body["code"]) == (401, "wrong-credentials"), body
    return {kind: each[WARM_UP:] for kind, each in durations.items()}


@contextmanager
def forgetting(data: Path | None) -> Iterator[Callable[[], None]]:
    """A way to forget what is counted, and an inactive account beside those of the demo."""
    with open_system(Home.at(data), migrated=False) as system:
        connection = psycopg2.connect(system.databases["gateway"].owner)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO accounts_user (public_id, email, password, is_active, is_superuser) "
                "SELECT gen_random_uuid(), 'inactive@example.com', password, false, false "
                "FROM accounts_user LIMIT 1 ON CONFLICT DO NOTHING"
            )
            yield lambda: cursor.execute("DELETE FROM limits_counter")
        connection.close()


def row(name: str, durations: list[float]) -> None:
    """One line of the table."""
    p95 = statistics.quantiles(durations, n=20)[-1]
    print(f"| {name} | {statistics.median(durations) * 1e3:.1f} | {p95 * 1e3:.1f} |", flush=True)


if __name__ == "__main__":
    main()
