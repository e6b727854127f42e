"""The commands of a service's manage.py: the same words as at the Django services."""

import logging
from pathlib import Path
from typing import Any, Final

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade  # type: ignore[import-untyped]

from chassis import postgres
from chassis.env import ConfigurationError
from chassis.flask.database import HISTORY, database_needed, is_migrated, require_database
from chassis.flask.openapi import StrictApi, document
from chassis.serve import serve as serve_wsgi

_logger = logging.getLogger(__name__)


@click.command()
@with_appcontext
def serve() -> None:
    """Run the service until SIGTERM, after everything it needs was found."""
    if require_database():
        _logger.warning("This role owns tables or may create them: rights do not protect the data from it.")
    current_app.extensions["sqlalchemy"].engine.dispose()
    server = current_app.config["SERVER"]
    _logger.info("Serving.", extra=server)
    serve_wsgi(f"{current_app.name}.wsgi:application", **server)


@click.command()
@click.option("--check", is_flag=True, help="Only tell, by the exit status, whether something is to be done.")
@click.option("--no-input", "--noinput", is_flag=True, help="Never ask; it never does.")
@click.option("--no-color", is_flag=True, help="No colors; there are none.")
@with_appcontext
def migrate(check: bool, no_input: bool, no_color: bool) -> None:
    """Bring the database up to date as the owner, granting to the role that the service runs as."""
    with database_needed():
        if check:
            raise SystemExit(0 if is_migrated() else 1)
        _migrate(current_app.config["DATABASE_OWNER"], current_app.config["APP_ROLE"])


@click.command()
@click.option("--file", "path", type=click.Path(path_type=Path), help="Where to write; else it is printed.")
@with_appcontext
def openapi(path: Path | None) -> None:
    """Write the OpenAPI document."""
    api = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    if not isinstance(api, StrictApi):
        raise ConfigurationError("this application has no API.")
    if path is None:
        click.echo(document(api), nl=False)
    else:
        path.write_text(document(api))


def _migrate(owner: dict[str, Any], role: str) -> None:
    if role:
        postgres.grant_by_default(owner, role)
    upgrade()
    if role:
        postgres.finish_rights(owner, role, HISTORY)


COMMANDS: Final = (serve, migrate, openapi)
