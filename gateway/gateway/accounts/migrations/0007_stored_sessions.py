"""Creates the table of our own sessions. Those of Django's table end: their keys stood in it as they are."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# The table stays for now, because processes of the version before write to it until they are replaced.
_FORGET = """
    DO $$ BEGIN
        IF to_regclass('django_session') IS NOT NULL THEN DELETE FROM django_session; END IF;
    END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_address"),
    ]

    operations = [
        migrations.CreateModel(
            name="StoredSession",
            fields=[
                ("key_hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("data", models.BinaryField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("sid", models.UUIDField(null=True)),
                ("began_at", models.DateTimeField(null=True)),
                ("authenticated_at", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField(null=True)),
                ("user_agent", models.CharField(blank=True, max_length=200)),
                ("ip_prefix", models.CharField(blank=True, max_length=49)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="browser_sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("user", None),
                            models.Q(
                                ("authenticated_at__isnull", False),
                                ("began_at__isnull", False),
                                ("seen_at__isnull", False),
                                ("sid__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="stored_session_of_a_user_is_whole",
                    ),
                ],
            },
        ),
        migrations.RunSQL(_FORGET, migrations.RunSQL.noop),
    ]
