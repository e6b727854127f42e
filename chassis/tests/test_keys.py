import json
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import RSAAlgorithm

from chassis.env import ConfigurationError
from chassis.keys import (
    MAX_FILE_BYTES,
    BadKeySet,
    KeyStore,
    load_signing_key,
    parse_jwks,
    public_jwk,
    thumbprint,
)
from chassis.testing.forge import new_key, write_keys


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


def test_looks_at_the_file_once_a_second_whatever_is_asked(folder, clock, monkeypatch):
    store = KeyStore(folder / "public", clock=clock)
    looks = []
    monkeypatch.setattr("chassis.keys._stamp", lambda path: looks.append(path) or store._stamp)

    clock.now += 1
    sets = {id(store.current()) for _ in range(1000)}

    assert (len(looks), len(sets)) == (1, 1)


@pytest.mark.parametrize(
    "data", [b"", b'{"keys": [', b"<html>", b'{"keys": []}', b" " * (MAX_FILE_BYTES + 1)]
)
def test_keeps_the_last_good_set_when_the_file_turns_bad(folder, clock, data):
    store = KeyStore(folder / "public", clock=clock)
    before = store.current()
    replace(folder / "public" / "jwks.json", data)

    clock.now += 1

    assert store.current() is before


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

    with store._lock:
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


def _save(folder, key, name=None):
    pem = key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / (name or f"access-{key.kid}.pem")).write_bytes(pem)


def _coordinate(value):
    from chassis.testing.forge import encode

    return encode(value.to_bytes(32))
