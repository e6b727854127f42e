"""The body of a request on its way from the parser to an upstream, and how much may stand around a body."""

from typing import Final

MAX_EXCESS_BYTES: Final = 16 * 1024

MAX_READ_BYTES: Final = 16 * 1024
"""So much granian has of a body whatever the application reads: with 32 KiB unread it still keeps the
connection; with 60 KiB it closes it after the answer, and has not said so."""

# A chunk of one byte costs five more for its size and its line ends: no sound chunking has more around it.
_BYTES_BY_BODY_BYTE: Final = 6


def excess_bytes(before: int, read: int, body: int) -> int:
    """How far chunk extensions and trailers exceed what the body of a message accounts for.

    before is the last result, 0 after the head; read bytes came since, body of them were of the body.
    Past MAX_EXCESS_BYTES somebody keeps the parser busy with what is dropped (RFC 9112 section 7.1.1).
    """
    return max(0, before + read - _BYTES_BY_BODY_BYTE * body)


class Body:
    """What has come and was not sent yet, and how far it all is. Sizes in bytes."""

    __slots__ = ("_data", "is_sent", "is_whole", "size")

    def __init__(self) -> None:
        self._data = bytearray()  # Not a list of pieces: a chunk of one byte would cost forty.
        self.size = 0
        """What has come so far, sent or not."""
        self.is_whole = False
        """The request was parsed to its end."""
        self.is_sent = False
        """All of it was taken."""

    @property
    def is_long(self) -> bool:
        """Whether a service may answer, and close without having said so, before it has read it all."""
        return self.size > MAX_READ_BYTES

    @property
    def is_surely_read(self) -> bool:
        """Whether it is whole, and so short that a service has it all when it answers."""
        return self.is_whole and self.size <= MAX_READ_BYTES

    def add(self, data: bytes) -> None:
        """Take a piece in."""
        self._data += data
        self.size += len(data)

    def drop(self) -> None:
        """Forget what was not sent: nobody wants it any more."""
        self._data.clear()

    def take(self) -> bytes:
        """All that came since the last call."""
        data = bytes(self._data)
        self._data.clear()
        self.is_sent = self.is_whole
        return data


NO_BODY: Final = Body()
"""That of every request which is known to have none: whole from the beginning, and never changed."""

NO_BODY.is_whole = NO_BODY.is_sent = True
