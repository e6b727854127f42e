import json
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import RSAAlgorithm
from prometheus_client import REGISTRY

from chassis import keys as keys_module
from chassis.env import ConfigurationError
from chassis.keys import (
    MAX_FILE_BYTES,
    BadKeySet,
    KeyStore,
    SigningKeys,
    load_signing_key,
    parse_jwks,
    public_jwk,
    thumbprint,
)
from chassis.testing.forge import Forge, new_key, write_keys
from chassis.tokens import InvalidToken, Verifier

ISSUER = "http://localhost:8000"


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
    write_keys(tmp_path, services={"variant": "listings:write"})
    return tmp_path


def member(**changes):
    jwk = public_jwk(new_key().private_key, holder="gateway") | changes
    return {name: value for name, value in jwk.items() if value is not None}


def rsa_member(bits=2048, **changes):
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return jwk | {"kid": thumbprint(jwk), "alg": "RS256", "use": "sig", "holder": "gateway"} | changes


def jwks(*members):
    return json.dumps({"keys": members}).encode()


def replace(path, data):
    temporary = path.with_suffix(".new")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def test_computes_the_thumbprint_of_rfc_7638():
    # The example of section 3.1.
    key = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPe"
        "bWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9"
        "c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF"
        "44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB",
        "alg": "RS256",
        "kid": "2011-04-29",
    }

    assert thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_reads_access_and_service_keys_with_what_they_are_bound_to():
    service = member(holder="variant", scope="listings:write catalog:exists")

    keys = parse_jwks(jwks(member(), service, rsa_member())).keys

    assert len(keys) == 3
    assert keys[service["kid"]].holder == "variant"
    assert keys[service["kid"]].scopes == {"listings:write", "catalog:exists"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"keys": []}',
        b'{"keys": {}}',
        b'{"keys": [1]}',
        b'{"keys": [], "keys": []}',
        b"<html></html>",
        b"\xff\xfe",
        b'{"keys": ' + b"[" * 5000,
    ],
)
def test_refuses_what_is_no_key_set(data):
    with pytest.raises(BadKeySet):
        parse_jwks(data)


@pytest.mark.case("C4", "C5", "C6", "C7")
@pytest.mark.parametrize(
    "bad",
    [
        member(d="AAAA"),
        {"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "x", "use": "sig", "holder": "gateway"},
        member(alg=None),
        member(alg="ES384"),
        member(alg="RS256"),
        member(alg=["ES256"]),
        member(use="enc"),
        member(use=None),
        member(key_ops=["verify"]),
        member(holder=None),
        member(holder=""),
        member(holder="variant"),
        member(holder="variant", scope=["listings:write"]),
        member(scope="wallet:read"),
        member(kid=None),
        member(kid="other"),
        member(x=None),
        rsa_member(bits=1024),
    ],
)
def test_refuses_a_whole_set_for_one_bad_key(bad):
    with pytest.raises(BadKeySet):
        parse_jwks(jwks(member(), bad))


def test_refuses_a_key_that_is_not_on_its_curve():
    jwk = member(x="AAAA", y="AAAA")

    with pytest.raises(BadKeySet, match="malformed"):
        parse_jwks(jwks(jwk | {"kid": thumbprint(jwk)}))


def test_refuses_another_curve_under_es256():
    key = ec.generate_private_key(ec.SECP256K1())
    numbers = key.public_key().public_numbers()
    jwk = member() | {
        "crv": "secp256k1",
        "x": _coordinate(numbers.x),
        "y": _coordinate(numbers.y),
    }

    with pytest.raises(BadKeySet):
        parse_jwks(jwks(jwk | {"kid": thumbprint(jwk)}))


@pytest.mark.case("C5")
def test_refuses_a_kid_that_stands_twice():
    twice = member()

    with pytest.raises(BadKeySet, match="twice"):
        parse_jwks(jwks(twice, twice))


def test_stops_at_start_without_a_usable_set(tmp_path):
    with pytest.raises(ConfigurationError):
        KeyStore(tmp_path)


def test_finds_a_new_key_within_a_second(folder, clock):
    store = KeyStore(folder / "public", clock=clock)
    added = member()
    replace(folder / "public" / "jwks.json", jwks(added))

    assert added["kid"] not in store.current().keys
    clock.now += 1
    assert added["kid"] in store.current().keys
    assert store.current().version == 2


@pytest.mark.case("C9")
def test_looks_at_the_file_once_a_second_whatever_is_asked(folder, clock, monkeypatch):
    store = KeyStore(folder / "public", clock=clock)
    looks, look = [], keys_module.stamp_of
    monkeypatch.setattr(keys_module, "stamp_of", lambda path: looks.append(path) or look(path))

    clock.now += 1
    sets = {id(store.current()) for _ in range(1000)}

    assert (len(looks), len(sets)) == (1, 1)


@pytest.mark.case("C9")
def test_a_flood_of_unknown_keys_costs_one_look_at_the_file(folder, clock, monkeypatch):
    store = KeyStore(folder / "public", clock=clock)
    verifier = Verifier(store, issuer=ISSUER, audience="wallet")
    flood = [Forge(folder, issuer=ISSUER).sign({}, header={"kid": new_key().kid}) for _ in range(50)]
    looks, look = [], keys_module.stamp_of
    monkeypatch.setattr(keys_module, "stamp_of", lambda path: looks.append(path) or look(path))

    clock.now += 1
    reasons = [_refusal(verifier, token) for token in flood * 20]

    assert set(reasons) == {"kid-unknown"}
    assert len(looks) == 1


@pytest.mark.case("C1", "C2", "C3")
@pytest.mark.parametrize(
    "data", [b"", b'{"keys": [', b"<html>", b'{"keys": []}', b" " * (MAX_FILE_BYTES + 1)]
)
def test_keeps_the_last_good_set_when_the_file_turns_bad(folder, clock, data):
    store = KeyStore(folder / "public", clock=clock)
    before, alarms = store.current(), _alarms()
    replace(folder / "public" / "jwks.json", data)

    clock.now += 1

    assert store.current() is before
    assert _alarms() == alarms + 1


@pytest.mark.case("C3")
def test_keeps_the_last_good_set_when_the_file_is_gone_and_takes_the_next(folder, clock):
    store = KeyStore(folder / "public", clock=clock)
    (folder / "public" / "jwks.json").unlink()
    clock.now += 1
    kept = store.current()
    added = member()
    (folder / "public" / "jwks.json").write_bytes(jwks(added))
    clock.now += 1

    assert kept.version == 1
    assert added["kid"] in store.current().keys


def test_lets_only_one_thread_read_the_file(folder, clock):
    store = KeyStore(folder / "public", clock=clock)
    replace(folder / "public" / "jwks.json", jwks(member()))
    clock.now += 1

    with store._set._lock:
        assert store.current().version == 1
    assert store.current().version == 2


def test_loads_the_only_signing_key_of_a_kind(folder):
    key = load_signing_key(folder / "private" / "gateway", "access")

    assert key.kid in parse_jwks((folder / "public" / "jwks.json").read_bytes()).keys
    assert key.alg == "ES256"


def test_signs_with_the_active_key_of_several(folder):
    private = folder / "private" / "gateway"
    old = load_signing_key(private, "access")
    _save(private, new_key())
    (private / "state.json").write_text(json.dumps({old.kid: {"state": "active"}, "x": {"state": "next"}}))

    assert load_signing_key(private, "access").kid == old.kid


@pytest.mark.parametrize("state", ["next", "retiring", "retired"])
def test_signs_with_no_key_that_is_not_active(folder, state):
    private = folder / "private" / "gateway"
    only = load_signing_key(private, "access")
    (private / "state.json").write_text(json.dumps({only.kid: {"state": state}}))

    with pytest.raises(ConfigurationError, match="found 0"):
        load_signing_key(private, "access")


def test_refuses_to_choose_between_two_keys(folder):
    private = folder / "private" / "gateway"
    _save(private, new_key())

    with pytest.raises(ConfigurationError, match="exactly one active access key, found 2"):
        load_signing_key(private, "access")


@pytest.mark.parametrize("state", ["[", "[]", '{"kid": 1}', '{"kid": {}}'])
def test_refuses_a_malformed_state(folder, state):
    private = folder / "private" / "gateway"
    (private / "state.json").write_text(state)

    with pytest.raises(ConfigurationError, match="malformed"):
        load_signing_key(private, "access")


def test_refuses_a_signing_key_that_is_no_pem(tmp_path):
    (tmp_path / "access-x.pem").write_text("-----BEGIN")

    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_signing_key(tmp_path, "access")


def test_refuses_a_signing_key_of_another_curve(tmp_path):
    pem = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (tmp_path / "access-x.pem").write_bytes(pem)

    with pytest.raises(ConfigurationError, match="P-256"):
        load_signing_key(tmp_path, "access")


def test_refuses_a_signing_key_under_another_name(tmp_path):
    _save(tmp_path, new_key(), name="access-other.pem")

    with pytest.raises(ConfigurationError, match="thumbprint"):
        load_signing_key(tmp_path, "access")


@pytest.fixture
def refresh_keys(folder, clock):
    """Follows the folder of the gateway, whose state names the refresh key."""
    _set_state(folder, {load_signing_key(folder / "private" / "gateway", "refresh").kid: "active"})
    return SigningKeys(folder / "private" / "gateway", "refresh", clock=clock)


def test_signs_with_another_key_within_a_second_of_its_promotion(folder, clock, refresh_keys):
    old, new = refresh_keys.active, new_key()
    _save(folder / "private" / "gateway", new, name=f"refresh-{new.kid}.pem")
    _set_state(folder, {old.kid: "retiring", new.kid: "active"})

    assert refresh_keys.active.kid == old.kid
    clock.now += 1
    assert refresh_keys.active.kid == new.kid


@pytest.mark.case("A26")
@pytest.mark.parametrize(
    ("state", "is_good"), [("next", True), ("retiring", True), ("withdrawn", False), (None, False)]
)
def test_verifies_with_its_own_keys_until_they_are_withdrawn(folder, clock, refresh_keys, state, is_good):
    active, other = refresh_keys.active, new_key()
    _save(folder / "private" / "gateway", other, name=f"refresh-{other.kid}.pem")
    _set_state(folder, {active.kid: "active"} | ({other.kid: state} if state else {}), touched_at=1)

    clock.now += 1
    found = refresh_keys.current()

    assert (other.kid in found.keys, active.kid in found.keys) == (is_good, True)
    assert {key.holder for key in found.keys.values()} == {"gateway"}


@pytest.mark.parametrize("state", ["{", '{"kid": {"state": "active"}}'])
def test_signs_on_with_the_last_good_key_when_the_state_turns_bad(folder, clock, refresh_keys, state):
    before = refresh_keys.active
    (folder / "private" / "gateway" / "state.json").write_text(state)
    (folder / "private" / "gateway" / f"refresh-{before.kid}.pem").unlink()

    clock.now += 1

    assert refresh_keys.active is before


def test_follows_a_folder_that_has_no_state(folder, clock):
    private = folder / "private" / "gateway"
    keys, new = SigningKeys(private, "access", clock=clock), new_key()
    (private / f"access-{keys.active.kid}.pem").unlink()
    _save(private, new)

    clock.now += 1

    assert keys.active.kid == new.kid


@pytest.mark.parametrize("missing", ["key", "folder"])
def test_stops_at_start_without_a_key_to_sign_with(tmp_path, missing):
    folder = tmp_path if missing == "key" else tmp_path / "nowhere"

    with pytest.raises(ConfigurationError):
        SigningKeys(folder, "access")


def _alarms():
    return REGISTRY.get_sample_value("mercato_keys_reload_failures_total")


def _refusal(verifier, token):
    with pytest.raises(InvalidToken) as refused:
        verifier.verify(token)
    return refused.value.reason


def _set_state(folder, states, touched_at=None):
    path = folder / "private" / "gateway" / "state.json"
    replace(path, json.dumps({kid: {"state": state} for kid, state in states.items()}).encode())
    if touched_at:
        os.utime(path, (touched_at, touched_at))


def _save(folder, key, name=None):
    pem = key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / (name or f"access-{key.kid}.pem")).write_bytes(pem)


def _coordinate(value):
    from chassis.testing.forge import encode

    return encode(value.to_bytes(32))
