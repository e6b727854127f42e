"""The secrets of one machine's system: generated once, never shown, kept in one file of mode 0600."""

import secrets
from dataclasses import dataclass

from mercato.home import Home, read_json, write_private_json


@dataclass(frozen=True)
class ServiceCredentials:
    """What one service needs: Django's secret key, and the passwords of its two database roles."""

    secret_key: str
    owner_password: str
    app_password: str


@dataclass(frozen=True)
class Credentials:
    """All secrets of the system."""

    postgres_password: str
    edge_key: str
    services: dict[str, ServiceCredentials]


def load_credentials(home: Home, services: list[str]) -> Credentials:
    """Read the secrets, generating those that are missing.

    Raises: UnreadableFile, Failure.
    """
    kept = read_json(home.secrets_file)
    # Secrets of services that this version does not know are kept: their databases are still there.
    known: dict[str, dict[str, str]] = dict(kept.get("services", {}))
    known |= {name: _of_service(known.get(name, {})) for name in services}
    postgres_password = kept.get("postgres_password") or _secret()
    edge_key = kept.get("edge_key") or _secret()
    content = {"postgres_password": postgres_password, "edge_key": edge_key, "services": known}
    if content != kept:
        home.prepare()
        write_private_json(home.secrets_file, content)
    own = {name: ServiceCredentials(**known[name]) for name in services}
    return Credentials(postgres_password, edge_key, own)


def _of_service(kept: dict[str, str]) -> dict[str, str]:
    names = ("secret_key", "owner_password", "app_password")
    return {name: kept.get(name) or _secret() for name in names}


def _secret() -> str:
    return secrets.token_urlsafe(36)
