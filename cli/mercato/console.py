"""What people see: results on standard output, progress and failures on standard error."""

import os

from rich.console import Console
from rich.text import Text

from mercato.failures import Failure


class _Console(Console):
    def on_broken_pipe(self) -> None:
        # `mercato up --detach | head -1` must not end the system because nobody reads the rest.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)


out = _Console(highlight=False, soft_wrap=True)
err = _Console(stderr=True, highlight=False, soft_wrap=True)


def step(name: str, seconds: float) -> None:
    """One finished step of something longer."""
    err.print(Text.assemble("  ", ("✓", "green"), f" {name:<12}", (f"{seconds:5.1f} s", "dim")))


def note(text: str) -> None:
    """Something worth knowing that is neither a result nor a failure."""
    err.print(Text(text, style="dim"))


def complain(failure: Failure) -> None:
    """The one line of a failure, and its details below it."""
    err.print(Text.assemble(("mercato: ", "bold red"), str(failure)))
    for line in failure.details:
        err.print(Text(f"  | {line}", style="dim"))
