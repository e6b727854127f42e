"""Remembers by which means a session of an API client began: until now, by a password alone."""

import django.contrib.postgres.fields
from django.db import migrations, models

import gateway.tokens.models


class Migration(migrations.Migration):
    dependencies = [("tokens", "0002_ended_by_staff")]

    operations = [
        migrations.AddField(
            model_name="refreshfamily",
            name="amr",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=8),
                default=gateway.tokens.models.password_alone,
                size=None,
            ),
        ),
    ]
