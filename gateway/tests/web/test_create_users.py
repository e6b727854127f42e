import json
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command

from gateway.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def create_users(monkeypatch):
    def run(text):
        monkeypatch.setattr("sys.stdin", StringIO(text if isinstance(text, str) else json.dumps(text)))
        output = StringIO()
        call_command("create_users", stdout=output)
        return json.loads(output.getvalue())

    return run


@pytest.fixture
def ann(password):
    return {"email": "Ann@example.com", "password": password, "groups": ["finance"]}


def test_creates_users_that_can_log_in(create_users, post, ann):
    [described] = create_users([ann])

    assert described["email"] == "Ann@example.com"
    assert described["scopes"] == ["orders:read", "wallet:admin"]
    assert User.objects.get().public_id.hex == described["sub"].replace("-", "")
    assert post("login", email=ann["email"], password=ann["password"]).status_code == 200


def test_changes_nothing_the_second_time(create_users, ann):
    create_users([ann])
    before = User.objects.values().get()

    create_users([ann])

    assert User.objects.values().get() == before


def test_updates_password_and_groups_of_a_known_email(create_users, post, ann):
    [before] = create_users([ann])

    [after] = create_users(
        [ann | {"email": "ANN@example.com", "password": "quite another one", "groups": []}]
    )

    assert (after["sub"], after["scopes"]) == (before["sub"], [])
    assert post("login", email="ann@example.com", password="quite another one").status_code == 200
    assert post("login", email="ann@example.com", password=ann["password"]).status_code == 401


def test_gives_a_second_factor_once(create_users, post, ann, otp_of, totp_secret):
    create_users([ann | {"totp_secret": totp_secret}])
    before = list(Authenticator.objects.order_by("type").values())

    create_users([ann | {"totp_secret": totp_secret.lower()}])
    create_users([ann | {"totp_secret": None}])

    assert list(Authenticator.objects.order_by("type").values()) == before
    assert [device["type"] for device in before] == ["recovery_codes", "totp"]
    log_in = {"email": ann["email"], "password": ann["password"], "otp": otp_of(User.objects.get())}
    assert post("login", **log_in).status_code == 200


def test_ends_what_began_before_another_second_factor(create_users, ann, totp_secret):
    create_users([ann | {"totp_secret": totp_secret}])
    before = User.objects.get().credentials_changed_at
    [seed] = Authenticator.objects.filter(type="recovery_codes").values_list("data__seed")

    create_users([ann | {"totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}])

    assert User.objects.get().credentials_changed_at > before
    assert [seed] != [*Authenticator.objects.filter(type="recovery_codes").values_list("data__seed")]


def test_creates_all_or_none(create_users, ann):
    with pytest.raises(CommandError, match="Unknown group nobody"):
        create_users([ann, ann | {"email": "bob@example.com", "groups": ["nobody"]}])

    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"email": "ann"}, "valid email"),
        ({"password": "12345678"}, "too common"),
        ({"password": "x7#kq"}, "too short"),
        ({"password": None}, "needs an email"),
        ({"groups": "finance"}, "needs an email"),
        ({"is_superuser": True}, "needs an email"),
        ({"totp_secret": 1}, "needs an email"),
        ({"totp_secret": "not base32!"}, "base32"),
        ({"totp_secret": "JBSWY3DPEHPK3PXP"}, "128 bits"),
    ],
)
def test_refuses_a_malformed_user(create_users, ann, change, message):
    with pytest.raises(CommandError, match=message):
        create_users([ann | change])


def test_reads_a_file(ann, tmp_path):
    (tmp_path / "users.json").write_text(json.dumps([ann]))

    call_command("create_users", "--file", str(tmp_path / "users.json"), stdout=StringIO())

    assert User.objects.get().email == ann["email"]


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("create_users", "--file", str(tmp_path / "nowhere"))


def test_makes_nobody_of_an_empty_list(create_users):
    assert create_users([]) == []


@pytest.mark.parametrize("text", ["", "{", "{}", "null", "[[]]", "[" * 100_000])
def test_refuses_what_is_no_list_of_users(create_users, text):
    with pytest.raises(CommandError):
        create_users(text)
