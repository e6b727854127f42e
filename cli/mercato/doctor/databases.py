"""PostgreSQL: found, of the right version, reachable, not too generous, up to date, and in time."""

import subprocess
import time
from collections.abc import Iterator

from chassis.postgres import has_too_many_rights
from mercato.assembly import default_port
from mercato.credentials import Credentials, ServiceCredentials
from mercato.databases import external_urls
from mercato.doctor.findings import Finding, Patient, fail, ok, warn
from mercato.home import read_json
from mercato.postgres import Cluster, PostgresUnavailable, connect, find_bin_dir, major_version
from mercato.topology import SERVICES, DatabaseUrls, Service, System, public_origin

_OFF, _FAR_OFF = 2.0, 30.0  # seconds
_CHECK_WITHIN = 60  # seconds


def postgres(patient: Patient) -> Iterator[Finding]:
    """Whether there is a PostgreSQL for the services that name no other, and one that reads their data."""
    if all(external_urls(service) for service in SERVICES):
        return
    bin_dir = find_bin_dir()
    major = major_version(bin_dir)
    mark = patient.home.postgres_dir / "PG_VERSION"
    made_by = mark.read_text().strip() if mark.exists() else str(major)
    if made_by != str(major):
        text = f"{patient.home.postgres_dir} is of PostgreSQL {made_by}, found was {major}"
        yield fail("postgres", text, f"set MERCATO_POSTGRES_BIN to PostgreSQL {made_by}")
    else:
        yield ok("postgres", f"PostgreSQL {major} in {bin_dir}")


def services(patient: Patient) -> Iterator[Finding]:
    """Each database that can be asked now: as the service sees it, and whether it is up to date."""
    system = _system(patient)
    reachable = []
    if len(system.databases) < len(SERVICES):
        yield ok("database", "the embedded PostgreSQL does not run, so its databases were not looked at")
    for service in SERVICES:
        if service.name not in system.databases:
            continue
        try:
            yield from _look_into(service, system.databases[service.name])
        except PostgresUnavailable as exc:
            yield fail("database", f"{service.name}: {exc}", "start it, or correct its URL or password")
        else:
            reachable.append(service)
    yield from _pending_migrations(system, reachable)


def _look_into(service: Service, urls: DatabaseUrls) -> Iterator[Finding]:
    with connect(urls.app) as connection, connection.cursor() as cursor:
        before = time.time()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        [there] = cursor.fetchone() or (0.0,)
        # What the answer took is no difference of clocks.
        after = time.time()
        off = max(there - after, before - there, 0.0)
        is_generous = has_too_many_rights(cursor)
        major = connection.server_version // 10_000
    if urls.owner != urls.app:
        with connect(urls.owner):
            pass
    if is_generous and urls.owner != urls.app:
        text = f"{service.name}: the role it runs as owns tables, or may make them"
        yield fail("database", text, "give it another role than the owner's")
    if off > _OFF:
        report = fail if off > _FAR_OFF else warn
        text = f"{service.name}: the database's clock is {off:.0f} s off this machine's"
        yield report("clock", text, "set both by NTP: tokens and prices have times")
    yield ok("database", f"{service.name}: PostgreSQL {major} answers")


def _pending_migrations(system: System, reachable: list[Service]) -> Iterator[Finding]:
    # All at once, for each takes a second to start.
    asked = [
        subprocess.Popen(
            system.manage(service, "migrate", "--check", "--no-input", "--no-color"),
            env=system.owner_environment(service),
            cwd=system.home.root / service.name,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is ours to answer.
        )
        for service in reachable
    ]
    try:
        for service, process in zip(reachable, asked, strict=True):
            try:
                _, said = process.communicate(timeout=_CHECK_WITHIN)
            except subprocess.TimeoutExpired:
                text = f"{service.name}: no answer within {_CHECK_WITHIN} s"
                yield fail("migrations", text, "see what holds locks in that database")
                continue
            if process.returncode == 0:
                continue
            if reasons := said.strip().splitlines():
                yield fail("migrations", f"{service.name}: {reasons[-1]}", f"correct {service.name} first")
            else:
                yield fail("migrations", f"{service.name}: some are to be done", "mercato migrate")
    finally:
        for process in asked:
            process.kill()
            process.communicate()
    if reachable and all(process.returncode == 0 for process in asked):
        yield ok("migrations", f"{len(reachable)} databases are up to date")


def _system(patient: Patient) -> System:
    home = patient.home
    kept = read_json(home.secrets_file)
    secrets = {
        service.name: ServiceCredentials(
            **{"secret_key": "", "owner_password": "", "app_password": ""}
            | kept.get("services", {}).get(service.name, {})
        )
        for service in SERVICES
    }
    credentials = Credentials(kept.get("postgres_password", ""), kept.get("edge_key", ""), secrets)
    port = patient.state.port or default_port()
    return System(home, public_origin(port), port, credentials, _urls(patient, credentials))


def _urls(patient: Patient, credentials: Credentials) -> dict[str, DatabaseUrls]:
    external = {service.name: found for service in SERVICES if (found := external_urls(service))}
    embedded = [service.name for service in SERVICES if service.name not in external]
    if not embedded or not patient.home.postgres_dir.exists():
        return external
    cluster = Cluster(patient.home.postgres_dir, "", log=patient.home.log("postgres"))
    if cluster.pid() is None:
        return external
    urls = dict(external)
    for name in embedded:
        own = credentials.services[name]
        urls[name] = DatabaseUrls(
            app=cluster.url(user=f"{name}_app", password=own.app_password, database=name),
            owner=cluster.url(user=f"{name}_owner", password=own.owner_password, database=name),
        )
    return urls


EXAMINATIONS = (postgres, services)
