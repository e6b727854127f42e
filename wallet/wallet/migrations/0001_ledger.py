"""The ledger: tables, triggers, functions and rights, in the SQL files beside this one."""

from pathlib import Path

from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQL = Path(__file__).parent / "sql"


def create_ledger(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for part in ("tables", "triggers", "functions"):
        schema_editor.execute((SQL / f"0001_{part}.sql").read_text(), params=None)


def limit_rights(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if not settings.APP_ROLE:
        # The service runs as the owner, who cannot be denied anything; `serve` says so at every start.
        return
    role = schema_editor.quote_name(settings.APP_ROLE)
    schema_editor.execute((SQL / "0001_rights.sql").read_text().format(app=role), params=None)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.RunPython(create_ledger),
        migrations.RunPython(limit_rights),
        # The tables as the models know them; being unmanaged, these statements make nothing.
        migrations.CreateModel(
            name="Account",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField()),
                ("kind", models.TextField()),
                ("owner_sub", models.TextField()),
                ("currency", models.TextField()),
                ("stripe", models.SmallIntegerField()),
                ("guarded", models.BooleanField()),
                ("balance_minor", models.BigIntegerField(db_column="balance")),
                ("held_minor", models.BigIntegerField(db_column="held")),
                ("seq", models.BigIntegerField()),
                ("head_hash", models.BinaryField()),
                ("last_posted_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "account",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("action", models.TextField()),
                ("outcome", models.TextField()),
                ("actor_sub", models.TextField()),
                ("owner_sub", models.TextField()),
                ("detail", models.JSONField()),
                ("db_role", models.TextField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "audit_event",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("currency", models.TextField()),
                ("amount_minor", models.BigIntegerField(db_column="amount")),
                ("account_seq", models.BigIntegerField()),
                ("balance_after_minor", models.BigIntegerField(db_column="balance_after")),
                ("posted_at", models.DateTimeField()),
                ("hash", models.BinaryField()),
            ],
            options={
                "verbose_name_plural": "entries",
                "db_table": "entry",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(unique=True)),
                ("kind", models.TextField()),
                ("currency", models.TextField()),
                ("amount_minor", models.BigIntegerField(db_column="amount")),
                ("order_ref", models.TextField()),
                ("reason", models.TextField()),
                ("actor_sub", models.TextField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "transfer",
                "managed": False,
            },
        ),
    ]
