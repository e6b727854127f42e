"""What puts the gateway's style sheets, scripts and icons where they are served from."""

import hashlib
import importlib.metadata
from collections.abc import Iterable

from mercato.jobs import Job
from mercato.topology import GATEWAY, Service, System

# They bring files of their own, or decide how files are stored.
_DISTRIBUTIONS = (
    "Django",
    "django-allauth",
    "django-htmx",
    "drf-spectacular-sidecar",
    "whitenoise",
    "brotli",
)
_UNUSED = ("rest_framework", "jquery.js", "select2.full.js", "xregexp.js", "i18n", "*.map")


def static_files(system: System, services: Iterable[Service]) -> list[Job]:
    """The collection of the gateway's static files; none without the gateway."""
    ignored = [argument for name in _UNUSED for argument in ("--ignore", name)]
    arguments = ("collectstatic", "--no-input", "--clear", "--verbosity=0", *ignored)
    return [
        Job(
            key="static:gateway",
            done="static files",
            stamp=_stamp(system),
            command=system.manage(service, *arguments),
            env=system.service_environment(service),
            cwd=system.home.root / service.name,
            is_lost=not (system.home.static_dir / "staticfiles.json").is_file(),
        )
        for service in services
        if service is GATEWAY
    ]


def _stamp(system: System) -> str:
    """A digest of our files, and of the versions of what brings others."""
    digest = hashlib.sha256()
    folder = system.home.root / "gateway" / "gateway" / "static"
    for path in sorted(found for found in folder.rglob("*") if found.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    for name in _DISTRIBUTIONS:
        digest.update(f"{name}={importlib.metadata.version(name)}".encode())
    return digest.hexdigest()
