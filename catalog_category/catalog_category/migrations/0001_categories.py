"""The tree: its table with constraints, the trigger that keeps it free of cycles, and rights."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
from django.db import migrations, models

import chassis.ids
from chassis.django.sql_files import GrantRights, RunSQLFile

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Category",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=chassis.ids.uuid7, editable=False, unique=True)),
                ("name", models.CharField(max_length=120)),
                ("slug", models.CharField(max_length=80)),
                ("description", models.TextField(blank=True, default="")),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("archived", "Archived")],
                        default="draft",
                        max_length=16,
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="catalog_category.category",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "categories",
                "db_table": "category",
                "indexes": [
                    models.Index(fields=["position", "public_id"], name="category_position_idx"),
                    models.Index(
                        condition=models.Q(("status", "published"), _negated=True),
                        fields=["id"],
                        name="category_hidden_idx",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("parent"),
                        django.db.models.functions.text.Lower("slug"),
                        name="category_slug_key",
                        violation_error_message="Another category at this place has this slug.",
                    ),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("slug"),
                        condition=models.Q(("parent__isnull", True)),
                        name="category_root_slug_key",
                        violation_error_message="Another category at this place has this slug.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("slug__regex", "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")),
                        name="category_slug_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "\\S")), name="category_name_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["draft", "published", "archived"])),
                        name="category_status_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)), name="category_version_starts_at_1"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("parent", models.F("id")), _negated=True),
                        name="category_parent_check",
                    ),
                ],
            },
        ),
        RunSQLFile(SQL / "0001_triggers.sql"),
        GrantRights(SQL / "0001_rights.sql"),
    ]
