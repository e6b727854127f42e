"""A small program to supervise: answers /readyz, notes what happens to it, and misbehaves when told to.

stand_in.py PORT NOTES NAME [MANNER]
MANNER: never-ready, never-listens, dies-early, dies-when-ready, stubborn, has-worker
"""

import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

port, notes, name, *manners = sys.argv[1:]


def note(event: str) -> None:
    with Path(notes).open("a") as file:
        file.write(f"{name} {event}\n")


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if "never-ready" in manners else 200)
        self.end_headers()
        if "dies-when-ready" in manners:
            threading.Timer(0.3, lambda: os._exit(3)).start()

    def log_message(self, *_: object) -> None:
        pass


def end(*_: object) -> None:
    note("stops")
    if "stubborn" not in manners:
        os._exit(0)


signal.signal(signal.SIGTERM, end)
note("starts")
if "dies-early" in manners:
    sys.stdout.write("something was logged\n")
    sys.stdout.flush()
    sys.exit("stand-in: the reason it cannot start")
if "never-listens" in manners:
    time.sleep(60)
if "has-worker" in manners:
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    note(f"worker {worker.pid}")
time.sleep(0.1)
sys.stdout.write(f"hello {sorted(os.environ)}\n")
sys.stdout.flush()
HTTPServer.allow_reuse_port = True  # As granian does: the next one listens beside this one.
HTTPServer(("127.0.0.1", int(port)), Ready).serve_forever()
