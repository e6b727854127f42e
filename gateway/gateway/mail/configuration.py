"""Where mail goes, from the environment. It imports no Django: settings ask it."""

import os
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from chassis.env import ConfigurationError, env_secret

_PORTS: Final = {"smtp": 587, "smtps": 465}
# For an inbox on the same machine or in the same internal network; never where a shop is public.
_PLAIN: Final = "smtp+plain"


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server that takes our mail, encrypted from the first byte or by STARTTLS, unless it is plain."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    is_tls_from_start: bool
    is_plain: bool = False


def read_server(name: str, *, in_development: bool = False) -> Server | None:
    """The server of a URL, smtp://user:password@host:587 or smtps://…, in NAME or the file of NAME_FILE.

    In development there need be none, and smtp+plain://host:25 is one without encryption.
    Raises: ConfigurationError.
    """
    is_named = any(os.environ.get(variable, "").strip() for variable in (name, f"{name}_FILE"))
    if in_development and not is_named:
        return None
    ports = _PORTS | ({_PLAIN: 25} if in_development else {})
    try:
        parts = urlsplit(env_secret(name, min_length=1))
        is_url_of_server = parts.scheme in ports and parts.path in {"", "/"} and not parts.query
        port = parts.port or ports.get(parts.scheme, 0)
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
        is_plain=parts.scheme == _PLAIN,
    )
