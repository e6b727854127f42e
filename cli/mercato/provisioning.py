"""Keys and secrets as files, a folder for each process that may read them, for containers."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

from chassis.files import alone, replace_file
from gateway.tokens import keyring
from mercato.failures import Failure
from mercato.home import Home
from mercato.personas import new_user, prepare_logins, refuse_to_publish
from mercato.topology import GATEWAY, SERVICES, Service, allows_demo

EDGE = "gateway-edge"
WEB = "gateway-web"
PEOPLE = "people"
DEMO = "demo"
POSTGRES = "postgres"
KEY_HOLDERS = (GATEWAY.name, *keyring.SERVICE_SCOPES)

_FOLDER = 0o700
_FILE = 0o600
# PostgreSQL's image runs as a user of its own, who is given our group to read this one folder.
_SHARED_FOLDER = 0o750
_SHARED_FILE = 0o640


class OpenToOthers(Failure):
    """A shop for this machine alone would be open to others, and with it the mail that lets them in."""


def holder(service: Service) -> str:
    """Whose folder has what the service runs with."""
    return WEB if service is GATEWAY else service.name.replace("_", "-")


def migrate_holder(service: Service) -> str:
    """Whose folder has what its migrations run with: the owner's rights, which the service must not know."""
    return f"{service.name.replace('_', '-')}-migrate"


HOLDERS = (
    EDGE,
    *(holder(service) for service in SERVICES),
    *(migrate_holder(service) for service in SERVICES),
    PEOPLE,
    DEMO,
    POSTGRES,
)


def refuse_others(origin: str, address: str) -> None:
    """See to it that a shop behind an origin of this machine is published on an address of this machine.

    Raises: OpenToOthers.
    """
    try:
        is_own = ip_address(address.strip("[]")).is_loopback
    except ValueError:
        is_own = False
    if allows_demo(origin) and not is_own:
        raise OpenToOthers(
            f"MERCATO_ADDRESS={address} would show /dev/mail/, with every code in it, to others: "
            f"a shop at {origin} is for 127.0.0.1; for others set MERCATO_ORIGIN"
        )


def make_folders(root: Path) -> None:
    """Make the folders that are missing, below `root`: keys/public, keys/private/<holder>, secrets/<holder>.

    Raises: Failure when that is not allowed.
    """
    try:
        for name in (
            "secrets",
            "keys/public",
            "keys/private",
            *(f"keys/private/{name}" for name in KEY_HOLDERS),
        ):
            _make_folder(root / name, _FOLDER)
        for name in HOLDERS:
            _make_folder(root / "secrets" / name, _SHARED_FOLDER if name == POSTGRES else _FOLDER)
    except OSError as exc:
        raise Failure(f"cannot make {exc.filename}: {exc.strerror}") from exc


def provision(root: Path, *, origin: str, with_demo: bool) -> None:
    """Make the keys, and every file of every holder, that are missing below `root`.

    What was drawn by lot is written once and stays; what follows from it (`init.sql`, `users.json`) is
    written again when it changed. Two runs at a time take turns.

    Raises: DemoIsThere, Failure.
    """
    make_folders(root)
    try:
        with alone(root / "secrets"):
            keyring.init(root / "keys")
            _write_secrets(root / "secrets", origin=origin, with_demo=with_demo)
    except (keyring.UnusableKey, OSError, UnicodeDecodeError) as exc:
        raise Failure(f"cannot provision {root}: {exc}") from exc


def init_sql(passwords: Mapping[str, tuple[str, str]]) -> str:
    """What psql makes of an empty server: per service a database, its owner and its app role.

    `passwords` gives those of owner and app role by the name of the service. The rights are those of
    `mercato.postgres.provide`; run again, it makes what is missing and sets the passwords.
    """
    lines = ["\\connect postgres", "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;"]
    for name, (owner, app) in passwords.items():
        lines += [
            "\\connect postgres",
            *_role(f"{name}_owner", owner),
            *_role(f"{name}_app", app),
            _unless(
                f"FROM pg_database WHERE datname = '{name}'", f"CREATE DATABASE {name} OWNER {name}_owner"
            ),
            f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;",
            f"GRANT CONNECT ON DATABASE {name} TO {name}_app;",
            f"\\connect {name}",
            f"ALTER SCHEMA public OWNER TO {name}_owner;",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
        ]
    return "".join(f"{line}\n" for line in lines)


def _write_secrets(folder: Path, *, origin: str, with_demo: bool) -> None:
    for service in SERVICES:
        name, own, migrate = service.name, folder / holder(service), folder / migrate_holder(service)
        _once(own / "secret_key", _secret)
        _once(own / "database_url", lambda: _database_url(name, "app"))  # noqa: B023  Called at once.
        _once(migrate / "secret_key", _secret)
        _once(migrate / "owner_database_url", lambda: _database_url(name, "owner"))  # noqa: B023
    _replace(folder / EDGE / "edge_key", _once(folder / WEB / "edge_key", _secret))
    # Jobs of the gateway sign nothing and answer nobody: what its settings ask for is good for nothing else.
    for job in (migrate_holder(GATEWAY), PEOPLE):
        _once(folder / job / "edge_key", _secret)
    # The secrets of second factors are encrypted by this job, for the web to read.
    _replace(folder / PEOPLE / "secret_key", (folder / WEB / "secret_key").read_text())
    _replace(folder / PEOPLE / "database_url", (folder / WEB / "database_url").read_text())
    _once(folder / POSTGRES / "password", _secret, mode=_SHARED_FILE)
    _replace(folder / POSTGRES / "init.sql", init_sql(_passwords(folder)), mode=_SHARED_FILE)
    _replace(folder / PEOPLE / "users.json", _users(folder / DEMO, origin=origin, with_demo=with_demo))


def _users(demo: Path, *, origin: str, with_demo: bool) -> str:
    """What the gateway's `create_users` reads: nobody, where there is to be no demo."""
    home = Home(None, demo, demo)
    refuse_to_publish(home, origin)
    logins = prepare_logins(home) if with_demo else []
    return json.dumps([asdict(new_user(login)) for login in logins])


def _passwords(folder: Path) -> dict[str, tuple[str, str]]:
    def password(path: Path) -> str:
        return unquote(urlsplit(path.read_text()).password or "")

    return {
        service.name: (
            password(folder / migrate_holder(service) / "owner_database_url"),
            password(folder / holder(service) / "database_url"),
        )
        for service in SERVICES
    }


def _unless(found: str, statement: str) -> str:
    # Neither statement can ask by itself whether it is needed, so psql asks first.
    return f"SELECT '{statement}' WHERE NOT EXISTS (SELECT {found}) \\gexec"


def _role(name: str, password: str) -> tuple[str, str]:
    quoted = password.replace("'", "''")
    return (
        _unless(f"FROM pg_roles WHERE rolname = '{name}'", f"CREATE ROLE {name}"),
        f"ALTER ROLE {name} LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB PASSWORD '{quoted}';",
    )


def _database_url(service: str, role: str) -> str:
    return f"postgresql://{service}_{role}:{_secret()}@postgres:5432/{service}"


def _secret() -> str:
    return secrets.token_urlsafe(36)


def _once(path: Path, make: Callable[[], str], *, mode: int = _FILE) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        content = make()
        replace_file(path, content.encode(), mode=mode)
        return content


def _replace(path: Path, content: str, *, mode: int = _FILE) -> None:
    if not path.is_file() or path.read_text() != content:
        replace_file(path, content.encode(), mode=mode)


def _make_folder(path: Path, mode: int) -> None:
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)  # mkdir() takes away what the umask names.
