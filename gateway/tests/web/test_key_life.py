import json
from datetime import UTC, datetime, timedelta

import pytest

from chassis.env import ConfigurationError
from chassis.keys import KeyStore, SigningKeys, load_signing_key, parse_jwks
from gateway.tokens import keyring

ACCESS = keyring.Choice("gateway", "access")
LATER = timedelta(seconds=331)


@pytest.fixture
def folder(tmp_path):
    keyring.init(tmp_path)
    return tmp_path


@pytest.fixture
def pauses():
    """How long a command waited, in seconds, without waiting."""
    return []


def now(**later):
    return datetime.now(UTC) + timedelta(**later)


def states(folder, holder="gateway", kind="access"):
    return {
        key.kid: key.state for key in keyring.list_keys(folder) if (key.holder, key.kind) == (holder, kind)
    }


def of_state(folder, state, kind="access"):
    [kid] = [kid for kid, known in states(folder, kind=kind).items() if known == state]
    return kid


def published(folder, name="jwks.json"):
    return {key["kid"] for key in json.loads((folder / "public" / name).read_text())["keys"]}


def promoted(folder, choice=keyring.EVERY_KEY):
    keyring.add_next(folder, choice)
    return keyring.promote(folder, choice, now=now(seconds=331))


class TestNext:
    def test_publishes_a_key_of_each_kind_and_signs_with_none(self, folder):
        before = load_signing_key(folder / "private" / "gateway", "access")

        keys = keyring.add_next(folder)

        assert sorted((key.holder, key.kind) for key in keys if key.state == "next") == [
            (holder, kind) for holder, kinds in sorted(keyring.KINDS.items()) for kind in kinds
        ]
        assert {key.kid for key in keys if key.kind != "refresh"} == published(folder)
        assert load_signing_key(folder / "private" / "gateway", "access").kid == before.kid
        assert keyring.check(folder) == []

    def test_makes_no_second_one_while_one_waits(self, folder):
        assert keyring.add_next(folder) == keyring.add_next(folder)

    @pytest.mark.parametrize(
        ("choice", "count"),
        [
            (keyring.Choice("gateway"), 2),
            (keyring.Choice(kind="service"), 3),
            (ACCESS, 1),
            (keyring.Choice("catalog_variant", "access"), 0),
        ],
    )
    def test_makes_only_what_was_chosen(self, folder, choice, count):
        keys = keyring.add_next(folder, choice)

        assert [key.state for key in keys].count("next") == count

    def test_shows_refresh_keys_to_nobody(self, folder):
        keyring.add_next(folder)

        assert of_state(folder, "next", "refresh") not in published(folder)

    def test_gives_keys_no_name_that_a_command_takes_for_an_option(self, tmp_path, monkeypatch):
        names = iter(["-dash", *(f"kid-{number}" for number in range(9))])
        monkeypatch.setattr("gateway.tokens.keyring.life.thumbprint", lambda jwk: next(names))
        monkeypatch.setattr("gateway.tokens.keyring.folder.thumbprint", lambda jwk: jwk["kid"])

        with pytest.raises(keyring.UnusableKey):  # The names are not those of the keys.
            keyring.init(tmp_path)

        assert not list(tmp_path.rglob("*--dash.pem"))


class TestPromote:
    def test_signs_with_the_next_key_and_keeps_the_old_one_published(self, folder):
        old = of_state(folder, "active")
        keyring.add_next(folder)
        new = of_state(folder, "next")

        keyring.promote(folder, now=now(seconds=331))

        assert states(folder) == {old: "retiring", new: "active"}
        assert {old, new} <= published(folder) & published(folder, "jwks-issuer.json")
        assert load_signing_key(folder / "private" / "gateway", "access").kid == new
        assert keyring.check(folder) == []

    @pytest.mark.parametrize(("kind", "days"), [("access", 1), ("refresh", 31)])
    def test_keeps_the_old_key_longer_than_its_tokens(self, folder, kind, days):
        keyring.add_next(folder)

        keys = keyring.promote(folder, now=now(seconds=331))

        [old] = [key for key in keys if (key.kind, key.state) == (kind, "retiring")]
        assert timedelta(days=days) < old.retire_at - datetime.now(UTC) < timedelta(days=days, seconds=360)

    def test_refuses_a_key_that_others_may_not_know_yet(self, folder, pauses):
        keyring.add_next(folder)
        before = states(folder)

        with pytest.raises(keyring.Refused, match=r"Too early by 3\d\d s"):
            keyring.promote(folder, pause=pauses.append)

        assert (states(folder), pauses) == (before, [])

    def test_at_once_waits_for_our_own_processes_alone(self, folder, pauses):
        keyring.add_next(folder)

        keyring.promote(folder, at_once=True, pause=pauses.append)

        assert [1 < seconds <= 1.5 for seconds in pauses] == [True]
        assert set(states(folder).values()) == {"active", "retiring"}

    def test_refuses_when_nothing_waits(self, folder):
        with pytest.raises(keyring.Refused, match="No key waits"):
            keyring.promote(folder)

    def test_promotes_only_what_was_chosen(self, folder):
        keyring.add_next(folder)

        keyring.promote(folder, ACCESS, now=now(seconds=331))

        assert set(states(folder, kind="refresh").values()) == {"active", "next"}
        assert set(states(folder, "catalog_variant", "service").values()) == {"active", "next"}


class TestRetire:
    def test_removes_what_is_past_its_time_and_nothing_else(self, folder):
        old = of_state(folder, "active")
        promoted(folder)

        keyring.retire(folder, now=now(days=2))

        assert old not in states(folder)
        assert old not in published(folder) | published(folder, "jwks-issuer.json")
        assert not list(folder.rglob(f"*{old}*"))
        assert old not in (folder / "private" / "gateway" / "state.json").read_text()
        assert set(states(folder, kind="refresh").values()) == {"active", "retiring"}
        assert keyring.check(folder) == []

    @pytest.mark.parametrize(
        ("choice", "later"), [(keyring.EVERY_KEY, 0), (keyring.Choice("gateway", "refresh"), 2)]
    )
    def test_keeps_what_is_not_meant_or_not_past_its_time(self, folder, choice, later):
        promoted(folder)
        before = states(folder)

        keyring.retire(folder, choice, now=now(days=later))

        assert states(folder) == before

    def test_keeps_a_key_that_signs_again(self, folder):
        old = of_state(folder, "active")
        promoted(folder)
        _set(folder, of_state(folder, "active"), state="next")
        _set(folder, old, state="active")

        keyring.retire(folder, now=now(days=2))

        assert states(folder)[old] == "active"


class TestRevoke:
    @pytest.mark.case("A26")
    @pytest.mark.parametrize("kind", ["access", "refresh"])
    def test_puts_a_fresh_key_in_the_place_of_the_active_one(self, folder, pauses, kind):
        old = of_state(folder, "active", kind)

        keyring.revoke(folder, old, pause=pauses.append)

        assert old not in states(folder, kind=kind)
        assert list(states(folder, kind=kind).values()) == ["active"]
        assert old not in published(folder) | published(folder, "jwks-issuer.json")
        assert not list(folder.rglob(f"*{old}*"))
        assert len(pauses) == 2
        assert sum(pauses) <= 3
        assert keyring.check(folder) == []

    def test_takes_the_key_that_waits_already(self, folder, pauses):
        old = of_state(folder, "active")
        keyring.add_next(folder)
        waiting = of_state(folder, "next")

        keyring.revoke(folder, old, pause=pauses.append)

        assert states(folder) == {waiting: "active"}

    def test_replaces_and_publishes_before_it_unpublishes(self, folder):
        old, seen = of_state(folder, "active"), []

        keyring.revoke(folder, old, pause=lambda _: seen.append((states(folder), published(folder))))

        (before, known_before), (after, known_after) = seen
        [new] = before.keys() - {old}
        assert (before, after) == ({old: "active", new: "next"}, {old: "withdrawn", new: "active"})
        assert {old, new} <= known_before & known_after

    @pytest.mark.parametrize("state", ["next", "retiring"])
    def test_removes_another_key_without_waiting(self, folder, pauses, state):
        promoted(folder)
        keyring.add_next(folder)
        gone, active = of_state(folder, state), of_state(folder, "active")

        keyring.revoke(folder, gone, pause=pauses.append)

        assert gone not in states(folder)
        assert gone not in published(folder)
        assert of_state(folder, "active") == active
        assert pauses == []

    def test_refuses_a_key_that_is_not_there(self, folder):
        with pytest.raises(keyring.Refused, match="There is no key nobody"):
            keyring.revoke(folder, "nobody")

    def test_is_done_when_an_earlier_run_had_withdrawn_the_key(self, folder, pauses):
        promoted(folder)
        old = of_state(folder, "retiring")
        _set(folder, old, state="withdrawn")

        keyring.revoke(folder, old, pause=pauses.append)

        assert old not in states(folder)
        assert keyring.check(folder) == []


class TestCheck:
    @pytest.mark.parametrize(
        ("state", "later", "problem"),
        [
            ("next", timedelta(days=31), "older than 30 days and still waits"),
            ("retiring", timedelta(days=2), "older than all it has signed"),
        ],
    )
    def test_finds_a_step_that_nobody_took(self, folder, state, later, problem):
        promoted(folder, ACCESS)
        keyring.add_next(folder, ACCESS)
        kid = of_state(folder, state)

        found = keyring.check(folder, now=datetime.now(UTC) + later)

        assert [kid in line for line in found if problem in line] == [True]
        assert keyring.check(folder) == []

    @pytest.mark.parametrize(
        ("spoil", "problem"),
        [
            (lambda folder, kid: _set(folder, kid, state="withdrawn"), "was withdrawn and is still there"),
            (lambda folder, kid: _set(folder, kid, retire_at=None), "older than all it has signed"),
            (lambda folder, kid: _set(folder, kid, state="odd"), "malformed"),
            (lambda folder, kid: _set(folder, kid, retire_at="soon"), "malformed"),
            (lambda folder, kid: _set(folder, kid, retire_at="2026-01-01T00:00:00"), "malformed"),
            (
                lambda folder, kid: next(folder.rglob(f"*{kid}.pem")).unlink(),
                "which has no file",
            ),
        ],
    )
    def test_finds_what_was_not_finished(self, folder, spoil, problem):
        promoted(folder, ACCESS)

        spoil(folder, of_state(folder, "retiring"))

        assert problem in " ".join(keyring.check(folder))

    def test_finds_a_key_that_nobody_entered(self, folder):
        old = of_state(folder, "active")
        promoted(folder, ACCESS)
        path = folder / "private" / "gateway" / "state.json"
        path.write_text(
            json.dumps({kid: entry for kid, entry in json.loads(path.read_text()).items() if kid != old})
        )

        assert f"{old}.pem is not in state.json" in " ".join(keyring.check(folder))


def test_a_lost_key_is_replaced_by_the_one_that_waits(folder):
    lost = of_state(folder, "active")
    keyring.add_next(folder)
    waiting = of_state(folder, "next")
    next(folder.rglob(f"*{lost}.pem")).unlink()

    keyring.init(folder)

    assert states(folder) == {waiting: "active"}
    assert keyring.check(folder) == []


def test_a_lost_key_is_not_replaced_by_one_that_retires(folder):
    promoted(folder)
    retiring, lost = of_state(folder, "retiring"), of_state(folder, "active")
    next(folder.rglob(f"*{lost}.pem")).unlink()
    with pytest.raises(ConfigurationError):
        SigningKeys(folder / "private" / "gateway", "access")

    keyring.init(folder)

    assert of_state(folder, "active") not in {retiring, lost}
    assert states(folder)[retiring] == "retiring"


def test_readers_take_every_set_that_a_rotation_makes(folder):
    keyring.add_next(folder)
    sets = [published(folder)]
    keyring.promote(folder, now=now(seconds=331))
    sets.append(published(folder))
    keyring.retire(folder, now=now(days=2))

    assert len(KeyStore(folder / "public").current().keys) == 4
    assert [len(kids) for kids in sets] == [8, 8]
    assert parse_jwks((folder / "public" / "jwks.json").read_bytes()).keys.keys() == published(folder)


def _set(folder, kid, **changes):
    path = folder / "private" / "gateway" / "state.json"
    state = json.loads(path.read_text())
    state[kid] = {name: value for name, value in (state[kid] | changes).items() if value is not None}
    path.write_text(json.dumps(state))
