import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from time import monotonic, time

import jwt
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from rest_framework.test import APIClient

from gateway.accounts.operations import save_user
from gateway.tokens.models import RefreshFamily
from gateway.tokens.operations import rotate

transactional = pytest.mark.usefixtures("committed")


@pytest.fixture
def refresh(post):
    return lambda token: post("refresh", refresh=token)


def family_of(token):
    return RefreshFamily.objects.get(sid=claims_of(token)["sid"])


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def assert_refused(response):
    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="mercato", error="invalid_token"'
    assert {k: v for k, v in response.json().items() if k != "request_id"} == {
        "type": "/problems/invalid-token",
        "title": "The refresh token is invalid",
        "status": 401,
        "code": "invalid-token",
    }


@pytest.mark.django_db
class TestRotation:
    def test_gives_the_next_pair(self, log_in, refresh, shopper, read_token):
        first = log_in(shopper)

        response = refresh(first["refresh"])

        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json()["refresh"] != first["refresh"]
        assert read_token(response.json()["access"]).sub == str(shopper.public_id)

    def test_goes_on_from_child_to_child(self, log_in, refresh, shopper):
        first = log_in(shopper)

        second = refresh(first["refresh"]).json()
        third = refresh(second["refresh"]).json()

        assert claims_of(third["access"])["sid"] == claims_of(first["access"])["sid"]
        assert claims_of(third["access"])["auth_time"] == claims_of(first["access"])["auth_time"]

    def test_keeps_to_the_scope_that_was_asked_for(self, log_in, refresh, shopper):
        first = log_in(shopper, scope="wallet:read")

        assert refresh(first["refresh"]).json()["scope"] == "wallet:read"

    def test_ignores_an_expired_bearer_beside_it(self, log_in, anonymous, shopper):
        first = log_in(shopper)
        anonymous.credentials(HTTP_AUTHORIZATION="Bearer expired.or.worse")

        response = anonymous.post("/api/v1/auth/refresh", {"refresh": first["refresh"]}, format="json")

        assert response.status_code == 200

    def test_keeps_the_number_of_queries(self, log_in, refresh, shopper, django_assert_num_queries):
        first = log_in(shopper)

        # Limit, arrival, savepoint, family, rotation, release.
        with django_assert_num_queries(6):
            refresh(first["refresh"])


@pytest.mark.django_db
class TestReuse:
    @pytest.mark.case("J1")
    def test_ends_the_family_and_the_child(self, log_in, refresh, shopper):
        first = log_in(shopper)
        second = refresh(first["refresh"]).json()

        replayed = refresh(first["refresh"])

        assert_refused(replayed)
        assert_refused(refresh(second["refresh"]))
        assert family_of(first["refresh"]).revoked_because == "reuse"

    @pytest.mark.case("J3")
    def test_of_a_grandparent_ends_the_family(self, log_in, refresh, shopper):
        first = log_in(shopper)
        second = refresh(first["refresh"]).json()
        third = refresh(second["refresh"]).json()

        assert_refused(refresh(first["refresh"]))
        assert_refused(refresh(third["refresh"]))

    def test_leaves_other_sessions_alone(self, log_in, refresh, shopper):
        first, other = log_in(shopper), log_in(shopper)
        refresh(first["refresh"])

        refresh(first["refresh"])

        assert refresh(other["refresh"]).status_code == 200

    @pytest.fixture
    def rotated(self, log_in, refresh, shopper):
        """A session of ten thousand tokens, of which the newest and one before it are known."""
        first = log_in(shopper)
        second = refresh(first["refresh"]).json()
        add_tokens(family_of(first["refresh"]), 10_000)
        return first["refresh"], second["refresh"]

    @pytest.mark.case("J9")
    def test_costs_the_same_in_a_family_of_many(self, rotated, refresh, django_assert_num_queries):
        # Limit, arrival, savepoint, family, end, revocation, release.
        with django_assert_num_queries(7):
            assert_refused(refresh(rotated[0]))

    @pytest.mark.case("J9")
    def test_is_no_dearer_once_the_family_has_ended(self, rotated, refresh, django_assert_num_queries):
        refresh(rotated[0])

        # Limit, arrival, savepoint, family, release.
        with django_assert_num_queries(5):
            assert_refused(refresh(rotated[0]))

    @pytest.mark.case("J9")
    def test_makes_nothing_else_of_such_a_family_dearer(
        self, rotated, refresh, post, django_assert_num_queries
    ):
        with django_assert_num_queries(6):
            third = refresh(rotated[1]).json()
        with django_assert_num_queries(4):
            post("logout", refresh=third["refresh"])


@pytest.mark.django_db
class TestConcurrency:
    def test_forgives_a_request_that_queued_while_another_won(self, log_in, refresh, shopper):
        first = log_in(shopper)
        arrival = time()
        second = refresh(first["refresh"]).json()

        late = from_edge(first["refresh"], arrival)

        assert (late.status_code, late.json()["code"]) == (401, "concurrent-refresh")
        assert late.headers["WWW-Authenticate"] == 'Bearer realm="mercato", error="invalid_token"'
        assert refresh(second["refresh"]).status_code == 200

    def test_believes_no_client_about_its_arrival(self, log_in, refresh, shopper):
        first = log_in(shopper)
        arrival = time()
        refresh(first["refresh"])

        assert_refused(from_edge(first["refresh"], arrival, key="not the edge's"))
        assert family_of(first["refresh"]).revoked_because == "reuse"

    @pytest.mark.parametrize("arrival", [0.0, time() - 3600, time() + 3600])
    def test_believes_no_clock_that_is_far_off(self, log_in, refresh, shopper, arrival):
        first = log_in(shopper)
        refresh(first["refresh"])

        assert_refused(from_edge(first["refresh"], arrival))
        assert family_of(first["refresh"]).revoked_because == "reuse"

    @pytest.mark.case("J3")
    def test_forgives_no_replay_of_an_ended_session(self, log_in, refresh, post, shopper):
        first = log_in(shopper)
        arrival = time()
        refresh(first["refresh"])
        post("logout", refresh=first["refresh"])

        assert_refused(from_edge(first["refresh"], arrival))


@pytest.mark.django_db
class TestEnd:
    @pytest.mark.case("J4")
    def test_comes_at_the_absolute_limit(self, log_in, refresh, shopper):
        first = log_in(shopper)
        RefreshFamily.objects.update(absolute_expires_at=timezone.now() - timedelta(seconds=1))

        assert_refused(refresh(first["refresh"]))

    @pytest.mark.case("J4")
    def test_no_rotation_outlives_the_absolute_limit(self, log_in, refresh, shopper):
        first = log_in(shopper)
        limit = timezone.now() + timedelta(hours=1)
        RefreshFamily.objects.update(absolute_expires_at=limit)

        second = refresh(first["refresh"]).json()

        assert claims_of(second["refresh"])["exp"] == int(limit.timestamp())

    def test_comes_after_seven_idle_days(self, log_in, refresh, shopper, forge):
        old = claims_of(log_in(shopper)["refresh"])
        expired = forge.sign(
            old | {"iat": old["iat"] - 8 * 86_400, "exp": old["exp"] - 8 * 86_400},
            key=forge.refresh,
            header={"typ": "rt+jwt"},
        )

        assert_refused(refresh(expired))

    @pytest.mark.case("J7")
    def test_comes_with_deactivation(self, log_in, refresh, shopper):
        first = log_in(shopper)
        type(shopper).objects.update(is_active=False)

        assert_refused(refresh(first["refresh"]))
        assert family_of(first["refresh"]).revoked_because == "inactive"

    def test_stays_after_reactivation(self, log_in, refresh, shopper):
        first = log_in(shopper)
        type(shopper).objects.update(is_active=False)
        refresh(first["refresh"])
        type(shopper).objects.update(is_active=True)

        assert_refused(refresh(first["refresh"]))

    @pytest.mark.case("J7")
    def test_comes_with_deletion(self, log_in, refresh, shopper):
        first = log_in(shopper)
        shopper.delete()

        assert_refused(refresh(first["refresh"]))

    @pytest.mark.case("J3")
    @pytest.mark.parametrize(
        "change",
        [{"password": "another long passphrase"}, {"groups": ["finance"]}],
        ids=["password", "groups"],
    )
    def test_comes_with_other_credentials(self, log_in, refresh, shopper, password, change):
        first = log_in(shopper)
        save_user(**{"email": shopper.email, "password": password, "groups": ["customer"]} | change)

        assert_refused(refresh(first["refresh"]))
        assert family_of(first["refresh"]).revoked_because == "credentials-changed"


@pytest.mark.django_db
class TestInput:
    @pytest.mark.case("B9")
    def test_refuses_an_access_token(self, log_in, refresh, shopper):
        assert_refused(refresh(log_in(shopper)["access"]))

    @pytest.mark.case("B9")
    def test_refuses_a_refresh_token_signed_with_the_access_key(self, log_in, refresh, shopper, forge):
        claims = claims_of(log_in(shopper)["refresh"])

        assert_refused(refresh(forge.sign(claims, header={"typ": "rt+jwt"})))

    def test_refuses_a_signed_token_that_nobody_issued(self, log_in, refresh, shopper, forge):
        claims = claims_of(log_in(shopper)["refresh"]) | {"jti": "made-up"}

        assert_refused(refresh(forge.sign(claims, key=forge.refresh, header={"typ": "rt+jwt"})))

    @pytest.mark.case("J8")
    @pytest.mark.parametrize("claim", ["sid", "sub"])
    def test_refuses_a_token_moved_to_another_session(self, log_in, refresh, shopper, forge, claim):
        claims = claims_of(log_in(shopper)["refresh"]) | {claim: "01a2069f-acaf-70e0-ba1f-d00f888d76d7"}

        assert_refused(refresh(forge.sign(claims, key=forge.refresh, header={"typ": "rt+jwt"})))

    @pytest.mark.parametrize("token", ["x", "a.b.c", "é" * 10, "..", "a" * 4096])
    def test_refuses_what_is_no_token(self, refresh, token):
        assert_refused(refresh(token))

    @pytest.mark.parametrize("token", [None, 1, True, [], {}, "", "a\x00b", "a" * 4097])
    def test_refuses_malformed_input(self, refresh, token):
        response = refresh(token)

        assert response.status_code == 400
        assert response.json()["errors"][0]["pointer"] == "#/refresh"


@transactional
class TestCommitted:
    @pytest.mark.case("J2")
    def test_answers_twenty_at_once_with_exactly_one_pair(self, log_in, refresh, shopper):
        first = log_in(shopper)
        together, arrival = Barrier(20), time()

        with ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(lambda _: race(together, first["refresh"], arrival), range(20)))

        won = [body for status, body in answers if status == 200]
        lost = {(status, body["code"]) for status, body in answers if status != 200}
        assert len(won) == 1
        assert lost == {(401, "concurrent-refresh")}
        assert family_of(first["refresh"]).revoked_at is None
        assert refresh(won[0]["refresh"]).status_code == 200

    def test_tells_a_request_that_waited_from_a_replay(self, log_in, shopper):
        # It arrives after the winner wrote the time of its rotation, and before the winner committed.
        first = log_in(shopper)

        with ThreadPoolExecutor(1) as threads:
            with transaction.atomic():
                rotate_by_hand(first["refresh"])
                waiting = threads.submit(race, Barrier(1), first["refresh"])
                wait_until_blocked()
            status, body = waiting.result()

        assert (status, body["code"]) == (401, "concurrent-refresh")
        assert family_of(first["refresh"]).revoked_at is None

    @pytest.mark.case("J1")
    def test_commits_a_revocation_before_it_answers(self, log_in, refresh, shopper):
        first = log_in(shopper)
        refresh(first["refresh"])

        assert_refused(refresh(first["refresh"]))

        connection.close()
        assert family_of(first["refresh"]).revoked_because == "reuse"

    @pytest.mark.case("J6")
    def test_forgets_a_rotation_that_was_never_committed(self, log_in, refresh, shopper):
        first = log_in(shopper)
        with transaction.atomic():
            lost = rotate(token=first["refresh"])
            transaction.set_rollback(True)

        assert refresh(first["refresh"]).status_code == 200
        assert_refused(refresh(lost.refresh))

    @pytest.mark.case("J6")
    def test_survives_a_connection_that_dies_before_the_commit(self, log_in, refresh, shopper):
        first = log_in(shopper)

        with ThreadPoolExecutor(1) as threads, transaction.atomic():
            # A rotation adds the child after it has marked the token: there it is stopped for good.
            add_child(first["refresh"])
            dying = threads.submit(race, Barrier(1), first["refresh"])
            kill_who_waits()
            status, _ = dying.result()
            transaction.set_rollback(True)

        assert status == 503
        assert refresh(first["refresh"]).status_code == 200
        assert_refused(refresh(first["refresh"]))

    @pytest.mark.case("J1")
    def test_logs_reuse_without_the_token(self, log_in, refresh, shopper, caplog):
        first = log_in(shopper)
        refresh(first["refresh"])
        caplog.set_level(logging.INFO)

        refresh(first["refresh"])

        event = next(record for record in caplog.records if getattr(record, "reason", "") == "reuse")
        assert event.levelno == logging.WARNING
        assert event.sub == str(shopper.public_id)
        assert first["refresh"] not in caplog.text

    @pytest.mark.case("J5")
    def test_leaves_nothing_usable_in_the_database(self, log_in, refresh, shopper):
        first = log_in(shopper)
        second = refresh(first["refresh"]).json()

        dump = dump_database()

        assert str(shopper.public_id) in dump
        assert claims_of(second["refresh"])["jti"] not in dump
        assert "eyJ" not in dump


def race(together, token, arrival=0.0):
    together.wait()
    try:
        response = from_edge(token, arrival)
        return response.status_code, response.json()
    finally:
        connection.close()


def from_edge(token, arrival, key=settings.EDGE_KEY):
    """As the edge sends it: the time when the request arrived there goes with it."""
    headers = {"X-Edge-Key": key, "X-Request-Start": f"t={arrival:.6f}"}
    return APIClient().post("/api/v1/auth/refresh", {"refresh": token}, format="json", headers=headers)


def rotate_by_hand(token):
    family = RefreshFamily.objects.select_for_update().get(sid=claims_of(token)["sid"])
    family.tokens.update(rotated_at=Now())


def wait_until_blocked():
    deadline = monotonic() + 2
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            # Waits for this very transaction; other suites may share the cluster.
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
            )
            if cursor.fetchone()[0]:
                return
    pytest.fail("nothing waits for a lock")


def add_child(token):
    """A token has one child at most: whoever adds another waits for what becomes of this one."""
    family = family_of(token)
    family.tokens.create(jti_hash="another", parent=family.tokens.get(), expires_at=Now())


def kill_who_waits():
    deadline = monotonic() + 5
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
            )
            if cursor.fetchone():
                return
    pytest.fail("nothing waits for a lock")


def add_tokens(family, number):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tokens_refreshtoken (jti_hash, family_id, expires_at, rotated_at)"
            " SELECT lpad(n::text, 64, '0'), %s, now(), now() FROM generate_series(1, %s) AS n",
            [family.pk, number],
        )


def dump_database():
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        return "".join(dump_table(cursor, name) for name in names)


def dump_table(cursor, name):
    cursor.execute(f'SELECT row::text FROM "{name}" AS row')
    return "\n".join(text for (text,) in cursor.fetchall())
