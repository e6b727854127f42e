"""`mercato provision`: what containers find in the volumes that are mounted into them."""

from pathlib import Path

import click

from chassis.env import env_origin, env_str
from mercato import provisioning
from mercato.topology import wants_demo


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--folders-only", is_flag=True, help="Make the empty folders, for an image to mount volumes on."
)
def provision(folder: Path, folders_only: bool) -> None:
    """Make keys and secrets in DIR, a folder for each container; what is there stays. Nothing is shown."""
    if folders_only:
        provisioning.make_folders(folder)
        return
    origin = env_origin()
    provisioning.refuse_others(origin, env_str("MERCATO_ADDRESS", "127.0.0.1"))
    provisioning.provision(folder, origin=origin, with_demo=wants_demo(origin))
    click.echo(f"keys and secrets are in {folder}")
