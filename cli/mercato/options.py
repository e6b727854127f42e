"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from mercato.home import Home

# Any: click turns functions of every shape into commands.
Command = TypeVar("Command", bound=Callable[..., Any])


def home_option(command: Command) -> Command:
    """`--data DIR`, which the command gets as its `home`."""
    option = click.option(
        "--data",
        "home",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="MERCATO_DATA",
        callback=_home,
        metavar="DIR",
        help="The data directory (default: .mercato in the repository, with the keys in keys/).",
    )
    return option(command)


def json_option(command: Command) -> Command:
    """`--json`, which the command gets as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="For programs.")(command)


def _home(_context: click.Context, _parameter: click.Parameter, data_dir: Path | None) -> Home:
    return Home.at(data_dir)
