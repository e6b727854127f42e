"""The command line as a person in a terminal has it, for tests."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from mercato.home import Home

OFFSETS = (*range(6), 10, 11)
# The first start seeds the shop, and other suites want the processor meanwhile.
UP_WITHIN_SECONDS = 240


@dataclass
class Mercato:
    """The command, as a person in a terminal has it."""

    data_dir: Path
    port: int

    def __call__(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        command = [*self.command(*arguments), "--data", os.fspath(self.data_dir)]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=environment(**env),
            timeout=UP_WITHIN_SECONDS,
            check=False,
        )

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "mercato", *arguments]

    def up(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        return self("up", "--detach", "--port", str(self.port), *arguments, **env)

    def stop(self) -> None:
        """Stop it when it runs; asking first costs less than a command that finds nothing to do."""
        if Home.at(self.data_dir).is_running():
            self("down")

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self("status", "--json").stdout))

    def processes(self) -> dict[str, int]:
        return {process["name"]: process["pid"] for process in self.status()["processes"]}

    def token(self, persona: str) -> str:
        return self("token", "--as", persona).stdout.strip()

    def wallet(self, token: str, port: int | None = None) -> requests.Response:
        url = f"http://localhost:{port or self.port}/api/v1/wallet"
        return requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)


def environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {"PYTHONDONTWRITEBYTECODE": "1"} | more


def free_base() -> int:
    """A port that is free with all its followers."""
    for base in range(20_000 + os.getpid() % 5_000, 32_000, 13):
        with ExitStack() as held:
            try:
                for offset in OFFSETS:
                    held.enter_context(socket.create_server(("127.0.0.1", base + offset)))
            except OSError:
                continue
            return base
    raise AssertionError("no free ports")
