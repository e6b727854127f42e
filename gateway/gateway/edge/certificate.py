"""The edge's certificate, taken anew when its files change."""

import logging
import ssl
from pathlib import Path
from typing import Final

from chassis.env import ConfigurationError
from chassis.files import stamp_of

_LOOK_SECONDS: Final = 0.5

_logger = logging.getLogger(__name__)


class Certificate:
    """A certificate with its key, in two files that somebody may replace at any time.

    New connections get the newest that could be used; those that stand keep what they have.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises: ConfigurationError when they cannot be used."""
        self._files = (certificate, key)
        try:
            self._stamps = self._look()
            self._newest = self._load()
        except OSError as exc:  # Errors of TLS are such, too.
            raise ConfigurationError(f"EDGE_TLS_CERT or EDGE_TLS_KEY cannot be used: {exc}.") from exc
        self._looked_at = 0.0
        self.context = self._newest
        """What a server takes; it hands each handshake to the newest."""
        self.context.sni_callback = self._choose

    def refresh(self, now: float) -> None:
        """Look, twice a second at most, whether there is a new one. now: the time of the event loop."""
        if now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        try:
            stamps = self._look()
        except OSError:
            return  # Between two files, or gone: what is in use stays.
        if stamps != self._stamps:
            self.reload()

    def reload(self) -> None:
        """Take what stands in the files now. What cannot be used changes nothing but the log."""
        try:
            self._stamps = self._look()
            self._newest = self._load()
        except OSError as exc:
            _logger.error("The new certificate cannot be used.", extra={"reason": str(exc)})
        else:
            _logger.info("A new certificate is in use.")

    def _look(self) -> list[tuple[int, int, int]]:
        return [stamp_of(file) for file in self._files]

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        certificate, key = self._files
        # A key with a pass phrase would have OpenSSL ask for it at the terminal.
        context.load_cert_chain(certificate, key, password="")
        return context

    def _choose(self, connection: ssl.SSLObject, _name: str | None, context: ssl.SSLContext) -> None:
        if context is not self._newest:
            connection.context = self._newest
