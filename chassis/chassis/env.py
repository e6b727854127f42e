"""Typed readers of the environment: what is missing or malformed stops the process at start."""

import os
import re
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

_DECIMAL: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?", re.ASCII)

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class ConfigurationError(SystemExit):
    """Something the process cannot run without is missing or wrong.

    A SystemExit with a text: Python prints that one line on stderr and exits with status 1, so a
    wrong set-up never shows a traceback and never half-starts.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(f"{Path(sys.argv[0] or 'mercato').name}: {detail}")


def env_str(name: str, default: str | None = None) -> str:
    """The value of a variable, stripped; an empty one counts as absent.

    Raises: ConfigurationError when it is absent and there is no default.
    """
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ConfigurationError(f"{name} is not set.")
    return default


def env_int(name: str, default: int | None = None, *, minimum: int = 0, maximum: int = 2**31) -> int:
    """The value of a variable as a whole number between minimum and maximum.

    Raises: ConfigurationError.
    """
    text = env_str(name, None if default is None else str(default))
    if not text.isascii() or not text.isdigit() or not minimum <= int(text) <= maximum:
        raise ConfigurationError(f"{name} must be a whole number from {minimum} to {maximum}.")
    return int(text)


def env_float(name: str, default: float | None = None, *, minimum: float, maximum: float) -> float:
    """The value of a variable as a number between minimum and maximum, in digits with or without a point.

    Raises: ConfigurationError.
    """
    text = env_str(name, None if default is None else f"{default:g}")
    if _DECIMAL.fullmatch(text) is None or not minimum <= float(text) <= maximum:
        raise ConfigurationError(f"{name} must be a number from {minimum:g} to {maximum:g}.")
    return float(text)


def env_list(name: str, default: str | None = None) -> list[str]:
    """The value of a variable split at commas, without empty items.

    Raises: ConfigurationError.
    """
    return [item.strip() for item in env_str(name, default).split(",") if item.strip()]


def env_secret(name: str, *, min_length: int = 32) -> str:
    """A secret from NAME, or from the file that NAME_FILE points to. There is no default.

    Raises: ConfigurationError when it is absent, unreadable, or shorter than min_length characters.
    """
    path = os.environ.get(f"{name}_FILE", "").strip()
    try:
        value = Path(path).read_text(encoding="utf-8").strip() if path else env_str(name)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigurationError(f"{name}_FILE cannot be read: {path}.") from exc
    if len(value) < min_length:
        raise ConfigurationError(f"{name} must have at least {min_length} characters.")
    return value


def env_directory(name: str) -> Path:
    """The value of a variable as an existing directory.

    Raises: ConfigurationError.
    """
    path = Path(env_str(name))
    if not path.is_dir():
        raise ConfigurationError(f"{name} is not a directory: {path}.")
    return path


def env_bind(name: str, default: str) -> tuple[str, int]:
    """The value of a variable as the address to listen on: `127.0.0.1:8001` or `[::1]:8001`.

    Raises: ConfigurationError.
    """
    host, _, port = env_str(name, default).rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigurationError(f"{name} must look like 127.0.0.1:8000.")
    return host.strip("[]"), int(port)


def env_origin(name: str = "MERCATO_ORIGIN") -> str:
    """The public origin, as scheme://host[:port] without a path. It is also the issuer of tokens.

    http is accepted for loopback names only.
    Raises: ConfigurationError.
    """
    origin = env_str(name, "http://localhost:8000").rstrip("/")
    try:
        parts = urlsplit(origin)
        well_formed = (
            origin == f"{parts.scheme}://{parts.netloc}" and parts.hostname and "@" not in parts.netloc
        )
        allowed = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(origin))
        _ = parts.port
    except ValueError:
        well_formed = allowed = False
    if not well_formed or not allowed:
        raise ConfigurationError(f"{name} must be https://host[:port]; http is for localhost only.")
    return origin


def is_loopback(origin: str) -> bool:
    """Whether an origin names this machine, which alone selects what development allows."""
    return urlsplit(origin).hostname in LOOPBACK_NAMES
