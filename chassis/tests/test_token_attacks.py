"""Every attack on a token against the verifier alone, without processes."""

import contextlib
import hmac
import json
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from chassis.keys import KeyStore, parse_jwks, thumbprint
from chassis.testing.attacks import ATTACKS, Aim, Answer
from chassis.testing.attacks.keys import rsa_key
from chassis.testing.forge import encode
from chassis.tokens import REFRESH, InvalidToken, Verifier

# A verifier that an attack can keep busy takes longer; a pause of the garbage collector never does.
CPU_SECONDS = 1.0

REFUSED = [case for case in ATTACKS if case.verifier is Answer.REFUSED]
TOKENS = [case for case in REFUSED if case.id[0] in "AB"]
ACCEPTED = [case for case in ATTACKS if case.verifier is Answer.ACCEPTED]
ANONYMOUS = [case for case in ATTACKS if case.verifier is Answer.ANONYMOUS]


class Fixed:
    def __init__(self, keys):
        self.set = keys

    def current(self):
        return self.set


@pytest.fixture(scope="module")
def keys(keys_dir):
    return KeyStore(keys_dir / "public")


@pytest.fixture(scope="module")
def verifier(keys, forge):
    return Verifier(keys, issuer=forge.issuer, audience="wallet")


@pytest.fixture
def aim(forge):
    return Aim(forge, "wallet", secrets=("a secret of the process",))


@pytest.fixture(scope="module")
def rsa_kid():
    return thumbprint(rsa_jwk())


@pytest.fixture(scope="module")
def rsa_verifier(forge):
    document = json.dumps({"keys": [rsa_jwk()]}).encode()
    return Verifier(Fixed(parse_jwks(document)), issuer=forge.issuer, audience="wallet")


def rsa_jwk():
    public = RSAAlgorithm.to_jwk(rsa_key().public_key(), as_dict=True)
    public.pop("key_ops")
    return public | {"kid": thumbprint(public), "use": "sig", "alg": "RS256", "holder": "gateway"}


def rsa_pem():
    return rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def unsigned(aim, **header):
    return f"{encode(aim.header | header)}.{encode(aim.claims)}"


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.label)
def test_refuses(verifier, aim, case):
    values = case.build(aim).authorization
    started = time.thread_time()

    with pytest.raises(InvalidToken):
        verifier.authenticate(values)

    assert time.thread_time() - started < CPU_SECONDS


@pytest.mark.parametrize("case", TOKENS, ids=lambda case: case.label)
def test_refuses_the_token_by_itself(verifier, aim, case):
    token = case.build(aim).authorization[0].removeprefix("Bearer ")

    with pytest.raises(InvalidToken):
        verifier.verify(token)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.label)
def test_accepts(verifier, aim, case):
    assert verifier.authenticate(case.build(aim).authorization) is not None


@pytest.mark.parametrize("case", ANONYMOUS, ids=lambda case: case.label)
def test_looks_nowhere_else_for_a_token(verifier, aim, case):
    assert verifier.authenticate(case.build(aim).authorization) is None


def test_tells_the_same_of_a_malleated_signature(verifier, aim):
    malleated = next(case for case in ACCEPTED if case.id == "A17")

    token = malleated.build(aim).authorization[0]

    assert verifier.authenticate([token]).sub == aim.sub


def test_has_a_case_for_every_row_and_no_name_twice():
    rows = {f"A{number}" for number in range(1, 34)} - {"A26"}
    rows |= {f"B{number}" for number in range(1, 13)} - {"B8"}
    rows |= {"D1", "D2", "D3"}

    assert {case.id for case in ATTACKS} == rows
    assert len({case.label for case in ATTACKS}) == len(ATTACKS)


def test_takes_an_rs256_token_of_an_rs256_key(rsa_verifier, rsa_kid, aim):
    text = unsigned(aim, alg="RS256", kid=rsa_kid)
    signature = rsa_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())

    assert rsa_verifier.verify(f"{text}.{encode(signature)}").sub == aim.sub


def test_refuses_an_es256_token_under_the_kid_of_an_rs256_key(rsa_verifier, rsa_kid, aim):
    token = aim.signed(aim.header | {"kid": rsa_kid})

    with pytest.raises(InvalidToken):
        rsa_verifier.verify(token)


@pytest.mark.parametrize("alg", ["HS256", "RS256"])
def test_refuses_a_mac_keyed_with_an_rsa_public_key(rsa_verifier, rsa_kid, aim, alg):
    text = unsigned(aim, alg=alg, kid=rsa_kid)
    token = f"{text}.{encode(hmac.digest(rsa_pem(), text.encode(), 'sha256'))}"

    with pytest.raises(InvalidToken):
        rsa_verifier.verify(token)


def test_refuses_a_pss_signature_of_an_rs256_key(rsa_verifier, rsa_kid, aim):
    text = unsigned(aim, alg="RS256", kid=rsa_kid)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = rsa_key().sign(text.encode(), pss, hashes.SHA256())

    with pytest.raises(InvalidToken):
        rsa_verifier.verify(f"{text}.{encode(signature)}")


def test_refuses_an_access_token_as_a_refresh_token(keys, forge, aim):
    verifier = Verifier(keys, issuer=forge.issuer, audience="wallet", kind=REFRESH)

    with pytest.raises(InvalidToken):
        verifier.verify(aim.token)


def allows(call, value):
    with contextlib.suppress(InvalidToken):
        call(value)


@settings(max_examples=300, deadline=None)
@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
@example("\ud800.\ud800.\ud800")
def test_raises_nothing_but_a_refusal_for_any_text(verifier, text):
    with pytest.raises(InvalidToken):
        verifier.verify(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text() | st.text().map(lambda text: f"Bearer {text}"), max_size=3))
def test_raises_nothing_but_a_refusal_for_any_header_values(verifier, values):
    allows(verifier.authenticate, values)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(member=st.sampled_from(["alg", "kid", "typ", "crit"]), value=JSON)
def test_raises_nothing_but_a_refusal_for_any_member_of_the_header(verifier, forge, member, value):
    aim = Aim(forge, "wallet")

    with pytest.raises(InvalidToken):
        verifier.verify(aim.signed(aim.header | {member: value}))


CLAIMS = ("iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "jti", "sid", "scope", "roles", "amr", "act")


@settings(max_examples=500, deadline=None)
@given(claim=st.sampled_from(CLAIMS), value=JSON)
def test_takes_or_refuses_a_signed_token_whatever_a_claim_is(verifier, forge, claim, value):
    aim = Aim(forge, "wallet")

    allows(verifier.verify, aim.signed(payload=aim.claims | {claim: value}))


@settings(max_examples=300, deadline=None)
@given(header=st.binary(max_size=600), payload=st.binary(max_size=3000))
def test_raises_nothing_but_a_refusal_for_signed_bytes(verifier, forge, header, payload):
    with pytest.raises(InvalidToken):
        verifier.verify(Aim(forge, "wallet").signed(header, payload))


@settings(max_examples=300, deadline=None)
@given(payload=st.binary(max_size=3000))
def test_raises_nothing_but_a_refusal_for_any_signed_payload(verifier, forge, payload):
    with pytest.raises(InvalidToken):
        verifier.verify(Aim(forge, "wallet").signed(payload=payload))
