"""Products, brands, categories and pictures: tables with constraints, what is searched, and rights."""

from pathlib import Path

import django.db.models.constraints
import django.db.models.deletion
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
        migrations.CreateModel(
            name="Brand",
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
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "db_table": "brand",
                "indexes": [
                    models.Index(
                        django.db.models.functions.text.Lower("name"),
                        models.F("public_id"),
                        name="brand_name_idx",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("slug"),
                        name="brand_slug_key",
                        violation_error_message="Another brand has this slug.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("slug__regex", "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")),
                        name="brand_slug_check",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name__regex", "\\S")), name="brand_name_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("version__gte", 1)), name="brand_version_starts_at_1"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Picture",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("color", models.CharField(max_length=7)),
                ("renditions", models.JSONField()),
            ],
            options={
                "db_table": "picture",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sha256__regex", "^[0-9a-f]{64}$")), name="picture_sha256_check"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("color__regex", "^#[0-9a-f]{6}$")), name="picture_color_check"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=chassis.ids.uuid7, editable=False, unique=True)),
                ("title", models.CharField(max_length=200)),
                ("slug", models.CharField(max_length=80)),
                ("subtitle", models.CharField(blank=True, default="", max_length=200)),
                ("description", models.TextField(blank=True, default="")),
                ("details", models.JSONField(blank=True, default=list)),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("archived", "Archived")],
                        default="draft",
                        max_length=16,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("published_at", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "brand",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="catalog_product.brand",
                    ),
                ),
            ],
            options={
                "db_table": "product",
            },
        ),
        migrations.CreateModel(
            name="Media",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=chassis.ids.uuid7, editable=False, unique=True)),
                ("alt", models.CharField(max_length=300)),
                ("options", models.JSONField(blank=True, default=dict)),
                ("position", models.PositiveSmallIntegerField()),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "picture",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="catalog_product.picture"
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="media",
                        to="catalog_product.product",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "media",
                "db_table": "media",
            },
        ),
        migrations.CreateModel(
            name="ProductCategory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("category", models.UUIDField()),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "product",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="in_categories",
                        to="catalog_product.product",
                    ),
                ),
            ],
            options={
                "db_table": "product_category",
            },
        ),
        migrations.CreateModel(
            name="SlugHistory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.CharField(max_length=80)),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="catalog_product.product"
                    ),
                ),
            ],
            options={
                "db_table": "slug_history",
            },
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                models.OrderBy(
                    django.db.models.functions.comparison.Coalesce("published_at", "created_at"),
                    descending=True,
                ),
                models.OrderBy(models.F("public_id"), descending=True),
                name="product_listed_idx",
            ),
        ),
        migrations.AddIndex(
            model_name="product",
            index=models.Index(
                django.db.models.functions.text.Lower("title"),
                models.F("public_id"),
                name="product_title_idx",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("slug"),
                name="product_slug_key",
                violation_error_message="Another product has this slug.",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("slug__regex", "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$")),
                name="product_slug_check",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("title__regex", "\\S")), name="product_title_check"
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["draft", "published", "archived"])),
                name="product_status_check",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("published_at__isnull", False),
                    models.Q(("status", "published"), _negated=True),
                    _connector="OR",
                ),
                name="product_published_at_check",
            ),
        ),
        migrations.AddConstraint(
            model_name="product",
            constraint=models.CheckConstraint(
                condition=models.Q(("version__gte", 1)), name="product_version_starts_at_1"
            ),
        ),
        migrations.AddConstraint(
            model_name="media",
            constraint=models.UniqueConstraint(
                models.F("product"), models.F("picture"), models.F("options"), name="media_picture_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="media",
            constraint=models.UniqueConstraint(
                deferrable=django.db.models.constraints.Deferrable["DEFERRED"],
                fields=("product", "position"),
                name="media_position_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="media",
            constraint=models.CheckConstraint(
                condition=models.Q(("alt__regex", "\\S")), name="media_alt_check"
            ),
        ),
        migrations.AddIndex(
            model_name="productcategory",
            index=models.Index(models.F("category"), models.F("product"), name="product_category_idx"),
        ),
        migrations.AddConstraint(
            model_name="productcategory",
            constraint=models.UniqueConstraint(
                models.F("product"), models.F("category"), name="product_category_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="productcategory",
            constraint=models.UniqueConstraint(
                models.F("product"), models.F("position"), name="product_category_position_key"
            ),
        ),
        migrations.AddConstraint(
            model_name="slughistory",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("slug"), name="slug_history_key"
            ),
        ),
        RunSQLFile(SQL / "0001_tables.sql"),
        RunSQLFile(SQL / "0001_triggers.sql"),
        GrantRights(SQL / "0001_rights.sql"),
    ]
