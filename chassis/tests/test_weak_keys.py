"""Public keys that others publish as test vectors, or that others were attacked with, in our own making."""

import json
import secrets
from math import prod

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from chassis.keys import BadKeySet, parse_jwks, public_jwk, thumbprint
from chassis.testing.forge import encode, new_key

SMALL_PRIMES = (
    2,
    3,
    5,
    7,
    11,
    13,
    17,
    19,
    23,
    29,
    31,
    37,
    53,
    61,
    71,
    73,
    79,
    97,
    103,
    107,
    109,
    127,
    151,
    157,
)


def rsa_jwk(n, e=65537):
    members = {"kty": "RSA", "n": number(n), "e": number(e)}
    return members | {"kid": thumbprint(members), "alg": "RS256", "use": "sig", "holder": "gateway"}


def number(value):
    return encode(value.to_bytes((value.bit_length() + 7) // 8))


@pytest.fixture(scope="module")
def modulus():
    return rsa.generate_private_key(65537, 2048).public_key().public_numbers().n


def ec_jwk(**changes):
    jwk = public_jwk(new_key().private_key, holder="gateway") | changes
    return jwk | {"kid": thumbprint(jwk)}


def assert_refused(jwk):
    with pytest.raises(BadKeySet):
        parse_jwks(json.dumps({"keys": [jwk]}).encode())


def test_takes_a_sound_rsa_key(modulus):
    assert parse_jwks(json.dumps({"keys": [rsa_jwk(modulus)]}).encode()).keys


@pytest.mark.case("C7")
def test_refuses_a_modulus_of_the_chip_that_made_primes_from_powers():
    step = prod(SMALL_PRIMES)
    modulus = pow(65537, secrets.randbelow(step), step) + step * (secrets.randbits(2048) | 1 << 2047)

    assert_refused(rsa_jwk(modulus))


@pytest.mark.case("C7")
@pytest.mark.parametrize("exponent", [1, 2, 65536])
def test_refuses_an_exponent_that_hides_nothing(modulus, exponent):
    assert_refused(rsa_jwk(modulus, exponent))


@pytest.mark.case("C7")
@pytest.mark.parametrize("bits", [512, 1024, 2040])
def test_refuses_a_short_modulus(modulus, bits):
    assert_refused(rsa_jwk(modulus >> (2048 - bits) | 1))


@pytest.mark.case("C7")
@pytest.mark.parametrize(
    "change",
    [
        {"alg": "ES512"},
        {"alg": "ES224"},
        {"alg": "es256"},
        {"use": "enc"},
        {"crv": "P-384"},
        {"crv": "P-521"},
        {"y": encode(bytes(32))},
        {"x": encode(b"\xff" * 32)},
        {"x": encode(bytes(33))},
        {"x": "="},
    ],
    ids=str,
)
def test_refuses_a_key_that_is_not_what_it_says(change):
    assert_refused(ec_jwk(**change))


@pytest.mark.case("C7")
def test_refuses_the_type_of_another_key(modulus):
    assert_refused(ec_jwk() | {"kty": "RSA"})
    assert_refused(rsa_jwk(modulus) | {"kty": "EC"})


@pytest.mark.case("C6")
@pytest.mark.parametrize("alg", ["HS256", "A256GCM", "ES256", "RS256"])
@pytest.mark.parametrize("key", ["", "AAECAwQFBgcICQoLDA0ODw", encode(bytes(64))])
def test_refuses_a_symmetric_key(alg, key):
    assert_refused({"kty": "oct", "k": key, "alg": alg, "use": "sig", "kid": "a", "holder": "gateway"})


@pytest.mark.case("C6")
def test_refuses_a_set_for_one_symmetric_key_in_it():
    symmetric = {"kty": "oct", "k": "AAAA", "alg": "HS256", "use": "sig", "kid": "a", "holder": "gateway"}

    with pytest.raises(BadKeySet):
        parse_jwks(json.dumps({"keys": [ec_jwk(), symmetric]}).encode())


@pytest.mark.case("C4")
def test_refuses_a_set_for_one_private_half(modulus):
    key = rsa.generate_private_key(65537, 2048)
    private = RSAAlgorithm.to_jwk(key, as_dict=True)
    private.pop("key_ops")

    assert_refused(rsa_jwk(key.public_key().public_numbers().n) | private)


@pytest.mark.case("C5")
def test_refuses_the_same_key_in_a_second_spelling():
    key = public_jwk(ec.generate_private_key(ec.SECP256R1()), holder="gateway")

    with pytest.raises(BadKeySet):
        parse_jwks(json.dumps({"keys": [key, key | {"holder": "wallet", "scope": "a:b"}]}).encode())
