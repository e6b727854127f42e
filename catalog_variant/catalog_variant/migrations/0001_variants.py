"""Options, variants and stock: the tables of the models, and what stands in the SQL files beside this one."""

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
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
        # As the model knows it; being unmanaged, it is made by 0001_tables.sql.
        migrations.CreateModel(
            name="StockMovement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(unique=True)),
                ("delta", models.IntegerField()),
                ("on_hand_after", models.IntegerField()),
                (
                    "reason",
                    models.TextField(
                        choices=[
                            ("receive", "Receive"),
                            ("correction", "Correction"),
                            ("damage", "Damage"),
                            ("return", "Return"),
                        ]
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("actor_sub", models.TextField()),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "stock_movement",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Option",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=chassis.ids.uuid7, editable=False, unique=True)),
                ("code", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=120)),
                (
                    "display",
                    models.CharField(
                        choices=[("swatch", "Swatch"), ("pill", "Pill"), ("select", "Select")],
                        default="pill",
                        max_length=16,
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "db_table": "option",
                "indexes": [models.Index(fields=["position", "public_id"], name="option_position_idx")],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("code"),
                        name="option_code_key",
                        violation_error_message="Another option has this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")),
                        name="option_code_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "\\S")), name="option_name_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("display__in", ["swatch", "pill", "select"])),
                        name="option_display_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)), name="option_version_starts_at_1"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Variant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=chassis.ids.uuid7, editable=False, unique=True)),
                ("product", models.UUIDField()),
                ("sku", models.CharField(max_length=64, verbose_name="SKU")),
                (
                    "value_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        blank=True,
                        default=list,
                        editable=False,
                        size=None,
                    ),
                ),
                ("price_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("compare_at_minor", models.BigIntegerField(blank=True, null=True)),
                ("price_version", models.PositiveIntegerField(default=1, editable=False)),
                ("barcode", models.CharField(blank=True, default="", max_length=14)),
                ("weight_grams", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("archived", "Archived")],
                        default="draft",
                        max_length=16,
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0)),
                ("on_hand", models.PositiveIntegerField(default=0, editable=False)),
                ("reserved", models.PositiveIntegerField(default=0, editable=False)),
                ("allocated", models.PositiveIntegerField(default=0, editable=False)),
                ("safety", models.PositiveIntegerField(default=0)),
                (
                    "available",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.functions.comparison.Greatest(
                            models.Value(0),
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("on_hand"), "-", models.F("reserved")
                                    ),
                                    "-",
                                    models.F("allocated"),
                                ),
                                "-",
                                models.F("safety"),
                            ),
                        ),
                        output_field=models.IntegerField(),
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "db_table": "variant",
                "indexes": [
                    models.Index(fields=["product", "position", "public_id"], name="variant_product_idx")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("sku"),
                        name="variant_sku_key",
                        violation_error_message="Another variant has this SKU.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "archived"), _negated=True),
                        fields=("product", "value_ids"),
                        name="variant_signature_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sku__regex", "^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$")),
                        name="variant_sku_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price_minor__range", (1, 1000000000000))),
                        name="variant_price_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="variant_currency_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("compare_at_minor__isnull", True),
                            models.Q(
                                ("compare_at_minor__gt", models.F("price_minor")),
                                ("compare_at_minor__lte", 1000000000000),
                            ),
                            _connector="OR",
                        ),
                        name="variant_compare_at_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("barcode", ""), ("barcode__regex", "^([0-9]{8}|[0-9]{12,14})$"), _connector="OR"
                        ),
                        name="variant_barcode_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["draft", "published", "archived"])),
                        name="variant_status_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "on_hand__gte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("reserved"), "+", models.F("allocated")
                                ),
                            )
                        ),
                        name="variant_promise_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("on_hand__lte", 1000000000)), name="variant_stock_limit_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("safety__lte", 1000000)), name="variant_safety_limit"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("price_version__gte", 1), ("version__gte", 1)),
                        name="variant_versions_start_at_1",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OptionValue",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=chassis.ids.uuid7, editable=False, unique=True)),
                ("code", models.CharField(max_length=80)),
                ("name", models.CharField(max_length=120)),
                ("swatch", models.CharField(blank=True, default="", max_length=7)),
                ("position", models.PositiveIntegerField(default=0)),
                (
                    "option",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="values",
                        to="catalog_variant.option",
                    ),
                ),
            ],
            options={
                "db_table": "option_value",
                "constraints": [
                    models.UniqueConstraint(
                        models.F("option"),
                        django.db.models.functions.text.Lower("code"),
                        name="option_value_code_key",
                        violation_error_message="Another value of this option has this code.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")),
                        name="option_value_code_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "\\S")), name="option_value_name_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("swatch", ""), ("swatch__regex", "^#[0-9a-f]{6}$"), _connector="OR"
                        ),
                        name="option_value_swatch_check",
                    ),
                ],
            },
        ),
        RunSQLFile(SQL / "0001_tables.sql"),
        RunSQLFile(SQL / "0001_triggers.sql"),
        RunSQLFile(SQL / "0001_functions.sql"),
        GrantRights(SQL / "0001_rights.sql"),
    ]
