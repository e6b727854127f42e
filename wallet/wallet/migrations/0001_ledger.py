"""The ledger: tables, triggers, functions and rights, in the SQL files beside this one."""

from pathlib import Path

from django.db import migrations, models

from chassis.django.sql_files import GrantRights, RunSQLFile

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        RunSQLFile(SQL / "0001_tables.sql"),
        RunSQLFile(SQL / "0001_triggers.sql"),
        RunSQLFile(SQL / "0001_functions.sql"),
        GrantRights(SQL / "0001_rights.sql"),
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
