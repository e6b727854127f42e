"""Migrations whose SQL stands in files that can be read as SQL."""

from pathlib import Path

from django.apps.registry import Apps
from django.conf import settings
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython


class RunSQLFile(RunPython):
    """Executes a file as it is."""

    def __init__(self, path: Path) -> None:
        def execute(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
            schema_editor.execute(path.read_text(), params=None)

        super().__init__(execute)


class GrantRights(RunPython):
    """Executes a file in which {app} stands for the role of the running service."""

    def __init__(self, path: Path) -> None:
        def execute(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
            if not settings.APP_ROLE:
                # The service runs as the owner, who cannot be denied anything; `serve` says so at each start.
                return
            role = schema_editor.quote_name(settings.APP_ROLE)
            schema_editor.execute(path.read_text().format(app=role), params=None)

        super().__init__(execute)
