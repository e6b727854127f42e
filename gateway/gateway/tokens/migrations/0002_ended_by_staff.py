"""Lets staff be the reason why a session of an API client ended."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tokens", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="refreshfamily",
            name="revoked_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("logout", "Logout"),
                    ("reuse", "Reuse"),
                    ("inactive", "Inactive"),
                    ("credentials-changed", "Credentials Changed"),
                    ("staff", "Staff"),
                ],
                max_length=24,
            ),
        ),
    ]
