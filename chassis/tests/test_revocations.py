"""The signed list of what was revoked: who believes which file, and for how long."""

import json
import logging
import os
import time

import pytest
from flask_site import make_app
from prometheus_client import REGISTRY

from chassis.django import authentication
from chassis.files import replace_file
from chassis.ids import uuid7
from chassis.keys import KeyStore
from chassis.revocations import (
    MAX_FILE_BYTES,
    TYP,
    BadRevocations,
    Revocations,
    RevocationStore,
    read_revocations,
    sign_revocations,
)
from chassis.testing.forge import Forge, new_key, write_keys
from chassis.tokens import InvalidToken, Verifier

NOW = int(time.time())
ISSUER = "http://localhost:8000"
SUB = str(uuid7())


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def folder(tmp_path):
    write_keys(tmp_path, services={"catalog_variant": "listings:write"})
    return tmp_path / "public"


@pytest.fixture
def forge(folder):
    return Forge(folder.parent, issuer=ISSUER, clock=lambda: NOW)


@pytest.fixture
def keys(folder):
    return KeyStore(folder)


@pytest.fixture
def publish(folder, forge):
    """Puts a list in its place, signed as it should be unless told otherwise."""

    def put(key=None, issuer=ISSUER, **revoked):
        signed = sign_revocations(
            Revocations(**{"seq": 1} | revoked), key or forge.access, issuer=issuer, now=NOW
        )
        replace_file(folder / "revoked.jws", signed)

    return put


@pytest.fixture
def store(folder, keys, clock):
    return RevocationStore(folder, keys, issuer=ISSUER, clock=clock)


@pytest.fixture
def verifier(keys, store):
    return Verifier(keys, issuer=ISSUER, audience="wallet", revocations=store, clock=lambda: float(NOW))


def reason(verifier, token):
    with pytest.raises(InvalidToken) as refusal:
        verifier.verify(token)
    return refusal.value.reason


def failures():
    return REGISTRY.get_sample_value("mercato_revocations_reload_failures_total")


@pytest.mark.case("B13")
class TestWhatIsRefused:
    def test_a_session(self, publish, verifier, clock, forge):
        token, other = forge.mint("wallet", sid="ended"), forge.mint("wallet", sid="goes-on")
        publish(sids=frozenset({"ended"}))
        clock.now += 1

        assert reason(verifier, token) == "revoked"
        assert verifier.verify(other).sid == "goes-on"

    def test_a_session_that_is_known_already(self, publish, verifier, clock, forge):
        token = forge.mint("wallet", sid="ended")
        verifier.verify(token)
        publish(sids=frozenset({"ended"}))
        clock.now += 1

        assert reason(verifier, token) == "revoked"
        assert reason(verifier, token) == "revoked"

    def test_what_a_subject_was_given_before_a_time(self, publish, verifier, clock, forge):
        old = {"iat": NOW - 10, "nbf": NOW - 10, "auth_time": NOW - 10}
        publish(subs={SUB: NOW})
        clock.now += 1

        assert reason(verifier, forge.mint("wallet", sub=SUB, **old)) == "revoked"
        assert verifier.verify(forge.mint("wallet", sub=SUB)).sub == SUB
        assert verifier.verify(forge.mint("wallet", **old)).sub != SUB

    def test_what_a_log_in_from_before_that_time_was_given_afterwards(self, publish, verifier, clock, forge):
        publish(subs={SUB: NOW})
        clock.now += 1

        assert reason(verifier, forge.mint("wallet", sub=SUB, auth_time=NOW - 1)) == "revoked"

    def test_what_every_user_was_given_before_a_time(self, publish, verifier, clock, forge):
        publish(not_before=NOW)
        clock.now += 1

        assert reason(verifier, forge.mint("wallet", iat=NOW - 1)) == "revoked"
        assert verifier.verify(forge.mint("wallet", auth_time=NOW - 86_400)).issued_at == NOW

    def test_no_service(self, publish, verifier, clock, forge):
        claims = forge.service_claims("wallet", "svc:catalog_variant", "listings:write", iat=NOW - 1)
        publish(not_before=NOW)
        clock.now += 1

        token = forge.sign(claims, key=forge.service_key("catalog_variant"))

        assert verifier.verify(token).is_service


class TestWhenItIsRead:
    def test_revokes_nothing_without_a_file(self, store, verifier, forge):
        assert store.current() == Revocations()
        assert verifier.verify(forge.mint("wallet")).sid

    def test_reads_at_the_start_what_is_there(self, publish, folder, keys):
        publish(sids=frozenset({"ended"}))

        assert RevocationStore(folder, keys, issuer=ISSUER).current().sids == {"ended"}

    def test_finds_a_new_list_within_half_a_second(self, publish, store, clock):
        publish(sids=frozenset({"ended"}))

        assert store.current().sids == frozenset()
        clock.now += 0.5
        assert store.current().sids == {"ended"}

    def test_looks_twice_a_second_whatever_is_asked(self, publish, store, clock, monkeypatch):
        looks = []
        monkeypatch.setattr("chassis.revocations.stamp_of", lambda path: looks.append(path) or (1, 1, 1))
        publish()
        clock.now += 0.5

        for _ in range(1000):
            store.current()

        assert len(looks) == 1

    def test_reads_a_file_once(self, publish, store, clock):
        publish()
        clock.now += 1
        first = store.current()
        clock.now += 1

        assert store.current() is first

    def test_lets_only_one_thread_read_the_file(self, publish, store, clock):
        publish(sids=frozenset({"ended"}))
        clock.now += 1

        with store._lock:
            assert store.current().sids == frozenset()
        assert store.current().sids == {"ended"}


@pytest.mark.case("C1", "C2", "C3")
class TestBadFiles:
    @pytest.fixture
    def good(self, publish, store, clock):
        publish(seq=7, sids=frozenset({"ended"}))
        clock.now += 1
        return store.current()

    @pytest.fixture(params=["truncated", "empty", "html", "large", "gone"])
    def spoiled(self, request, good, folder):
        path = folder / "revoked.jws"
        whole = path.read_bytes()
        parts = {
            "truncated": whole[:-20],
            "empty": b"",
            "html": b"<html>",
            "large": b"a" * (MAX_FILE_BYTES + 1),
        }
        if request.param == "gone":
            path.unlink()
        else:
            replace_file(path, parts[request.param])

    def test_leave_the_last_good_list_in_use(self, good, spoiled, store, clock, caplog):
        before, confirmed = failures(), store.confirmed_at
        clock.now += 1

        assert store.current() is good
        assert failures() == before + 1
        assert store.confirmed_at == confirmed
        assert caplog.messages[-1] == "Kept the last good list of revocations."
        assert caplog.records[-1].levelno == logging.ERROR

    def test_give_way_to_the_next_good_list(self, good, spoiled, publish, store, clock):
        clock.now += 1
        store.current()
        publish(seq=8, sids=frozenset({"another"}))
        clock.now += 1

        assert store.current().sids == {"another"}

    def test_an_older_list_is_refused(self, good, publish, store, clock):
        publish(seq=6)
        clock.now += 1

        assert store.current() is good

    def test_one_that_is_bad_from_the_start_vouches_for_no_token_from_before(
        self, folder, keys, forge, publish, clock
    ):
        replace_file(folder / "revoked.jws", b"<html>")
        store = RevocationStore(folder, keys, issuer=ISSUER, clock=clock, now=lambda: NOW + 0.5)
        verifier = Verifier(
            keys, issuer=ISSUER, audience="wallet", revocations=store, clock=lambda: float(NOW)
        )
        before = forge.mint("wallet", iat=NOW - 1)

        assert reason(verifier, before) == "revoked"
        assert verifier.verify(forge.mint("wallet"))
        publish()
        clock.now += 1
        assert verifier.verify(before)


@pytest.mark.case("B9")
class TestForgeries:
    CLAIMS = {"iss": ISSUER, "iat": NOW, "seq": 1, "sids": [], "subs": {}, "not_before": 0}

    @pytest.fixture
    def read(self, folder, keys, forge):
        def put(claims, **how):
            signed = forge.sign(claims, **{"header": {"typ": TYP}} | how)
            (folder / "revoked.jws").write_text(signed)
            return read_revocations(folder / "revoked.jws", keys, issuer=ISSUER)

        return put

    def test_a_true_list_is_read(self, read):
        assert read(self.CLAIMS | {"sids": ["a"]}).sids == {"a"}

    def test_an_access_token_is_no_list(self, read, forge):
        with pytest.raises(BadRevocations):
            read(forge.claims("wallet"), header={"typ": "at+jwt"})

    def test_nor_is_one_with_its_members(self, read):
        with pytest.raises(BadRevocations):
            read(self.CLAIMS, header={"typ": "at+jwt"})

    def test_a_list_is_no_access_token(self, verifier, publish, folder):
        publish()

        assert reason(verifier, (folder / "revoked.jws").read_text()) == "typ"

    def test_nor_is_one_with_the_claims_of_a_token(self, verifier, forge):
        assert reason(verifier, forge.sign(forge.claims("wallet"), header={"typ": TYP})) == "typ"

    def test_a_service_signs_no_list(self, read, forge):
        with pytest.raises(BadRevocations, match="gateway"):
            read(self.CLAIMS, key=forge.service_key("catalog_variant"))

    def test_nor_does_somebody_else(self, read):
        with pytest.raises(BadRevocations):
            read(self.CLAIMS, key=new_key())

    def test_a_signature_of_another_list_is_refused(self, read, folder, forge, keys):
        read(self.CLAIMS)
        header, _, signature = (folder / "revoked.jws").read_text().split(".")
        other = forge.sign(self.CLAIMS | {"sids": ["a"]}, header={"typ": TYP}).split(".")[1]
        (folder / "revoked.jws").write_text(f"{header}.{other}.{signature}")

        with pytest.raises(BadRevocations, match="signature"):
            read_revocations(folder / "revoked.jws", keys, issuer=ISSUER)

    @pytest.mark.parametrize(
        "change",
        [
            {"iss": "http://evil"},
            {"seq": -1},
            {"seq": True},
            {"seq": "1"},
            {"not_before": None},
            {"sids": "a"},
            {"sids": [1]},
            {"sids": [""]},
            {"subs": []},
            {"subs": {SUB: "1"}},
            {"subs": {"everybody": 1}},
            {"more": 1},
        ],
        ids=str,
    )
    def test_a_member_of_another_form_is_refused(self, read, change):
        with pytest.raises(BadRevocations):
            read(self.CLAIMS | change)

    @pytest.mark.parametrize("name", CLAIMS)
    def test_a_member_that_is_missing_is_refused(self, read, name):
        with pytest.raises(BadRevocations):
            read({key: value for key, value in self.CLAIMS.items() if key != name})

    def test_a_member_that_stands_twice_is_refused(self, read):
        twice = json.dumps(self.CLAIMS).replace('"sids": []', '"sids": ["a"], "sids": []')

        with pytest.raises(BadRevocations):
            read(twice.encode())


def test_shows_how_long_and_how_old_the_list_is(publish, store, clock):
    publish(sids=frozenset({"a", "b"}), subs={SUB: NOW})
    clock.now += 1
    held = store.current()

    assert len(held.sids) + len(held.subs) == 3
    assert REGISTRY.get_sample_value("mercato_revocations") <= 3
    assert REGISTRY.get_sample_value("mercato_revocations_confirmed_timestamp_seconds") <= store.confirmed_at


def test_a_full_list_is_far_from_too_large(publish, folder, store, clock):
    publish(sids=frozenset(str(uuid7()) for _ in range(5000)))
    clock.now += 1

    assert len(store.current().sids) == 5000
    assert os.stat(folder / "revoked.jws").st_size < MAX_FILE_BYTES / 4


class TestWhoAsks:
    """Every verifier that a running process makes of its settings knows the list."""

    @pytest.fixture
    def ended(self, publish, forge):
        publish(sids=frozenset({"ended"}))
        return forge.mint("wallet", sid="ended", exp=NOW + 900)

    def test_django_does(self, folder, settings, ended):
        made = (authentication.get_verifier, authentication.get_keys, authentication.get_revocations)
        settings.KEYS_PUBLIC = folder
        [one.cache_clear() for one in made]

        try:
            assert reason(authentication.get_verifier(), ended) == "revoked"
        finally:
            [one.cache_clear() for one in made]

    def test_flask_does(self, folder, monkeypatch, ended):
        monkeypatch.setenv("KEYS_PUBLIC", str(folder))

        assert reason(make_app().extensions["chassis"], ended) == "revoked"
