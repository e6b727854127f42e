"""Notes for the users there are that their e-mail is theirs: an operator has made them all."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def verify_emails(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    address = apps.get_model("account", "EmailAddress")
    users = apps.get_model("accounts", "User").objects.order_by("id")
    address.objects.bulk_create(
        [address(user=user, email=user.email.lower(), verified=True, primary=True) for user in users],
        batch_size=1000,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_groups"), ("account", "0009_emailaddress_unique_primary_email")]

    operations = [migrations.RunPython(verify_emails, migrations.RunPython.noop)]
