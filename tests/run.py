#!/usr/bin/env python3
"""Run the test suites, each in its own process, against one throwaway PostgreSQL.

tests/run.py                    every suite, the longest first, several at a time
tests/run.py wallet -k ledger   one suite, with further arguments for pytest
tests/run.py --coverage         every suite, with branch coverage
"""

import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from chassis.testing.leaks import leaks
from mercato import topology
from mercato.failures import Failure
from mercato.postgres import Cluster, provide, temporary_cluster

ROOT = Path(__file__).resolve().parents[1]
SERVICES = tuple(service.name for service in topology.SERVICES)
SUITES = ("cli", *SERVICES, "chassis")
# Suites of the running system, which stand in tests/: what pytest looks at there.
ELSEWHERE = ("browser", "failures", "containers")
BLACK_BOX = {
    "tests": tuple(f"--ignore={folder}" for folder in ELSEWHERE),
    "browser": ("browser",),
    "failures": ("failures",),
    "containers": ("containers",),
}
# They start from copies of one seeded shop, and so does the command line.
SHARING = ("cli", *BLACK_BOX)
# Each of these waits a good deal for something else than a core, so there is one more of them at a time than
# the cores of a small machine; the longest first, so that none is left to run alone at the end.
LONG = ("tests", "gateway", "cli", "browser", "containers")
# What runs side by side, and how many at once. Where processes die or hang, all else that runs is what takes
# a single core.
STAGES: tuple[tuple[tuple[str, ...], int], ...] = (
    (LONG, 3),
    (("failures", *(suite for suite in SUITES[::-1] if suite not in LONG)), 2),
)
# Services get a database of their own, and the secrets without which their settings do not load.
WITH_DATABASE = SERVICES
SECRETS = {service: (f"{service.upper()}_SECRET_KEY",) for service in SERVICES}
SECRETS["gateway"] += ("EDGE_KEY",)
WITH_MEDIA = ("catalog_product", "banner")
# What must be covered to the last branch: the code that everybody's trust rests on.
FULLY_COVERED = {"chassis": ("tokens", "keys", "strict_json")}
COVERED = {service: service for service in SERVICES} | {"chassis": "chassis", "cli": "mercato"}
# What programs need anywhere; everything else of the caller's environment could change a result.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "XDG_RUNTIME_DIR", "CI", "NO_COLOR")
PASSED_ON_PREFIXES = ("PYTHON", "MERCATO_POSTGRES_", "MERCATO_TEST_", "SSL_CERT_", "PLAYWRIGHT_")
# How this machine reaches its package index: what is installed in containers has to know it too.
INSTALLER_PREFIXES = ("PIP_", "UV_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
PYTEST = ("pytest", "-q", "--tb=short", "--import-mode=importlib", "--timeout=300")
NOTHING_COLLECTED = 5


@dataclass(frozen=True)
class Result:
    """What one suite came to. `problem` is set when the suite failed in another way than by its tests."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problem: str = ""

    def __add__(self, other: "Result") -> "Result":
        return Result(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


class Run:
    """One suite under way; `shown` lets it write to the terminal itself."""

    def __init__(
        self, suite: str, command: list[str], env: Mapping[str, str], folder: Path, shown: bool
    ) -> None:
        self.suite = suite
        self._started = time.monotonic()
        self._report = folder / f"{suite}.xml"
        self._output = folder / f"{suite}.txt"
        self._shown = shown
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, f"--junitxml={self._report}"],
                cwd=folder_of(suite),
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=None if shown else output,
                stderr=None if shown else subprocess.STDOUT,
                start_new_session=True,
            )

    def finish(self) -> Result:
        """Count, and tell: one line for a suite that passed, its whole output for one that did not."""
        result = self._count()
        if result.failed and not self._shown:
            print(self._output.read_text(errors="replace"))
        note = f"  {result.problem}" if result.problem else ""
        print(f"{self.suite:<18}{result}  ({time.monotonic() - self._started:.1f} s){note}", flush=True)
        for reason in self._reasons() if result.skipped else ():
            print(f"{'':<18}skipped: {reason}", flush=True)
        return result

    def kill(self) -> None:
        """End the suite with everything it started in its session."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _reasons(self) -> list[str]:
        # What is not proved is said aloud.
        found = ET.parse(self._report).getroot().iter("skipped")  # noqa: S314
        return sorted({skipped.get("message", "") for skipped in found})

    def _count(self) -> Result:
        code = self.process.returncode
        if code == NOTHING_COLLECTED:
            return Result(failed=1, problem="collected nothing")
        try:
            # The file was just written by our own pytest.
            totals = ET.parse(self._report).getroot().find("testsuite")  # noqa: S314
        except (OSError, ET.ParseError):
            totals = None
        if totals is None:
            return Result(failed=1, problem=f"pytest ended with status {code} and no report")
        failed = int(totals.get("failures", 0)) + int(totals.get("errors", 0))
        skipped = int(totals.get("skipped", 0))
        passed = int(totals.get("tests", 0)) - failed - skipped
        if code != 0 and not failed:
            return Result(passed, 1, skipped, f"pytest ended with status {code}")
        leaked = [] if failed else leaks(self._output.read_text(errors="replace"))
        if leaked:
            return Result(passed, 1, skipped, f"its output gives away {', '.join(leaked)}")
        return Result(passed, failed, skipped)


@dataclass
class Runner:
    """All suites of one call: their databases, their environment, their turns."""

    cluster: Cluster | None
    folder: Path
    extra: list[str]
    coverage: bool
    shown: bool
    seed: int = field(default_factory=lambda: random.randrange(2**31))
    _running: list[Run] = field(default_factory=list)

    def run(self, suites: list[str], at_once: int) -> Result:
        """Run the suites, `at_once` at a time, and sum up."""
        waiting, total = list(suites), Result()
        try:
            while waiting or self._running:
                while waiting and len(self._running) < at_once:
                    self._start(waiting.pop(0))
                time.sleep(0.05)
                for run in [run for run in self._running if run.process.poll() is not None]:
                    self._running.remove(run)
                    total += run.finish()
        finally:
            for run in self._running:
                run.kill()
        return total

    def demands_coverage(self, suite: str) -> bool:
        """Whether the suite runs whole and has modules that must be covered fully."""
        return suite in FULLY_COVERED and not self.extra

    def _start(self, suite: str) -> None:
        env = self._environment(suite)
        self._running.append(Run(suite, self._command(suite), env, self.folder, shown=self.shown))

    def _command(self, suite: str) -> list[str]:
        command = [sys.executable, "-m"]
        if suite in COVERED and (self.coverage or self.demands_coverage(suite)):
            data = self.folder / f".coverage.{suite}"
            command += [
                "coverage",
                "run",
                "--branch",
                f"--source={COVERED[suite]}",
                f"--data-file={data}",
                "-m",
            ]
        return [*command, *PYTEST, f"--randomly-seed={self.seed}", *BLACK_BOX.get(suite, ()), *self.extra]

    def _environment(self, suite: str) -> dict[str, str]:
        env = {k: v for k, v in os.environ.items() if k in PASSED_ON or k.startswith(PASSED_ON_PREFIXES)}
        env |= {name: secrets.token_urlsafe(36) for name in SECRETS.get(suite, ())}
        if suite == "containers":
            env |= {k: v for k, v in os.environ.items() if k.upper().startswith(INSTALLER_PREFIXES)}
        if suite in SHARING:
            env.setdefault("MERCATO_TEST_SEEDED", str(self.folder / "seeded"))
        if suite in WITH_MEDIA:
            media = self.folder / f"{suite}-media"
            media.mkdir()
            env[f"{suite.upper()}_MEDIA"] = str(media)
        if suite in WITH_DATABASE and self.cluster is not None:
            env |= _databases(self.cluster, suite)
        return env


def main(arguments: list[str]) -> int:
    """Run what the arguments ask for; 0 when every suite collected something and nothing failed."""
    coverage = "--coverage" in arguments
    arguments = [argument for argument in arguments if argument != "--coverage"]
    suites, extra = _split(arguments)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mercato-tests-")))
        needs_cluster = not set(WITH_DATABASE).isdisjoint(suites)
        cluster = stack.enter_context(temporary_cluster()) if needs_cluster else None
        runner = Runner(cluster, folder, extra, coverage=coverage, shown=len(suites) == 1)
        total = Result()
        for stage, at_once in STAGES:
            total += runner.run([suite for suite in stage if suite in suites], at_once)
        for suite in filter(runner.demands_coverage, suites):
            total += _demand_coverage(folder, suite)
        if coverage:
            _report_coverage(folder)
    if total.failed:
        print(f"same order again: tests/run.py SUITE --randomly-seed={runner.seed}")
    print(total)
    return 1 if total.failed or not total.passed else 0


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    known = (*SUITES, *BLACK_BOX)
    named = 0
    while named < len(arguments) and arguments[named] in known:
        named += 1
    extra = arguments[named:]
    if not named and extra:
        raise SystemExit(f"run.py: name a suite first, one of: {', '.join(known)}")
    return list(arguments[:named] or known), extra


def folder_of(suite: str) -> Path:
    """Where pytest runs for a suite."""
    return ROOT / ("tests" if suite in BLACK_BOX else suite)


def _databases(cluster: Cluster, suite: str) -> dict[str, str]:
    passwords = {"owner": secrets.token_urlsafe(16), "app": secrets.token_urlsafe(16)}
    provide(cluster, suite, owner_password=passwords["owner"], app_password=passwords["app"], for_tests=True)
    url = {
        role: cluster.url(user=f"{suite}_{role}", password=password, database=suite)
        for role, password in passwords.items()
    }
    prefix = f"{suite.upper()}_"
    return {f"{prefix}DATABASE_URL": url["app"], f"{prefix}OWNER_DATABASE_URL": url["owner"]}


def _demand_coverage(folder: Path, suite: str) -> Result:
    files = ",".join(f"*/{COVERED[suite]}/{module}.py" for module in FULLY_COVERED[suite])
    data = f"--data-file={folder / f'.coverage.{suite}'}"
    command = [
        sys.executable,
        "-m",
        "coverage",
        "report",
        data,
        f"--include={files}",
        "--fail-under=100",
        "-m",
    ]
    report = subprocess.run(command, cwd=ROOT / suite, capture_output=True, text=True, check=False)
    if report.returncode:
        print(f"{report.stdout}{report.stderr}{suite}: not every branch of {files} is covered")
    return Result(failed=1 if report.returncode else 0)


def _report_coverage(folder: Path) -> None:
    data = folder / ".coverage"
    tool = [sys.executable, "-m", "coverage"]
    subprocess.run([*tool, "combine", "-q", f"--data-file={data}", folder], cwd=folder, check=False)
    subprocess.run([*tool, "report", f"--data-file={data}", "--skip-empty"], cwd=ROOT, check=False)


def _interrupted(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupted)
    # Who starts this in the background hands down that Ctrl-C is ignored, which tests of it could not bear.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as exc:
        sys.exit(f"run.py: {exc}")
    except KeyboardInterrupt:
        sys.exit("run.py: interrupted")
