from io import StringIO

import pytest
from django.core.management import CommandError, call_command


def keys(action, folder):
    output = StringIO()
    call_command("keys", action, "--keys-dir", str(folder), stdout=output)
    return output.getvalue()


def test_makes_keys_and_finds_them_good(tmp_path):
    made = keys("init", tmp_path)

    assert made.count(" active ") == 5
    assert keys("list", tmp_path) == made
    assert keys("check", tmp_path) == ""


def test_prints_nothing_secret(tmp_path):
    made = keys("init", tmp_path)

    assert "PRIVATE" not in made


def test_fails_when_something_is_wrong(tmp_path):
    keys("init", tmp_path)
    next(tmp_path.glob("private/gateway/access-*.pem")).chmod(0o644)

    with pytest.raises(CommandError, match="1 found"):
        keys("check", tmp_path)
