"""One PostgreSQL cluster for one machine: made, started, stopped and divided among the services."""

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from mercato.failures import Failure
from mercato.postgres.binaries import Launch, PostgresUnavailable, choose_launch, find_bin_dir, major_version
from mercato.postgres.databases import PORT, SUPERUSER, database_url
from mercato.postgres.initdb import initialize
from mercato.processes import has_ended, last_lines, spawn, wait_until

_LONGEST_SOCKET_DIR = 80


class AnotherMajorVersion(Failure):
    """The data directory belongs to another major version of PostgreSQL than the binaries found."""


class AlreadyServed(Failure):
    """Another running program serves the data directory."""


class Cluster:
    """One cluster in one data directory, listening on a Unix socket in a 0700 folder and nowhere else.

    `settings` are passed to the server as given (`{"fsync": "off"}`). Not safe for use by two threads.
    """

    def __init__(
        self,
        data_dir: Path,
        password: str,
        *,
        log: Path,
        settings: Mapping[str, str] | None = None,
        bin_dir: Path | None = None,
        launch: Launch | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.log = log
        self.bin_dir = bin_dir or find_bin_dir()
        self.process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._made_socket_dir = False
        self._password = password
        self._settings = dict(settings or {})
        self._launch = launch or choose_launch()
        self.socket_dir = self._recorded_socket_dir() or _socket_dir(self.data_dir)

    def start(self, timeout: float = 60.0, check: Callable[[], None] = lambda: None) -> None:
        """Make the cluster if it is not there yet, start it and return when it takes connections.

        Waits at most `timeout` seconds; `check` is called meanwhile and may raise. A PID file left by a
        crash or a reboot is cleared; a server that lost its supervisor is stopped first.

        Raises: PostgresUnavailable, AnotherMajorVersion, AlreadyServed.
        """
        deadline = time.monotonic() + timeout
        self._take_lock()
        try:
            if not (self.data_dir / "PG_VERSION").exists():
                initialize(self.data_dir, self._password, bin_dir=self.bin_dir, launch=self._launch)
            self._refuse_another_major()
            self._clear_leftovers()
            self._launch.own(self.data_dir)
            self._make_socket_dir()
            while not self._starts(deadline, check):
                # The children of a killed server need a moment to notice and let go of the shared memory.
                time.sleep(0.3)
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout: float = 20.0) -> None:
        """Stop the server at once but cleanly: sessions are cut, nothing committed is lost. Idempotent."""
        if self.process is not None:
            _end(self.process, timeout)
            self.process = None
        if self._made_socket_dir:
            shutil.rmtree(self.socket_dir, ignore_errors=True)
            self._made_socket_dir = False
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def pid(self) -> int | None:
        """The process id of the server on this data directory, whoever started it; None without one."""
        lines = self._pid_file()
        pid = int(lines[0]) if lines and lines[0].isdigit() else None
        return pid if pid is not None and self._is_our_server(pid) else None

    def url(self, *, user: str, password: str, database: str) -> str:
        """The libpq URL of a database of this cluster."""
        return database_url(user=user, password=password, database=database, socket_dir=self.socket_dir)

    def superuser_url(self, database: str = "postgres") -> str:
        """The libpq URL of a database for the one who may do everything; for making databases only."""
        return self.url(user=SUPERUSER, password=self._password, database=database)

    def _refuse_another_major(self) -> None:
        theirs = (self.data_dir / "PG_VERSION").read_text().strip()
        ours = str(major_version(self.bin_dir))
        if theirs != ours:
            raise AnotherMajorVersion(
                f"{self.data_dir} was made by PostgreSQL {theirs}, but {self.bin_dir} has {ours}: set "
                f"MERCATO_POSTGRES_BIN to PostgreSQL {theirs}, or move the directory away to start afresh"
            )

    def _clear_leftovers(self) -> None:
        pid = self.pid()
        if pid is not None:
            self._stop_orphan(pid)
        # The server believes any living process with the recorded number; after a reboot that is a stranger.
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)
        shutil.rmtree(self.socket_dir, ignore_errors=True)

    def _take_lock(self) -> None:
        # The lock tells a server that a living program supervises from one whose supervisor was killed.
        if self._lock is not None:
            return
        try:
            self.data_dir.parent.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(f"{self.data_dir}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            self.stop()
            raise AlreadyServed(f"another program runs PostgreSQL in {self.data_dir}") from exc
        except OSError as exc:
            raise PostgresUnavailable(f"cannot write beside {self.data_dir}: {exc.strerror}") from exc

    def _stop_orphan(self, pid: int) -> None:
        try:
            process = psutil.Process(pid)
            process.send_signal(signal.SIGINT)
        except psutil.NoSuchProcess:
            return
        if not wait_until(lambda: has_ended(process), timeout=20):
            raise AlreadyServed(f"PostgreSQL {pid} serves {self.data_dir} and does not stop")

    def _starts(self, deadline: float, check: Callable[[], None]) -> bool:
        written = self.log.stat().st_size if self.log.exists() else 0
        process = self._spawn_server()
        self.process = process
        while time.monotonic() < deadline:
            check()
            if process.poll() is not None:
                self.process = None
                return self._explain_early_end(written)
            if self._says_ready(process.pid):
                return True
            time.sleep(0.02)
        raise PostgresUnavailable(
            f"PostgreSQL in {self.data_dir} did not become ready in time; see {self.log}"
        )

    def _spawn_server(self) -> "subprocess.Popen[bytes]":
        server = os.fspath(self.bin_dir / "postgres")
        command = [*self._launch.prefix, server, "-D", os.fspath(self.data_dir), "-p", str(PORT)]
        for name, value in self._server_settings().items():
            command += ["-c", f"{name}={value}"]
        identity = self._launch.identity
        try:
            return spawn(command, log=self.log, cwd=Path("/"), identity=identity, death_signal=signal.SIGINT)
        except OSError as exc:
            raise PostgresUnavailable(f"cannot start {server}: {exc.strerror}") from exc

    def _server_settings(self) -> dict[str, str]:
        fixed = {
            "listen_addresses": "",
            "unix_socket_directories": os.fspath(self.socket_dir),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "200",
        }
        return fixed | self._settings

    def _explain_early_end(self, written: int) -> bool:
        said = last_lines(self.log, 20, start=written)
        if any("shared memory block" in line for line in said):
            return False
        reasons = [line for line in said if "FATAL" in line or "rror" in line]
        raise PostgresUnavailable(f"PostgreSQL did not start: {(reasons or said or ['it said nothing'])[-1]}")

    def _says_ready(self, pid: int) -> bool:
        # The eighth line is the state that pg_ctl waits for too.
        lines = self._pid_file()
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _pid_file(self) -> list[str]:
        try:
            return (self.data_dir / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _recorded_socket_dir(self) -> Path | None:
        lines = self._pid_file()
        return Path(lines[4]) if self.pid() is not None and len(lines) > 4 and lines[4] else None

    def _is_our_server(self, pid: int) -> bool:
        try:
            command = psutil.Process(pid).cmdline()
        except psutil.Error:
            return False
        return bool(command) and Path(command[0]).name == "postgres" and os.fspath(self.data_dir) in command

    def _make_socket_dir(self) -> None:
        try:
            self.socket_dir.mkdir(mode=0o700)
        except FileExistsError:
            # Somebody else's folder has the name we would use in a shared /tmp: take one nobody can foresee.
            self.socket_dir = Path(tempfile.mkdtemp(prefix="mercato-"))
        self._made_socket_dir = True
        self._launch.own(self.socket_dir)


@contextmanager
def temporary_cluster(settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A started cluster in a folder of its own that is gone at the end; not durable, for tests only."""
    folder = Path(tempfile.mkdtemp(prefix="mercato-pg-"))
    # In case the server runs as nobody, it must be able to reach its own data directory, and no more.
    folder.chmod(0o711)
    quick = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"} | dict(settings or {})
    password = secrets.token_urlsafe(24)
    try:
        cluster = Cluster(folder / "data", password, log=folder / "postgres.log", settings=quick)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _socket_dir(data_dir: Path) -> Path:
    # A socket's path may have 107 bytes (104 on macOS), far less than a data directory can be deep.
    name = f"mercato-{os.geteuid()}-{hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]}"
    for base in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()):
        if base and os.access(base, os.W_OK) and len(os.path.join(base, name)) <= _LONGEST_SOCKET_DIR:
            return Path(base, name)
    return Path("/tmp", name)  # noqa: S108 - the folder is made 0700, never shared with one that exists


def _end(process: "subprocess.Popen[bytes]", timeout: float) -> None:
    # SIGINT is the fast stop (SIGTERM would wait for every client); after SIGQUIT the next start recovers.
    for number, patience in ((signal.SIGINT, timeout), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
