"""`mercato logs`: what the processes wrote."""

import time
from collections.abc import Iterable
from pathlib import Path

import click
from rich.text import Text

from mercato import console
from mercato.failures import Failure
from mercato.home import Home
from mercato.options import home_option
from mercato.processes import last_lines

_COLORS = ("cyan", "magenta", "green", "yellow", "blue", "red")
_PAUSE = 0.2


@click.command()
@click.argument("name", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on as more is written.")
@click.option("-n", "--lines", type=click.IntRange(0, 10_000), default=50, help="So many lines of each.")
@home_option
def logs(name: str | None, follow: bool, lines: int, home: Home) -> None:
    """Show the logs of all processes, or of one (a process, postgres, or mercato itself)."""
    paths = _find(home, name)
    position = {path: path.stat().st_size for path in paths}
    for path in paths:
        _print(path, last_lines(path, lines) if lines else [], with_name=name is None)
    while follow:
        time.sleep(_PAUSE)
        for path in paths:
            written, position[path] = _read_on(path, position[path])
            _print(path, written, with_name=name is None)


def _find(home: Home, name: str | None) -> list[Path]:
    paths = sorted(home.log_dir.glob("*.log"))
    known = [path.stem for path in paths]
    if name is not None and name not in known:
        raise Failure(f"there is no log {name!r}; there are: {', '.join(known) or 'none yet'}")
    return [path for path in paths if name in (None, path.stem)]


def _read_on(path: Path, position: int) -> tuple[list[str], int]:
    """The whole lines after `position`, and where the next ones begin."""
    try:
        if path.stat().st_size < position:  # A new file took its place.
            position = 0
        with path.open("rb") as file:
            file.seek(position)
            written = file.read()
    except FileNotFoundError:
        return [], position
    complete = written[: written.rfind(b"\n") + 1]
    return complete.decode(errors="replace").splitlines(), position + len(complete)


def _print(path: Path, lines: Iterable[str], *, with_name: bool) -> None:
    color = _COLORS[sum(path.stem.encode()) % len(_COLORS)]
    name = Text(f"{path.stem:>8} ", style=color) if with_name else Text()
    for line in lines:
        console.out.print(name + Text(line))
