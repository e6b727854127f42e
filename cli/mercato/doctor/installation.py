"""What stands in the data directory, in the keys folder and in the environment."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from gateway.tokens import keyring
from mercato.assembly import default_port
from mercato.databases import external_urls
from mercato.doctor.findings import Finding, Patient, fail, ok, warn
from mercato.home import read_json
from mercato.topology import SERVICES, allows_demo, public_origin

_EVERYONE_ELSE = 0o077


def origin(patient: Patient) -> Iterator[Finding]:
    """Whether the public origin is one, and is that of the running system."""
    port = patient.state.port or default_port()
    wanted = public_origin(port)
    running = patient.state.origin
    if patient.is_running and running != wanted and os.environ.get("MERCATO_ORIGIN", "").strip():
        yield warn("origin", f"{running} runs, MERCATO_ORIGIN is {wanted}", "mercato down, mercato up")
    else:
        yield ok("origin", running if patient.is_running else wanted)
    if not allows_demo(wanted) and not os.environ.get("MAIL_URL") and not os.environ.get("MAIL_URL_FILE"):
        yield fail("mail", f"{wanted} needs a mail server", "set MAIL_URL: the web does not start without")


def modes(patient: Patient) -> Iterator[Finding]:
    """Whether what is ours is ours alone."""
    home = patient.home
    if not home.data_dir.is_dir():
        yield ok("data", f"{home.data_dir} is not there yet; mercato up makes it")
        return
    private = (home.secrets_file, home.logins_file, home.state_file, home.stamps_file, home.log_dir)
    found = [path for path in private if path.exists()]
    loose = [(path, 0o600 if path.is_file() else 0o700) for path in found if _mode(path) & _EVERYONE_ELSE]
    # Others may pass through to what is theirs, for PostgreSQL may run as another user, but not look around.
    if _mode(home.data_dir) & 0o066:
        loose.append((home.data_dir, 0o711))
    for path, mode in loose:
        yield fail("data", f"{path} has mode {_mode(path):04o}: others may use it", f"chmod {mode:o} {path}")
    if home.data_dir.stat().st_uid != os.geteuid():
        yield fail("data", f"{home.data_dir} belongs to another user", "run mercato as that user")
    elif not os.access(home.data_dir, os.W_OK):
        yield fail("data", f"{home.data_dir} cannot be written", "mount it writable")
    elif not loose:
        yield ok("data", f"{home.data_dir} is closed to others")


def secrets(patient: Patient) -> Iterator[Finding]:
    """Whether every service has its secrets."""
    home = patient.home
    if not home.secrets_file.exists():
        if home.postgres_dir.exists():
            yield fail(
                "secrets",
                f"{home.secrets_file} is gone, and with it the passwords of the databases",
                "put it back from a backup",
            )
        else:
            yield ok("secrets", "none yet; mercato up makes them")
        return
    kept = read_json(home.secrets_file)
    services = kept.get("services", {})
    missing = [name for name in ("postgres_password", "edge_key") if not kept.get(name)]
    missing += [
        f"{name} of {service.name}"
        for service in SERVICES
        for name in ("secret_key", "owner_password", "app_password")
        if not services.get(service.name, {}).get(name)
    ]
    if missing:
        yield fail("secrets", f"missing: {', '.join(missing)}", "put the file back from a backup")
    else:
        yield ok("secrets", f"{home.secrets_file} is whole")


def keys(patient: Patient) -> Iterator[Finding]:
    """Whether the keys are as they should be."""
    keys_dir = patient.home.keys_dir
    if not (keys_dir / "private").exists() and not patient.home.secrets_file.exists():
        yield ok("keys", "none yet; mercato up makes them")
        return
    problems = keyring.check(keys_dir)
    for problem in problems:
        if "is older than" in problem:
            yield warn("keys", problem, "see keys/README.md")
        else:
            yield fail("keys", problem, "mercato keys init makes what is missing; else see keys/README.md")
    if not problems:
        yield ok("keys", f"{keys_dir}: each active, published and closed to others")


def static_files(patient: Patient) -> Iterator[Finding]:
    """Whether the gateway's style sheets and scripts are collected."""
    listing = patient.home.static_dir / "staticfiles.json"
    if _is_json(listing):
        yield ok("static", f"collected in {patient.home.static_dir}")
    elif patient.is_running:
        yield fail("static", f"{listing} is gone or broken: pages have no style", "mercato down, mercato up")
    else:
        yield ok("static", "not collected; mercato up does it")


def media(patient: Patient) -> Iterator[Finding]:
    """Whether pictures can be kept."""
    folders = [patient.home.media_dir(service.name) for service in SERVICES if service.has_media]
    wrong = [folder for folder in folders if folder.exists() and not _can_write(folder)]
    for folder in wrong:
        yield fail("media", f"{folder} is no folder that can be written", "make it one: uploads fail")
    if not wrong:
        made = all(folder.exists() for folder in folders)
        yield ok("media", "folders can be written" if made else "not there yet; mercato up makes it")


def roles(_patient: Patient) -> Iterator[Finding]:
    """Which databases are other than ours, and whether the owner of their tables is another role."""
    for service in SERVICES:
        urls = external_urls(service)
        if urls and urls.owner == urls.app:
            yield warn(
                "database",
                f"{service.name} runs as the owner of its tables: rights do not protect them from it",
                f"set {service.prefix}_OWNER_DATABASE_URL, and another role in {service.prefix}_DATABASE_URL",
            )


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _can_write(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


EXAMINATIONS = (origin, modes, secrets, keys, static_files, media, roles)
