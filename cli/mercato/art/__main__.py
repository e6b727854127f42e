"""`python -m mercato.art sheet OUT.png` and `… scenes OUT.png`: look at the whole catalogue at once."""

from pathlib import Path

import click

from mercato.art.sheets import catalogue_sheet, scene_sheet


@click.group()
def main() -> None:
    """Contact sheets of the drawn catalogue."""


@main.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def sheet(out: Path) -> None:
    """Every kind and style, in a few colors."""
    out.write_bytes(catalogue_sheet())


@main.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def scenes(out: Path) -> None:
    """Every banner scene."""
    out.write_bytes(scene_sheet())


main()
