import re
from io import StringIO

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.urls import get_resolver
from openapi_spec_validator import validate

PARAMETER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
COMMITTED = settings.BASE_DIR.parent / "openapi.yaml"


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load(COMMITTED.read_text())


def test_the_committed_document_is_the_generated_one():
    generated = StringIO()

    call_command("spectacular", validate=True, fail_on_warn=True, stdout=generated)

    assert generated.getvalue().strip() == COMMITTED.read_text().strip(), (
        "run manage.py spectacular --file openapi.yaml"
    )


def test_is_openapi_3_1(document):
    validate(document)

    assert document["openapi"].startswith("3.1")


def test_describes_every_api_path_and_nothing_internal(document):
    paths = {PARAMETER.sub(r"{\1}", f"/{pattern.pattern}") for pattern in get_resolver().url_patterns}

    assert set(document["paths"]) == {path for path in paths if path.startswith(("/api/", "/.well-known/"))}


def test_asks_no_bearer_where_none_is_read(document):
    bearers = {
        path
        for path, item in document["paths"].items()
        for operation in item.values()
        if any(operation.get("security", []))
    }

    assert bearers == {path for path in document["paths"] if path.startswith("/api/v1/me")}
