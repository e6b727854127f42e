"""Ask a process whether it is ready."""

import http.client
import ssl
from urllib.parse import urlsplit


def is_ready(url: str, timeout: float = 1.0) -> bool:
    """Whether the address answers 200 within `timeout` seconds."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        # Our own process on loopback, asked for its state only; its certificate is for another name.
        context = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
