from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from chassis.ids import uuid7
from gateway.accounts.models import CodeTries, StoredSession
from gateway.tokens import housekeeping
from gateway.tokens.housekeeping import forget_expired
from gateway.tokens.models import RefreshFamily, RefreshToken, Revocation

pytestmark = pytest.mark.django_db


def ago(**amount):
    return timezone.now() - timedelta(**amount)


@pytest.fixture
def long_ended(log_in, post, shopper):
    """A session of three tokens that is past its absolute end."""
    first = log_in(shopper)
    second = post("refresh", refresh=first["refresh"]).json()
    post("refresh", refresh=second["refresh"])
    RefreshFamily.objects.update(absolute_expires_at=ago(seconds=1))


def test_removes_families_past_their_end_with_their_tokens(long_ended):
    assert forget_expired()["sessions of API clients"] == 1

    assert not RefreshFamily.objects.exists()
    assert not RefreshToken.objects.exists()


def test_keeps_families_that_ended_early_so_that_reuse_is_seen(log_in, post, shopper):
    tokens = log_in(shopper)
    post("logout", refresh=tokens["refresh"])

    forget_expired()

    assert RefreshFamily.objects.count() == RefreshToken.objects.count() == 1


def test_removes_all_however_many(monkeypatch):
    monkeypatch.setattr(housekeeping, "ROWS_AT_ONCE", 3)
    Revocation.objects.bulk_create(
        Revocation(sid=str(uuid7()), not_before=1, expires_at=ago(seconds=1)) for _ in range(7)
    )

    assert forget_expired()["revocations"] == 7


def test_removes_what_is_over_and_nothing_else(browse_as, shopper):
    browse_as(shopper)
    StoredSession.objects.create(key_hash="a" * 64, data=b"", expires_at=ago(days=1))
    CodeTries.objects.create(key="old", expires_at=ago(days=1))
    CodeTries.objects.create(key="new", expires_at=ago(days=-1))

    forget_expired()

    assert StoredSession.objects.get().user == shopper
    assert CodeTries.objects.get().key == "new"


def test_leaves_to_another_process_what_that_is_about_to_do(connect):
    Revocation.objects.create(sid="a", not_before=1, expires_at=ago(seconds=1))
    other = connect()
    other.cursor().execute("SELECT pg_advisory_xact_lock(%s)", [housekeeping._TURNS])

    assert forget_expired()["revocations"] == 0


def test_says_what_it_removed(long_ended, capsys):
    call_command("forget_expired")

    assert "1 sessions of API clients\n" in capsys.readouterr().out
