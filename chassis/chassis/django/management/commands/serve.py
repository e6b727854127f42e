"""manage.py serve: this service on granian, after everything it needs was found."""

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.module_loading import import_string

from chassis.env import ConfigurationError
from chassis.postgres import has_too_many_rights
from chassis.serve import serve

_logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Looks at settings, keys and database first, so that a wrong set-up ends here, in one line."""

    help = "Run the service until SIGTERM."
    requires_system_checks = "__all__"

    def handle(self, *args: Any, **options: Any) -> None:
        # Whatever else the service cannot do without, its application asks for when it is imported.
        import_string(settings.WSGI_APPLICATION)
        _require_database()
        server: dict[str, Any] = settings.SERVER
        _logger.info("Serving.", extra=server)
        target = settings.WSGI_APPLICATION.replace(".application", ":application")
        serve(target, **server)


def _require_database() -> None:
    place = f"database {connection.settings_dict['NAME']} as {connection.settings_dict['USER']}"
    try:
        executor = MigrationExecutor(connection)
        with connection.cursor() as cursor:
            has_too_many = has_too_many_rights(cursor)
    except DatabaseError as exc:
        raise ConfigurationError(f"cannot use the {place}: {str(exc).splitlines()[0]}") from exc
    finally:
        connection.close()
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise ConfigurationError(f"the {place} lacks migrations; run manage.py migrate.")
    if has_too_many:
        _logger.warning("This role owns tables or may create them: rights do not protect the data from it.")
