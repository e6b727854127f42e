"""The command line: serve, migrate and openapi of the chassis, db of Flask-Migrate, and Flask's own."""

import click
from flask.cli import FlaskGroup, run_command

from banner import create_app

main = FlaskGroup(
    name="manage.py", create_app=create_app, load_dotenv=False, set_debug_flag=False, help=__doc__
)
main.add_command(
    click.Command(
        "runserver",
        params=run_command.params,
        callback=run_command.callback,
        help="Run a development server of one process.",
    )
)
