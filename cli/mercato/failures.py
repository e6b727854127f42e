"""What may go wrong in a way that the person at the terminal can act on."""

from collections.abc import Sequence


class Failure(Exception):
    """Something anticipated: its text is the one line the user sees, without a traceback.

    `details` are shown below it, such as the last lines that a program wrote before it ended.
    """

    def __init__(self, text: str, details: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.details = tuple(details)
