"""Lets families that are past their end be found without a look at all of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tokens", "0004_revocation")]

    operations = [
        migrations.AlterField(
            model_name="refreshfamily",
            name="absolute_expires_at",
            field=models.DateTimeField(db_index=True),
        ),
    ]
