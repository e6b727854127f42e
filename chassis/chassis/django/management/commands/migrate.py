"""manage.py migrate, as the owner of the tables, granting to the role that the service runs as."""

from typing import Any, Final

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connection
from psycopg2 import sql

_BY_DEFAULT: Final = (
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    # Every function may be executed by everyone unless somebody says otherwise.
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
)
# The service looks at its history when it starts, and has no business changing it.
_HISTORY: Final = "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON django_migrations FROM {role}"


class Command(migrate.Command):
    """Grants by default, so that a migration states only what it withholds."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection.close()
        # The name stays: under test it is that of the test database.
        connection.settings_dict.update({**settings.DATABASE_OWNER, "NAME": connection.settings_dict["NAME"]})
        if options["plan"] or options["check_unapplied"] or not settings.APP_ROLE:
            super().handle(*args, **options)
            return
        _execute(*_BY_DEFAULT)
        super().handle(*args, **options)
        _execute(_HISTORY)


def _execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(role=sql.Identifier(settings.APP_ROLE)))
