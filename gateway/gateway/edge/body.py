"""The body of a request on its way from the parser to an upstream."""


class Body:
    """Pieces that have come and were not sent yet, and how far it all is. Sizes in bytes."""

    __slots__ = ("_pieces", "is_sent", "is_whole", "size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0
        """What has come so far, sent or not."""
        self.is_whole = False
        """The request was parsed to its end."""
        self.is_sent = False
        """All of it was taken."""

    def add(self, data: bytes) -> None:
        """Take a piece in."""
        self._pieces.append(data)
        self.size += len(data)

    def take(self) -> bytes:
        """All that came since the last call."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self.is_sent = self.is_whole
        return data
