#!/usr/bin/env python3
"""Everything that can be found wrong without running a service: lint, types, imports, settings, spelling.

tests/check.py          all of it
tests/check.py wallet   the checks whose name contains a word
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gateway.tokens import keyring
from mercato import topology

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SERVICES = tuple(service.name for service in topology.SERVICES)
DJANGO = tuple(service for service in SERVICES if service != "banner")
PACKAGES = ("chassis", *SERVICES, "cli")
AT_ONCE = 2


@dataclass(frozen=True)
class Check:
    """One command, run in a folder of the repository."""

    name: str
    command: list[str]
    folder: str = "."


def checks() -> Iterator[Check]:
    """Every check, the slow ones first."""
    for package in PACKAGES:
        yield Check(f"types {package}", [tool("mypy")], package)
    for service in DJANGO:
        manage = [sys.executable, "manage.py"]
        yield Check(f"deploy {service}", [*manage, "check", "--deploy", "--fail-level", "WARNING"], service)
        yield Check(f"migrations {service}", [*manage, "makemigrations", "--check", "--dry-run"], service)
    # Those made for this run; and those of this checkout, once a shop has run in it.
    check_keys = [sys.executable, "manage.py", "keys", "check"]
    yield Check("keys", check_keys, "gateway")
    if (ROOT / "keys" / "private").is_dir():
        yield Check("keys of the checkout", [*check_keys, "--keys-dir", str(ROOT / "keys")], "gateway")
    yield Check("imports", [tool("lint-imports"), "--no-cache"])
    yield Check("lint", [tool("ruff"), "check", "."])
    yield Check("format", [tool("ruff"), "format", "--check", "."])
    yield Check("spelling", [tool("codespell")])
    yield Check("types containers", [tool("mypy"), "--strict", "deploy/verify"])
    yield Check("containers compose", [tool("docker-compose"), "--profile=*", "config", "--quiet"])
    dockerfiles = [*ROOT.glob("*/Dockerfile"), *ROOT.glob("deploy/**/Dockerfile")]
    yield Check("containers lint", [tool("hadolint"), *map(str, sorted(dockerfiles))])
    for package in PACKAGES:
        yield Check(f"dependencies {package}", [tool("deptry"), "."], package)


def tool(name: str) -> str:
    """A program of the virtual environment that runs this file."""
    return str(BIN / name)


def environment(folder: Path) -> dict[str, str]:
    """What the settings of the services ask for: made for this run, and good for nothing else."""
    keyring.init(folder)
    databases = {
        f"{service.upper()}_{role}DATABASE_URL": f"postgresql://{service}_{login}@/{service}?host={folder}"
        for service in SERVICES
        for role, login in (("", "app"), ("OWNER_", "owner"))
    }
    made = {f"{service.upper()}_SECRET_KEY": secrets.token_urlsafe(50) for service in SERVICES}
    return {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TERM"}},
        **databases,
        **made,
        **{f"{service}_MEDIA": str(folder) for service in ("CATALOG_PRODUCT", "BANNER")},
        "EDGE_KEY": secrets.token_urlsafe(32),
        "KEYS_PUBLIC": str(folder / "public"),
        "KEYS_PRIVATE": str(folder / "private" / "gateway"),
        "MERCATO_ORIGIN": "https://shop.example",
        "MAIL_URL": "smtp://shop@mail.example:587",
    }


def run(check: Check, env: dict[str, str]) -> bool:
    """Run one check and tell how it went, with its output when it failed."""
    started = time.monotonic()
    done = subprocess.run(
        check.command, cwd=ROOT / check.folder, env=env, capture_output=True, text=True, check=False
    )
    passed = done.returncode == 0
    output = "" if passed else f"\n{done.stdout}{done.stderr}"
    mark = "ok" if passed else "FAILED"
    print(f"{mark:<7}{check.name} ({time.monotonic() - started:.1f} s){output}", flush=True)
    return passed


def main(words: list[str]) -> int:
    """Run all, or those that a word stands in, two at a time."""
    chosen = [check for check in checks() if not words or any(word in check.name for word in words)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        env = environment(Path(folder))
        results = list(pool.map(lambda check: run(check, env), chosen))
    print(f"{sum(results)} checks passed, {results.count(False)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
