"""The running system, started by the real command on free ports, and a client that sends any bytes at all."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import requests

from chassis.testing.attacks import Aim
from chassis.testing.forge import Forge, decode
from chassis.testing.leaks import leaks_of_logs, secrets_in
from chassis.testing.sharing import making
from mercato.totp import Codes

ROOT = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).with_name("mercato")
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_RUNTIME_DIR", "MERCATO_POSTGRES_BIN")
# Everything here comes from one address, and some of it in floods: no test runs into a limit by chance.
ROOMY = dict.fromkeys(
    ("EDGE_REQUESTS_PER_SECOND", "EDGE_BURST", "EDGE_GUESSES_PER_SECOND", "EDGE_GUESSES_BURST"), "1000000"
)
PORTS_OF_A_SYSTEM = 12
UP_WITHIN_SECONDS = 240
ACCESS_SECONDS = 60  # After which an access token is renewed before it is handed out again.
PAIR_SECONDS = 600  # After which a log-in is too old for what asks for a fresh one.


@dataclass
class Reply:
    """An answer as it came. Header names are in lower case, in order."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value for known, value in self.fields if known == name]
        assert len(values) < 2, f"{name} came twice"
        return values[0] if values else None

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the problem document, which has to be one."""
        assert self.header("content-type") == "application/problem+json"
        document = self.json()
        assert document["status"] == self.status
        assert document["type"] == f"/problems/{document['code']}"
        assert document["request_id"] == self.header("x-request-id")
        return document["code"]


class Wire:
    """A connection to a local port that sends what it is told, byte for byte."""

    def __init__(self, port: int, seconds: float = 10.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._file: BinaryIO = self._socket.makefile("rb")

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def finish(self) -> None:
        """Say that nothing more comes, and go on listening."""
        self._socket.shutdown(socket.SHUT_WR)

    def reply(self, *, is_head: bool = False) -> Reply | None:
        """The next answer, or None when the server has closed the connection."""
        line = self._read_line()
        if not line:
            return None
        status = int(line.split(b" ", 2)[1])
        fields = list(iter(self._read_field, None))
        if status == 100:
            return self.reply(is_head=is_head)
        return Reply(status, fields, b"" if is_head else self._read_body(status, dict(fields)))

    def replies(self) -> list[Reply]:
        """All answers up to the server's closing of the connection, which must come."""
        return list(iter(self.reply, None))

    def ask(self, request: bytes, *, is_head: bool = False) -> Reply:
        """The answer to a request, which must come."""
        self.send(request)
        reply = self.reply(is_head=is_head)
        assert reply is not None, "closed without an answer"
        return reply

    def _read_line(self) -> bytes:
        try:
            return self._file.readline()
        except ConnectionResetError:
            return b""

    def _read_field(self) -> tuple[str, str] | None:
        line = self._read_line().rstrip(b"\r\n").decode("latin-1")
        if not line:
            return None
        name, _, value = line.partition(":")
        return name.lower(), value.strip()

    def _read_body(self, status: int, fields: dict[str, str]) -> bytes:
        if status in {204, 304}:
            return b""
        if fields.get("transfer-encoding") == "chunked":
            return b"".join(iter(self._read_chunk, b""))
        if "content-length" in fields:
            return self._file.read(int(fields["content-length"]))
        return self._file.read()

    def _read_chunk(self) -> bytes:
        data = self._file.read(int(self._read_line(), 16))
        self._read_line()
        return data


@dataclass(frozen=True)
class Kept:
    """A log-in of staff that several tests use, and since when it and its access token are there."""

    answer: Any
    began: float = field(default_factory=time.monotonic)
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class System:
    """A system that runs. env is for further calls of the command, which find it by MERCATO_DATA."""

    port: int
    data_dir: Path
    keys_dir: Path
    env: dict[str, str]
    report: dict[str, Any]
    logins: dict[str, dict[str, Any]]
    command: Path = COMMAND
    http: requests.Session = field(default_factory=requests.Session, repr=False)
    kept: dict[Any, "Kept"] = field(default_factory=dict, repr=False)

    @property
    def origin(self) -> str:
        return self.report["origin"]

    @property
    def ports(self) -> range:
        """All ports that belong to the system, whether somebody listens there or not."""
        return range(self.port, self.port + PORTS_OF_A_SYSTEM)

    @property
    def programs(self) -> list[str]:
        """The names of our own processes, which is all but PostgreSQL."""
        return [process["name"] for process in self.report["processes"] if process["name"] != "postgres"]

    @property
    def metrics_ports(self) -> dict[str, int]:
        """Where each of our processes shows its figures; only the edge has a port for them alone."""
        return {name: self.process(name)["port"] for name in self.programs} | {"edge": self.ports[-1]}

    @property
    def wallet_port(self) -> int:
        return self.process("wallet")["port"]

    @property
    def wallet_url(self) -> str:
        return f"http://127.0.0.1:{self.wallet_port}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secrets of all processes, any of which a token could have been keyed with."""
        kept = json.loads((self.data_dir / "secrets.json").read_text())
        own = [service["secret_key"] for service in kept["services"].values()]
        return (kept["edge_key"], *own)

    @property
    def passwords(self) -> tuple[str, ...]:
        """Whatever lets somebody in: the passwords and TOTP secrets of people, and of database roles."""
        kept = json.loads((self.data_dir / "secrets.json").read_text())
        roles = [
            service[role]
            for service in kept["services"].values()
            for role in ("owner_password", "app_password")
        ]
        people = [login[name] for login in self.logins.values() for name in ("password", "totp_secret")]
        return (kept["postgres_password"], *roles, *filter(None, people))

    def process(self, name: str) -> dict[str, Any]:
        return next(process for process in self.report["processes"] if process["name"] == name)

    def log_lines(self) -> list[str]:
        return [line for log in self.data_dir.rglob("*.log") for line in log.read_text().splitlines()]

    def request(self, method: str, path: str, *, token: str = "", **options: Any) -> requests.Response:
        """A request at the edge."""
        headers = options.pop("headers", {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        return self.http.request(method, f"{self.origin}{path}", headers=headers, timeout=10, **options)

    def log_in(self, persona: str, scope: str | None = None) -> dict[str, Any]:
        """The answer to a log-in through the API: access, refresh and so on.

        Staff have few codes to log in with, so theirs may be an answer that somebody else had before, renewed
        where it was about to expire: whoever ends the session says `log_in_anew`.
        """
        if not self.logins[persona]["totp_secret"]:
            return self.log_in_anew(persona, scope)
        kept = self.kept.get((persona, scope))
        if kept is None or kept.began < time.monotonic() - PAIR_SECONDS:
            kept = Kept(self.log_in_anew(persona, scope))
        elif kept.since < time.monotonic() - ACCESS_SECONDS:
            response = self.request("POST", "/api/v1/auth/refresh", json={"refresh": kept.answer["refresh"]})
            assert response.status_code == 200, response.text
            kept = Kept(response.json(), began=kept.began)
        self.kept[persona, scope] = kept
        return kept.answer

    def log_in_anew(self, persona: str, scope: str | None = None) -> dict[str, Any]:
        """The answer to a log-in that nobody else uses."""
        known = self.logins[persona]
        body = {"email": known["email"], "password": known["password"]} | ({"scope": scope} if scope else {})
        for _ in range(4):
            code = {"otp": self.otp(persona, to_type=False)}
            response = self.request("POST", "/api/v1/auth/login", json=body | code)
            # One that the seed of this shop has used, or whose time has just passed, is followed by another.
            if response.status_code == 200 or response.json()["code"] != "wrong-otp":
                break
        assert response.status_code == 200, response.text
        return response.json()

    def otp(self, persona: str, *, to_type: bool = True) -> str:
        """A code of a member of staff that nobody has used; empty for others. The third in 30 s waits."""
        known = self.logins[persona]
        if not known["totp_secret"]:
            return ""
        codes = Codes(self.data_dir / "codes.json")
        return codes.next(known["email"], known["totp_secret"], to_type=to_type)

    def url_of(self, process: str) -> str:
        """Where a process itself listens."""
        return f"http://127.0.0.1:{self.process(process)['port']}"

    def aim(self, audience: str, listener: str = "http://127.0.0.1:9/", scope: str = "wallet:read") -> Aim:
        """Attacks by somebody who holds the keys of this system, at what the shopper may read."""
        forge = Forge(self.keys_dir, issuer=self.origin)
        sub = self.logins["shopper"]["sub"]
        # Only the gateway has sessions to look up; services see nothing but the token.
        sid = self.session if audience == "gateway" else "session"
        return Aim(forge, audience, scope, sub=sub, sid=sid, listener=listener, secrets=self.secrets)

    @cached_property
    def session(self) -> str:
        """A session of the shopper that stays open."""
        return json.loads(decode(self.log_in("shopper")["access"].split(".")[1]))["sid"]


def free_ports(count: int) -> int:
    """The first of as many ports in a row that nobody listens on, below those that the kernel hands out."""
    first = random.randrange(20_000, 32_000)
    with ExitStack() as stack:
        try:
            for port in range(first, first + count):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        except OSError:
            return free_ports(count)
    return first


def run(*arguments: object, env: dict[str, str]) -> str:
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        env=env,
        capture_output=True,
        text=True,
        timeout=UP_WITHIN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"mercato {' '.join(map(str, arguments))}: {done.stdout}{done.stderr}"
    return done.stdout


def copied(data_dir: Path, target: Path) -> Path:
    """A copy of what a stopped system left."""
    return shutil.copytree(data_dir, target, dirs_exist_ok=True)


@contextmanager
def started(data_dir: Path, *options: str) -> Iterator[System]:
    """A system from what is in this folder, whole unless the options of `up` say otherwise; stopped again
    whatever happens.
    """
    own = {name: os.environ[name] for name in PASSED_ON if name in os.environ} | ROOMY
    env = own | {"MERCATO_DATA": str(data_dir)}
    port = free_ports(PORTS_OF_A_SYSTEM)
    try:
        run("up", "--detach", "--port", port, *options, env=env)
        report = json.loads(run("status", "--json", env=env))
        logins = {login["persona"]: login for login in json.loads(run("logins", "--json", env=env))}
        system = System(port, data_dir, Path(report["keys_dir"]), env, report, logins)
        with system.http:
            yield system
    finally:
        run("down", env=env)
    assert_nothing_leaked(data_dir)


def assert_nothing_leaked(data_dir: Path) -> None:
    """No token, password or secret stands in a log of what ran from this folder."""
    secrets = [secret for path in data_dir.glob("*.json") for secret in secrets_in(path)]
    assert leaks_of_logs(data_dir, secrets) == []


def running(told: Path) -> System:
    """A system that runs elsewhere, of which no more is known than its origin and its log-ins."""
    report = json.loads(told.read_text())
    logins = {login["persona"]: login for login in report["logins"]}
    port = int(report["origin"].rpartition(":")[2])
    return System(port, told.parent, told.parent, {}, {"origin": report["origin"], "processes": []}, logins)


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first start leaves behind: keys, databases, the demo shop. Systems start from copies of it.

    MERCATO_TEST_SEEDED names where it is kept, for several runs to share its minute.
    """
    kept = os.environ.get("MERCATO_TEST_SEEDED")
    data_dir = Path(kept) if kept else tmp_path_factory.mktemp("seeded")
    with making(data_dir) as is_missing:
        if is_missing:
            with started(data_dir):
                pass
    return data_dir


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system that most tests share. They leave it running.

    MERCATO_TEST_RUNNING names a file that tells of one that runs elsewhere, which is used instead.
    """
    if told := os.environ.get("MERCATO_TEST_RUNNING"):
        yield running(Path(told))
        return
    seeded = request.getfixturevalue("seeded")
    with started(copied(seeded, tmp_path_factory.mktemp("mercato"))) as system:
        yield system


@pytest.fixture(scope="module")
def own_system(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that the tests of one module may break."""
    with started(copied(seeded, tmp_path_factory.mktemp("own-mercato"))) as system:
        yield system


@pytest.fixture
def start(seeded: Path, tmp_path: Path) -> Callable[..., AbstractContextManager[System]]:
    """Starts a system of one's own: `with start("--only", "edge,web") as system`."""
    return lambda *options: started(copied(seeded, tmp_path / "mercato"), *options)


@pytest.fixture(scope="session")
def connect() -> Callable[..., Wire]:
    """Opens a connection to a local port."""
    return Wire


@pytest.fixture(scope="session")
def eventually() -> Callable[..., None]:
    """Waits until something that another process does has come true."""

    def wait(condition: Callable[[], bool], seconds: float = 10.0) -> None:
        ends_at = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < ends_at, "it never came true"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="module")
def save_user(system, tmp_path_factory):
    """Makes or changes a user as an operator does, by a command beside the running web."""

    def save(**user):
        file = tmp_path_factory.mktemp("users") / "users.json"
        file.write_text(json.dumps([user]))
        command = [system.command, "manage", "gateway", "create_users", "--file", file]
        subprocess.run(command, env=system.env, check=True, capture_output=True, timeout=60)

    return save
