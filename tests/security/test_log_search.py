"""The search that ends every system of the tests finds what was planted in one of its logs."""

import json

import pytest
from conftest import assert_nothing_leaked

SECRETS = {"edge_key": "e" * 40, "services": {"wallet": {"app_password": "w" * 22}}}
LOGINS = {"logins": [{"email": "shopper@example.com", "password": "p" * 16, "totp_secret": "T" * 32}]}
PLANTED = {
    "a token": "eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
    "the edge's key": "e" * 40,
    "a password of a database": "w" * 22,
    "a password of somebody": "p" * 16,
    "a secret of an authenticator": "T" * 32,
    "a cookie": "sid=" + "s" * 32,
}


@pytest.fixture
def data_dir(tmp_path):
    """What a system leaves behind."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "secrets.json").write_text(json.dumps(SECRETS))
    (tmp_path / "logins.json").write_text(json.dumps(LOGINS))
    (tmp_path / "logs" / "web.log").write_text('{"event": "Logged in.", "email": "shopper@example.com"}\n')
    return tmp_path


@pytest.mark.case("D8")
@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
def test_finds_what_was_planted(data_dir, text):
    with (data_dir / "logs" / "web.log").open("a") as log:
        log.write(f'{{"event": "Oh.", "what": "{text}"}}\n')

    with pytest.raises(AssertionError, match=r"logs/web\.log: .* in line 2") as raised:
        assert_nothing_leaked(data_dir)

    assert text not in str(raised.value)


def test_finds_nothing_where_nothing_is(data_dir):
    assert_nothing_leaked(data_dir)
