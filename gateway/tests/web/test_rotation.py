"""The web follows its keys: it signs with what was promoted and believes nothing that was withdrawn."""

import shutil
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from django.utils import timezone

from chassis.keys import load_signing_key
from gateway.accounts.sessions import session_of_cookie
from gateway.tokens import issuing, keyring, verifying
from gateway.tokens.browser import token_for

pytestmark = pytest.mark.django_db

GATEWAY = keyring.Choice("gateway")


@pytest.fixture
def folder(keys_dir, tmp_path, settings, monkeypatch):
    """Keys of its own for a web that looks at them with every request."""
    own = shutil.copytree(keys_dir, tmp_path / "keys")
    settings.KEYS_PRIVATE = own / "private" / "gateway"
    settings.KEYS_PUBLIC = own / "public"
    monkeypatch.setattr("chassis.keys.RELOAD_SECONDS", 0.0)
    _forget()
    yield own
    _forget()


@pytest.fixture
def refresh(post):
    return lambda token: post("refresh", refresh=token)


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


def active(folder, kind):
    return load_signing_key(folder / "private" / "gateway", kind).kid


def rotate(folder):
    keyring.add_next(folder, GATEWAY)
    keyring.promote(folder, GATEWAY, now=datetime.now(UTC) + timedelta(seconds=331))


def revoke(folder, kind):
    keyring.revoke(folder, active(folder, kind), pause=lambda seconds: None)


@pytest.mark.case("C8")
def test_signs_with_what_was_promoted_and_takes_what_was_signed_before(folder, log_in, refresh, shopper):
    before = log_in(shopper)

    rotate(folder)
    after = refresh(before["refresh"])

    assert after.status_code == 200
    assert kid_of(before["access"]) != kid_of(after.json()["access"]) == active(folder, "access")
    assert kid_of(before["refresh"]) != kid_of(after.json()["refresh"]) == active(folder, "refresh")


@pytest.mark.case("A26")
def test_takes_no_refresh_token_of_a_revoked_key_and_goes_on_at_once(folder, log_in, refresh, shopper):
    before = log_in(shopper)

    revoke(folder, "refresh")

    assert refresh(before["refresh"]).status_code == 401
    assert refresh(log_in(shopper)["refresh"]).status_code == 200


def test_uses_no_token_again_that_another_key_has_signed(folder, browse_as, cookie_of, shopper):
    session = session_of_cookie(cookie_of(browse_as(shopper)), now=timezone.now())
    before = token_for(session, "wallet")
    again = token_for(session, "wallet")

    revoke(folder, "access")

    assert before == again
    assert kid_of(token_for(session, "wallet").token) == active(folder, "access")


def test_publishes_what_the_folder_publishes(folder, client):
    rotate(folder)

    kids = {key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]}

    assert active(folder, "access") in kids
    assert len(kids) == 2


def _forget():
    issuing._keys.cache_clear()
    verifying.refresh_verifier.cache_clear()
