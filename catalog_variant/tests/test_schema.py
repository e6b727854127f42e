from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

DOCUMENT = Path(__file__).parents[1] / "openapi.yaml"
HINT = "Run manage.py spectacular --file openapi.yaml."


def test_openapi_document_is_true():
    out = StringIO()

    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)

    assert out.getvalue().strip() == DOCUMENT.read_text().strip(), HINT


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", "catalog_variant", "--check", "--dry-run", stdout=StringIO())
