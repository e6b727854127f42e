"""Keeps what was revoked until every token that it concerns has expired."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tokens", "0003_refreshfamily_amr")]

    operations = [
        migrations.CreateModel(
            name="Revocation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sid", models.CharField(blank=True, max_length=64)),
                ("sub", models.CharField(blank=True, max_length=36)),
                ("not_before", models.BigIntegerField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sid", ""), ("sub", ""), _connector="OR"),
                        name="revocation_of_a_session_or_a_subject",
                    )
                ],
            },
        ),
    ]
