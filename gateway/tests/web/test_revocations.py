"""What is revoked, and how the edge and the services come to know."""

import logging
import os
import threading
import time
from datetime import timedelta

import jwt
import pytest
from django.conf import settings as configuration
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from prometheus_client import REGISTRY

from chassis.django.authentication import get_keys
from chassis.ids import uuid7
from chassis.revocations import Revocations, RevocationStore, read_revocations
from chassis.testing.forge import new_key
from chassis.tokens import InvalidToken, Verifier
from gateway.accounts import operations
from gateway.tokens import issuing, revocations
from gateway.tokens.models import RefreshFamily, Revocation
from gateway.tokens.operations import end_families, end_family
from gateway.tokens.revocations import MOST_ENTRIES, PUBLISHER, PUBLISHING, Publisher, revoke_sub

pytestmark = pytest.mark.usefixtures("public")
in_a_transaction = pytest.mark.django_db
transactional = pytest.mark.usefixtures("committed")


@pytest.fixture
def publish(public):
    """Publishes, and tells what the file says then."""
    publisher = Publisher()  # That of the process remembers what it wrote for other tests.

    def go():
        publisher.publish()
        return read_revocations(public / "revoked.jws", get_keys(), issuer=configuration.ORIGIN)

    return go


@pytest.fixture
def is_refused(public, publish):
    """Whether a service that reads the file refuses an access token for being revoked."""

    def look(token):
        publish()
        store = RevocationStore(public, get_keys(), issuer=configuration.ORIGIN)
        verifier = Verifier(get_keys(), issuer=configuration.ORIGIN, audience="wallet", revocations=store)
        try:
            verifier.verify(token)
        except InvalidToken as exc:
            return exc.reason == "revoked"
        return False

    return look


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def failed_writes():
    return REGISTRY.get_sample_value("mercato_revocations_writes_total", {"result": "failed"})


def kill_who_waits_for_a_turn():
    ends_at = time.monotonic() + 5
    while time.monotonic() < ends_at:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON oid = database"
                " WHERE NOT granted AND locktype = 'advisory' AND datname = current_database()"
            )
            if cursor.fetchone():
                return
    pytest.fail("nobody waits for a turn")


def in_future(seconds):
    return timezone.now() + timedelta(seconds=seconds)


def fill(number, not_before=1):
    Revocation.objects.bulk_create(
        Revocation(sid=str(uuid7()), not_before=not_before, expires_at=in_future(60)) for _ in range(number)
    )


@in_a_transaction
@pytest.mark.case("B13")
class TestEvents:
    """Each of them ends what was given out before, and nothing else."""

    def test_log_out(self, log_in, post, shopper, is_refused):
        tokens, others = log_in(shopper), log_in(shopper)

        post("logout", refresh=tokens["refresh"])

        assert is_refused(tokens["access"])
        assert not is_refused(others["access"])

    def test_a_refresh_token_that_is_used_twice(self, log_in, post, shopper, is_refused):
        first = log_in(shopper)
        second = post("refresh", refresh=first["refresh"]).json()

        post("refresh", refresh=first["refresh"])

        assert is_refused(first["access"])
        assert is_refused(second["access"])

    def test_staff_who_end_a_session(self, log_in, shopper, is_refused):
        tokens = log_in(shopper)

        end_family(sid=claims_of(tokens["access"])["sid"], reason=RefreshFamily.Reason.STAFF)

        assert is_refused(tokens["access"])

    def test_another_password(self, log_in, shopper, make_user, is_refused):
        tokens, others = log_in(shopper), log_in(make_user())

        operations.change_password(user=shopper, password="another horse battery staple")

        assert is_refused(tokens["access"])
        assert not is_refused(others["access"])

    def test_spares_whoever_logs_in_right_after(self, log_in, shopper, is_refused):
        operations.void_sessions(user=shopper)

        assert not is_refused(log_in(shopper)["access"])

    @pytest.mark.case("B14")
    @pytest.mark.parametrize("change", [{"groups": ["finance"]}, {"is_active": False}], ids=str)
    def test_other_rights(self, log_in, shopper, is_refused, make_user, change):
        make_user(groups=["superuser"])
        tokens = log_in(shopper)

        operations.change_access(user_id=shopper.pk, **{"groups": ["customer"], "is_active": True} | change)

        assert is_refused(tokens["access"])

    def test_an_operator_who_sets_a_password(self, log_in, shopper, is_refused):
        tokens = log_in(shopper)

        operations.save_user(email=shopper.email, password="another horse battery", groups=["customer"])

        assert is_refused(tokens["access"])

    def test_djangos_own_command_for_a_password(self, log_in, post, shopper, is_refused, monkeypatch):
        tokens = log_in(shopper)
        monkeypatch.setattr("getpass.getpass", lambda prompt: "another horse battery staple")

        call_command("changepassword", shopper.email)

        assert is_refused(tokens["access"])
        assert post("refresh", refresh=tokens["refresh"]).status_code == 401
        new = post("login", email=shopper.email, password="another horse battery staple")
        assert not is_refused(new.json()["access"])

    def test_the_end_of_all_sessions(self, log_in, make_user, is_refused):
        tokens = [log_in(make_user()), log_in(make_user())]

        call_command("end_sessions")

        assert is_refused(tokens[0]["access"])
        assert is_refused(tokens[1]["access"])

    def test_what_was_given_for_one_service(self, ask, log_in, post, shopper, is_refused):
        tokens = log_in(shopper)
        forwarded = ask(tokens["access"]).json()["token"]

        post("logout", refresh=tokens["refresh"])

        assert is_refused(forwarded)

    def test_log_out_of_a_browser(self, browse_as, shopper, publish):
        browser = browse_as(shopper)
        sid = browser.session["sid"]

        browser.post("/account/logout/")

        assert sid in publish().sids

    def test_nothing_when_the_transaction_is_undone(self, log_in, post, shopper, publish):
        tokens = log_in(shopper)

        with transaction.atomic():
            post("logout", refresh=tokens["refresh"])
            transaction.set_rollback(True)

        assert publish().sids == frozenset()


@in_a_transaction
class TestTimes:
    def test_no_token_is_from_the_future(self, log_in, shopper):
        claims = claims_of(log_in(shopper)["access"])
        family = RefreshFamily.objects.get()

        assert claims["auth_time"] == int(family.authenticated_at.timestamp())
        assert time.time() >= claims["iat"] == claims["nbf"] >= claims["auth_time"]
        assert claims["exp"] - claims["iat"] == 300

    def test_a_subject_is_void_up_to_the_second_of_the_change(self, shopper, publish):
        operations.change_password(user=shopper, password="another horse battery staple")

        expected = int(shopper.credentials_changed_at.timestamp())
        assert publish().subs == {str(shopper.public_id): expected}

    def test_names_a_session_that_began_in_the_second_of_the_change(self, log_in, shopper, publish):
        sid = claims_of(log_in(shopper)["access"])["sid"]
        changed_at = timezone.now().replace(microsecond=500_000)
        RefreshFamily.objects.update(authenticated_at=changed_at - timedelta(milliseconds=499))

        revoke_sub(shopper, at=changed_at)

        assert publish().sids == {sid}

    def test_names_no_session_that_began_after_the_change(self, log_in, shopper, publish):
        log_in(shopper)
        changed_at = timezone.now().replace(microsecond=500_000)
        RefreshFamily.objects.update(authenticated_at=changed_at)

        revoke_sub(shopper, at=changed_at)

        assert publish().sids == frozenset()

    def test_a_row_lives_as_long_as_an_access_token(self, log_in, post, shopper):
        tokens = log_in(shopper)

        post("logout", refresh=tokens["refresh"])

        left = Revocation.objects.get().expires_at.timestamp() - claims_of(tokens["access"])["exp"]
        assert 5 < left <= 35  # The leeway of verifiers, and some seconds more.


@in_a_transaction
class TestTheFile:
    def test_says_so_when_nothing_is_revoked(self, publish):
        assert publish().sids == frozenset()

    def test_is_written_only_when_something_changes(self, publish, public):
        publish()
        before = os.stat(public / "revoked.jws")

        publish()

        assert os.stat(public / "revoked.jws") == before

    def test_is_for_everybody_to_read(self, publish, public):
        publish()

        assert os.stat(public / "revoked.jws").st_mode & 0o777 == 0o644

    def test_has_a_higher_number_each_time(self, publish):
        first = publish()
        fill(1)

        second = publish()

        assert second.seq > first.seq
        assert abs(second.seq - time.time() * 1000) < 5000

    def test_counts_on_when_the_clock_was_set_back(self, publish, public):
        ahead = Revocations(seq=int(time.time() * 1000) + 3_600_000)
        signed = revocations.sign_revocations(
            ahead, issuing.access_key(), issuer=configuration.ORIGIN, now=int(time.time())
        )
        (public / "revoked.jws").write_bytes(signed)
        fill(1)

        assert publish().seq == ahead.seq + 1

    @pytest.mark.case("C3")
    def test_outdoes_one_that_was_put_back(self, publish, public):
        publish()
        old = (public / "revoked.jws").read_bytes()
        fill(1)
        last = publish()
        Revocation.objects.all().delete()
        (public / "revoked.jws").write_bytes(old)

        assert publish().seq > last.seq

    def test_counts_on_when_it_is_gone_and_the_clock_was_set_back(self, publish, public, monkeypatch):
        last = publish()
        (public / "revoked.jws").unlink()
        monkeypatch.setattr(time, "time_ns", lambda: 0)

        assert publish().seq == last.seq + 1

    def test_leaves_out_what_has_expired_and_forgets_it(self, publish):
        fill(1)
        publish()
        Revocation.objects.update(expires_at=timezone.now())

        assert publish().sids == frozenset()
        assert not Revocation.objects.exists()

    @pytest.mark.parametrize("spoil", [b"", b"<html>", None])
    def test_is_mended_when_it_is_spoiled_or_gone(self, publish, public, spoil):
        fill(1)
        publish()
        (public / "revoked.jws").unlink() if spoil is None else (public / "revoked.jws").write_bytes(spoil)

        assert len(publish().sids) == 1

    def test_is_signed_anew_with_another_key(self, publish, public, monkeypatch):
        publish()
        another = new_key()
        monkeypatch.setattr(issuing, "access_key", lambda: another)

        PUBLISHER.publish()

        assert jwt.get_unverified_header((public / "revoked.jws").read_text())["kid"] == another.kid

    def test_holds_the_newest_and_one_time_for_the_rest(self, publish):
        fill(3, not_before=1000)
        fill(1, not_before=1007)
        fill(MOST_ENTRIES, not_before=2000)

        found = publish()

        assert (len(found.sids), found.not_before) == (MOST_ENTRIES, 1008)

    def test_holds_as_many_as_it_may(self, publish):
        fill(MOST_ENTRIES, not_before=2000)

        found = publish()

        assert (len(found.sids), found.not_before) == (MOST_ENTRIES, 0)

    def test_keeps_the_number_of_queries(self, publish, django_assert_num_queries):
        publish()

        # Savepoint, turns, rows, release.
        with django_assert_num_queries(4):
            publish()


@in_a_transaction
class TestAFolderThatCannotBeWritten:
    @pytest.fixture
    def publisher(self, settings, public):
        settings.KEYS_PUBLIC = public / "missing"
        return Publisher()

    def test_is_said_once_and_counted(self, publisher, caplog):
        before = failed_writes()

        publisher.publish()
        publisher.publish()

        said = [one for one in caplog.records if one.getMessage() == "Cannot publish what was revoked."]
        assert [one.levelno for one in said] == [logging.WARNING]
        assert failed_writes() == before + 2

    def test_stops_no_log_out(self, publisher, log_in, post, shopper):
        publisher.publish()

        assert post("logout", refresh=log_in(shopper)["refresh"]).status_code == 204

    def test_is_made_good_as_soon_as_it_can(self, publisher, settings, publish, public):
        fill(1)
        publisher.publish()
        settings.KEYS_PUBLIC = public

        publisher.publish()

        assert len(publish().sids) == 1


@transactional
class TestSeveralProcesses:
    def test_take_turns_and_rest(self, public):
        seen, started = [], threading.Barrier(4)

        def work():
            started.wait()
            for _ in range(2):
                fill(1)
                Publisher().publish()
                seen.append(os.stat(public / "revoked.jws").st_mtime)
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        began = time.time()
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]

        written = len(set(seen))
        assert len(seen) == 8
        assert written <= 1 + (time.time() - began) / 0.25
        found = read_revocations(public / "revoked.jws", get_keys(), issuer=configuration.ORIGIN)
        assert len(found.sids) == 8

    def test_a_connection_that_dies_is_said_once_and_made_anew(self, connect, public, caplog):
        other, publisher = connect(), Publisher()
        other.cursor().execute("SELECT pg_advisory_xact_lock(%s)", [revocations._TURNS])
        waiting = threading.Thread(target=lambda: (publisher.publish(), connection.close()))
        waiting.start()

        kill_who_waits_for_a_turn()
        waiting.join()
        other.rollback()
        publisher.publish()

        assert [one.levelname for one in caplog.records] == ["WARNING"]
        assert (public / "revoked.jws").exists()

    def test_a_commit_asks_for_a_new_list(self, log_in, post, make_user):
        tokens = log_in(make_user())
        PUBLISHING._asked.clear()

        with transaction.atomic():
            post("logout", refresh=tokens["refresh"])
            asked_early = PUBLISHING._asked.is_set()

        assert (asked_early, PUBLISHING._asked.is_set()) == (False, True)


@in_a_transaction
def test_ends_many_sessions_at_the_price_of_one(log_in, shopper, publish, django_assert_num_queries):
    sids = [claims_of(log_in(shopper)["access"])["sid"] for _ in range(3)]

    # Savepoint, sids, families, revocations, release.
    with django_assert_num_queries(5):
        ended = end_families(user=shopper, except_sid=sids[0])

    assert ended == 2
    assert publish().sids == {sids[1], sids[2]}
