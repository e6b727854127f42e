"""What a process shows to Prometheus, by itself and with other workers."""

import os
import subprocess
import sys
from itertools import count
from pathlib import Path

from prometheus_client import REGISTRY

from chassis import web
from chassis.keys import KeyStore
from chassis.testing.forge import write_keys

PROGRAM = """
import os
from chassis import metrics
directory = metrics.share_between_workers()
from chassis import web
for number in range(2):
    if os.fork() == 0:
        web.record(method="GET", route="/a", path="/a", status=200, seconds=0.1, sent="")
        web.in_flight.inc()
        os._exit(0)
    os.wait()
metrics.tell_build("wallet", "mercato-chassis")
print(directory, os.getpid(), metrics.exposition().decode(), sep="\\n")
"""


def figure(name, **labels):
    return REGISTRY.get_sample_value(name, labels)


def series():
    return sum(len(family.samples) for family in REGISTRY.collect() if family.name.startswith("mercato_http"))


def record(method="GET", path="/a"):
    web.record(method=method, route="none", path=path, status=404, seconds=0.001, sent="")


def test_no_client_makes_up_figures():
    record()
    record("INVENTED")
    before = series()

    for number in range(1000):
        record(f"M{number}", f"/{number}")

    assert series() == before


def test_shows_how_old_the_keys_are(tmp_path):
    write_keys(tmp_path, services={})
    store = KeyStore(tmp_path / "public")

    assert figure("mercato_keys") >= 1
    assert figure("mercato_keys_confirmed_timestamp_seconds") <= store.confirmed_at


def test_a_set_that_cannot_be_read_is_not_confirmed(tmp_path):
    write_keys(tmp_path, services={})
    now = count(0, 10)  # Without an end: until it is collected, others ask the store as well.
    store = KeyStore(tmp_path / "public", clock=lambda: next(now))
    confirmed = store.confirmed_at
    (tmp_path / "public" / "jwks.json").unlink()

    store.current()

    assert store.confirmed_at == confirmed


def test_adds_up_what_several_workers_have_counted(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )

    directory, pid, text = done.stdout.split("\n", 2)
    assert Path(directory).parent == tmp_path
    assert Path(directory).stat().st_mode & 0o777 == 0o700
    assert directory.endswith(f".{pid}")
    assert 'mercato_http_requests_total{method="GET",route="/a",status="200"} 2.0' in text
    assert 'mercato_build_info{service="wallet",version="0.1.0"} 1.0' in text
    assert "mercato_keys_confirmed_timestamp_seconds" not in text  # Nothing here has imported keys.
    assert "process_" not in text
