from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "openapi.yaml"
HINT = "Run manage.py openapi --file openapi.yaml."


def run(app, *arguments):
    return app.test_cli_runner().invoke(args=arguments)


def test_openapi_document_is_true(migrated_app):
    assert run(migrated_app, "openapi").output == DOCUMENT.read_text(), HINT


def test_models_and_migrations_agree(migrated_app):
    result = run(migrated_app, "db", "check")

    assert result.exit_code == 0, result.output


def test_tells_whether_a_migration_is_due(migrated_app):
    assert run(migrated_app, "migrate", "--check").exit_code == 0
