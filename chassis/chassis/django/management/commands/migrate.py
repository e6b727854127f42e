"""manage.py migrate, as the owner of the tables, granting to the role that the service runs as."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connection
from psycopg2 import sql

_GRANTS = (
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
)


class Command(migrate.Command):
    """Grants by default, so that a migration states only what it withholds."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection.close()
        connection.settings_dict.update(
            {name: settings.DATABASE_OWNER[name] for name in ("USER", "PASSWORD", "HOST", "PORT")}
        )
        if settings.APP_ROLE:
            with connection.cursor() as cursor:
                for statement in _GRANTS:
                    cursor.execute(sql.SQL(statement).format(role=sql.Identifier(settings.APP_ROLE)))
        super().handle(*args, **options)
