import json

import pytest

from chassis.testing.leaks import leaks, leaks_of_logs, secrets_in

SECRET = "correct horse battery"
pytest_plugins = ["pytester"]


@pytest.mark.case("D8")
@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("eyJhbGciOiJFUzI1NiJ9.e30.AAAA", "a token"),
        ("path=/a/eyJhbGciOiJFUzI1NiIsI", "a token"),
        ("Cookie: __Host-sid=abcdefghijklmnopqrstuvwxyz012345", "a cookie"),
        ("sid=abcdefghijklmnopqrstuvwxyz012345; a=b", "a cookie"),
        ("wallet_csrftoken=abcdefghijklmnopqrstuvwxyz012345", "a cookie"),
        ("__Host-device=abcdefghijklmnopqrstuvwx.yz012345", "a cookie"),
        ("-----BEGIN " + "PRIVATE " + "KEY-----", "a private key"),
        ("postgresql://wallet_app:geheim@/wallet", "a password in a URL"),
        ("smtp://shop:geheim@mail.example:587", "a password in a URL"),
        ("Authorization: Basic c2hvcHBlcjpnZWhlaW0=", "an authorization"),
        (f'{{"password": "{SECRET}"}}', "a secret"),
    ],
)
def test_finds(line, what):
    assert leaks(f"harmless\n{line}\nharmless", [SECRET]) == [f"{what} in line 2"]


@pytest.mark.parametrize(
    "line",
    [
        '{"sub": "0190b0a0-0000-7000-8000-000000000000", "jti": "0190b0a00000700080000000000000ff"}',
        "GET /account/login/?next=/ 200 sid=none",
        "postgresql://wallet_app@/wallet?host=/tmp",
        "https://shop.example:443/a@b",
        'Bearer realm="mercato", error="invalid_token"',
        "short",
    ],
)
def test_leaves_alone(line):
    assert leaks(line, [SECRET, "short"]) == []


def test_searches_every_log_below_a_folder(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "web.log").write_text("fine\n")
    (tmp_path / "logs" / "web.log.1").write_text(f"fine\n{SECRET}\n")
    (tmp_path / "postgres.log").write_bytes(b"\xff eyJhbGciOiJFUzI1NiJ9.e30.AAAA\n")
    (tmp_path / "secrets.json").write_text(SECRET)

    assert leaks_of_logs(tmp_path, [SECRET]) == [
        "logs/web.log.1: a secret in line 2",
        "postgres.log: a token in line 1",
    ]


def test_knows_what_is_secret_in_a_file(tmp_path):
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"edge_key": "a", "of": [{"totp_secret": "b", "password": None, "sub": "c"}]}))

    assert list(secrets_in(path)) == ["a", "b"]
    assert list(secrets_in(tmp_path / "none.json")) == []


@pytest.mark.parametrize("how", ["logging.getLogger('a').error(token)", "print(token)"])
def test_fails_a_test_that_lets_a_token_out(pytester, how):
    pytester.makepyfile(f"import logging\ndef test_it():\n    token = 'eyJ' + 'a' * 20\n    {how}\n")

    result = pytester.runpytest_subprocess("-p", "chassis.testing", "-p", "no:django", "-p", "no:randomly")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*a token in line*"])


def test_passes_a_test_that_lets_nothing_out(pytester):
    pytester.makepyfile(
        "import logging\ndef test_it():\n    logging.getLogger('a').error('Refused a token.')\n"
    )

    result = pytester.runpytest_subprocess("-p", "chassis.testing", "-p", "no:django", "-p", "no:randomly")

    result.assert_outcomes(passed=1)
