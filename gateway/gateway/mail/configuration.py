"""Where mail goes, from the environment. It imports no Django: settings ask it."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from chassis.env import ConfigurationError, env_secret

_PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server that takes our mail. Encrypted always: from the first byte, or by STARTTLS."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    is_tls_from_start: bool


def read_server(name: str) -> Server:
    """The server of a URL, smtp://user:password@host:587 or smtps://…, in NAME or the file of NAME_FILE.

    Raises: ConfigurationError.
    """
    try:
        parts = urlsplit(env_secret(name, min_length=1))
        is_url_of_server = parts.scheme in _PORTS and parts.path in {"", "/"} and not parts.query
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        is_url_of_server = False
    if not is_url_of_server or not parts.hostname:
        raise ConfigurationError(f"{name} must look like smtp://user:password@host:587 or smtps://….")
    return Server(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        is_tls_from_start=parts.scheme == "smtps",
    )
