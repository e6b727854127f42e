import pytest
from django.core.management import call_command

from gateway.accounts.models import StoredSession
from gateway.accounts.session_store import hash_of
from gateway.tokens.models import RefreshFamily

pytestmark = pytest.mark.django_db


def test_ends_every_session(public, log_in, post, browse_as, cookie_of, make_user, capsys):
    tokens, cookie = log_in(make_user()), cookie_of(browse_as(make_user()))

    call_command("end_sessions")

    assert capsys.readouterr().out == "1 sessions of API clients and 1 of browsers ended\n"
    assert post("refresh", refresh=tokens["refresh"]).status_code == 401
    assert not StoredSession.objects.filter(pk=hash_of(cookie)).exists()


def test_leaves_what_had_ended_as_it_was(public, log_in, post, shopper):
    tokens = log_in(shopper)
    post("logout", refresh=tokens["refresh"])
    before = RefreshFamily.objects.values().get()

    call_command("end_sessions")

    assert RefreshFamily.objects.values().get() == before
