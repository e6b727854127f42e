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
from prometheus_client import REGISTRY

from chassis.keys import KeySet, KeyStore, parse_jwks, public_jwk, thumbprint
from chassis.revocations import Revocations
from chassis.testing.attacks import ATTACKS, Aim, Answer
from chassis.testing.attacks.keys import rsa_key
from chassis.testing.forge import Forge, encode, new_key
from chassis.tokens import REFRESH, InvalidToken, Verifier

# A verifier that an attack can keep busy takes longer, however often it is tried.
CPU_SECONDS = 0.05
TRIES = 3

REFUSED = [case for case in ATTACKS if case.verifier is Answer.REFUSED]
TOKENS = [case for case in REFUSED if case.id[0] in "AB"]
ACCEPTED = [case for case in ATTACKS if case.verifier is Answer.ACCEPTED]
ANONYMOUS = [case for case in ATTACKS if case.verifier is Answer.ANONYMOUS]


class Fixed:
    def __init__(self, current):
        self.set = current

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


def seconds_to_refuse(verifier, values):
    started = time.thread_time()
    with pytest.raises(InvalidToken):
        verifier.authenticate(values)
    return time.thread_time() - started


def ids_of(test):
    return {id for mark in test.pytestmark if mark.name == "case" for id in " ".join(mark.args).split()}


@pytest.mark.case(
    "A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16 A18 A19 A20 A21 A22 A23",
    "A24 A25 A26 A27 A28 A29 A30 A31 A32 A33",
    "B1 B2 B3 B4 B5 B6 B7 B9 B10 B11 B12 D1 D2",
)
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.label)
def test_refuses(verifier, aim, case):
    values = case.build(aim).authorization

    assert min(seconds_to_refuse(verifier, values) for _ in range(TRIES)) < CPU_SECONDS


@pytest.mark.parametrize("case", TOKENS, ids=lambda case: case.label)
def test_refuses_the_token_by_itself(verifier, aim, case):
    token = case.build(aim).authorization[0].removeprefix("Bearer ")

    with pytest.raises(InvalidToken):
        verifier.verify(token)


@pytest.mark.case("A17", "A21", "A28", "B7", "B11", "D2")
@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.label)
def test_accepts(verifier, aim, case):
    assert verifier.authenticate(case.build(aim).authorization) is not None


@pytest.mark.case("D3")
@pytest.mark.parametrize("case", ANONYMOUS, ids=lambda case: case.label)
def test_looks_nowhere_else_for_a_token(verifier, aim, case):
    assert verifier.authenticate(case.build(aim).authorization) is None


@pytest.mark.case("A17")
def test_tells_the_same_of_a_malleated_signature(verifier, aim):
    malleated = next(case for case in ACCEPTED if case.id == "A17")

    token = malleated.build(aim).authorization[0]

    assert verifier.authenticate([token]).sub == aim.sub


@pytest.mark.case("A17", "B13")
def test_refuses_the_malleated_twin_of_a_revoked_token(keys, forge, aim):
    revoked = Fixed(Revocations())
    verifier = Verifier(keys, issuer=forge.issuer, audience="wallet", revocations=revoked)
    twins = next(case for case in ACCEPTED if case.id == "A17").build(aim).authorization
    assert verifier.authenticate(twins).sid == aim.sid

    revoked.set = Revocations(sids=frozenset({aim.sid}))

    with pytest.raises(InvalidToken, match="revoked"):
        verifier.authenticate(twins)
    with pytest.raises(InvalidToken, match="revoked"):
        verifier.verify(aim.token)


def test_has_a_case_for_every_row_and_no_name_twice():
    rows = {f"A{number}" for number in range(1, 34)}
    rows |= {f"B{number}" for number in range(1, 13)} - {"B8"}
    rows |= {"D1", "D2", "D3"}

    assert {case.id for case in ATTACKS} == rows
    assert ids_of(test_refuses) == {case.id for case in REFUSED}
    assert ids_of(test_accepts) >= {case.id for case in ACCEPTED}
    assert len({case.label for case in ATTACKS}) == len(ATTACKS)


def test_takes_an_rs256_token_of_an_rs256_key(rsa_verifier, rsa_kid, aim):
    text = unsigned(aim, alg="RS256", kid=rsa_kid)
    signature = rsa_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())

    assert rsa_verifier.verify(f"{text}.{encode(signature)}").sub == aim.sub


@pytest.mark.case("A14")
def test_refuses_an_es256_token_under_the_kid_of_an_rs256_key(rsa_verifier, rsa_kid, aim):
    token = aim.signed(aim.header | {"kid": rsa_kid})

    with pytest.raises(InvalidToken):
        rsa_verifier.verify(token)


@pytest.mark.case("A9")
@pytest.mark.parametrize("alg", ["HS256", "RS256"])
def test_refuses_a_mac_keyed_with_an_rsa_public_key(rsa_verifier, rsa_kid, aim, alg):
    text = unsigned(aim, alg=alg, kid=rsa_kid)
    token = f"{text}.{encode(hmac.digest(rsa_pem(), text.encode(), 'sha256'))}"

    with pytest.raises(InvalidToken):
        rsa_verifier.verify(token)


@pytest.mark.case("A14")
def test_refuses_a_pss_signature_of_an_rs256_key(rsa_verifier, rsa_kid, aim):
    text = unsigned(aim, alg="RS256", kid=rsa_kid)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = rsa_key().sign(text.encode(), pss, hashes.SHA256())

    with pytest.raises(InvalidToken):
        rsa_verifier.verify(f"{text}.{encode(signature)}")


@pytest.mark.case("A26")
def test_refuses_a_known_token_when_its_key_is_retired(forge, aim):
    keys = Fixed(KeyStore(forge.keys_dir / "public").current())
    verifier = Verifier(keys, issuer=forge.issuer, audience="wallet")
    token = aim.token
    verifier.verify(token)

    keys.set = KeySet(
        {kid: key for kid, key in keys.set.keys.items() if kid != forge.access.kid}, keys.set.version + 1
    )

    with pytest.raises(InvalidToken, match="kid-unknown"):
        verifier.verify(token)


@pytest.mark.case("A26")
def test_refuses_what_another_key_signed_under_the_kid_of_the_next_one(forge, aim):
    following = public_jwk(new_key().private_key, holder="gateway")
    document = json.dumps({"keys": [public_jwk(forge.access.private_key, holder="gateway"), following]})
    verifier = Verifier(Fixed(parse_jwks(document.encode())), issuer=forge.issuer, audience="wallet")

    with pytest.raises(InvalidToken, match="signature"):
        verifier.verify(aim.signed(aim.header | {"kid": following["kid"]}))


@pytest.mark.case("L3")
@pytest.mark.parametrize("seconds", [5, -5])
def test_takes_the_token_of_a_clock_that_is_five_seconds_off(verifier, keys_dir, seconds):
    forge = Forge(keys_dir, issuer="http://localhost:8000", clock=lambda: time.time() + seconds)

    assert verifier.verify(forge.mint("wallet"))


@pytest.mark.case("L3")
@pytest.mark.parametrize(("seconds", "reason"), [(60, "not-yet-valid"), (-130, "expired")])
def test_refuses_and_counts_the_token_of_a_clock_that_is_far_off(verifier, keys_dir, seconds, reason):
    forge = Forge(keys_dir, issuer="http://localhost:8000", clock=lambda: time.time() + seconds)
    counted = REGISTRY.get_sample_value
    labels = {"result": "refused", "reason": reason}
    before = counted("mercato_token_verifications_total", labels) or 0

    with pytest.raises(InvalidToken, match=reason):
        verifier.verify(forge.mint("wallet"))

    assert counted("mercato_token_verifications_total", labels) == before + 1


@pytest.mark.case("B9")
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
