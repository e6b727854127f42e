"""Ask a process whether it is ready."""

import http.client
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Trust:
    """By what our own edge is known: the certificate in this file and no other, for this name."""

    certificate: str
    name: str

    def context(self) -> ssl.SSLContext:
        """What checks that. Raises: OSError when the file cannot be used."""
        context = ssl.create_default_context(cafile=self.certificate)
        # Whoever signed it need not be known here: it is the certificate itself that is trusted.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context


def is_ready(url: str, timeout: float = 1.0, *, trust: Trust | None = None) -> bool:
    """Whether the address answers 200 within `timeout` seconds. trust: for https."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        if trust is not None:
            plain = socket.create_connection((connection.host, connection.port), timeout)
            connection.sock = plain  # Closed below, whatever comes of the handshake.
            connection.sock = trust.context().wrap_socket(plain, server_hostname=trust.name)
        connection.request("GET", parts.path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
