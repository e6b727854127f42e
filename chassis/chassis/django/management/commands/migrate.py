"""manage.py migrate, as the owner of the tables, granting to the role that the service runs as."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connection

from chassis import postgres


class Command(migrate.Command):
    """Grants by default, so that a migration states only what it withholds."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection.close()
        # The name stays: under test it is that of the test database.
        connection.settings_dict.update({**settings.DATABASE_OWNER, "NAME": connection.settings_dict["NAME"]})
        if options["plan"] or options["check_unapplied"] or not settings.APP_ROLE:
            super().handle(*args, **options)
            return
        owner = connection.get_connection_params()
        postgres.grant_by_default(owner, settings.APP_ROLE)
        super().handle(*args, **options)
        postgres.finish_rights(owner, settings.APP_ROLE, "django_migrations")
