"""The trial of foreign vectors tells what passes that must not, and what is refused that must pass."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from foreign_vectors import run

from chassis.keys import public_jwk
from chassis.testing.forge import encode, es256, new_key

KEY = new_key()
PRIVATE = {"d": encode(KEY.private_key.private_numbers().private_value.to_bytes(32))}
JWK = {name: value for name, value in public_jwk(KEY.private_key).items() if name != "kid"} | {
    "kid": "theirs"
}
TOKEN = jwt.encode({}, KEY.private_key, algorithm="ES256", headers={"kid": "theirs"})
BARE = es256(KEY.private_key, b"a").hex()


def tokens(jws, result, **jwk):
    test = {"tcId": 1, "jws": jws, "result": result}
    return {"comment": "es256", "public": JWK | jwk, "private": JWK | PRIVATE | jwk, "tests": [test]}


def signatures(sig, result):
    test = {"tcId": 1, "msg": b"a".hex(), "sig": sig, "result": result}
    return {"type": "EcdsaP1363Verify", "sha": "SHA-256", "publicKeyJwk": JWK, "tests": [test]}


@pytest.fixture
def wrong(tmp_path):
    def tell(group):
        path = tmp_path / "vectors.json"
        path.write_text(json.dumps({"testGroups": [group]}))
        report = run([path])
        assert report.outcomes
        return report.wrong

    return tell


@pytest.mark.parametrize(
    "group",
    [
        tokens(TOKEN, "valid"),
        tokens(TOKEN[:-8] + "AAAAAAAA", "invalid"),
        tokens(TOKEN, "invalid", use="enc"),
        tokens("a", "invalid"),
        signatures(BARE, "valid"),
        signatures("00" * 64, "invalid"),
    ],
)
def test_finds_nothing_where_all_is_well(wrong, group):
    assert wrong(group) == []


@pytest.mark.parametrize(
    "group",
    [
        tokens(TOKEN, "invalid"),
        signatures(BARE, "invalid"),
        signatures("00" * 64, "valid"),
        signatures(KEY.private_key.sign(b"a", ec.ECDSA(hashes.SHA256())).hex(), "valid"),
    ],
)
def test_names_what_is_not_as_it_must_be(wrong, group):
    assert len(wrong(group)) == 1
