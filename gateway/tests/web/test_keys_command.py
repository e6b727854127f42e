from io import StringIO

import pytest
from django.core.management import CommandError, call_command


def keys(action, folder, *arguments):
    output = StringIO()
    call_command("keys", action, "--keys-dir", str(folder), *arguments, stdout=output)
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


def test_rotates_what_is_chosen(tmp_path):
    keys("init", tmp_path)

    made = keys("next", tmp_path, "--holder", "gateway", "--kind", "access")
    promoted = keys("promote", tmp_path, "--now", "--kind", "access")

    assert made.count(" next ") == 1
    assert (promoted.count(" active "), promoted.count(" retiring "), promoted.count("until 20")) == (5, 1, 1)
    assert keys("retire", tmp_path) == promoted
    assert keys("check", tmp_path) == ""


def test_revokes_a_key(tmp_path):
    kid = next(line.split()[-1] for line in keys("init", tmp_path).splitlines() if "variant" in line)

    left = keys("revoke", tmp_path, kid)

    assert kid not in left
    assert left.count(" active ") == 5


def test_says_in_one_line_what_the_system_refuses(tmp_path):
    (tmp_path / "private").write_text("")

    with pytest.raises(CommandError, match="File exists"):
        keys("init", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["promote"], "Too early by"),
        (["promote", "--kind", "refresh"], "No key waits"),
        (["revoke", "nobody"], "There is no key nobody"),
    ],
)
def test_says_in_one_line_why_it_does_not(tmp_path, arguments, problem):
    keys("next", tmp_path, "--kind", "access")
    action, *rest = arguments

    with pytest.raises(CommandError, match=problem):
        keys(action, tmp_path, *rest)
