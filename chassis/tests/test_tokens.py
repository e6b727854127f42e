import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from chassis.keys import KeySet, KeyStore, parse_jwks, public_jwk, thumbprint
from chassis.testing.forge import Forge, new_key
from chassis.tokens import REFRESH, InvalidToken, Verifier, sign, sign_for_service

NOW = int(time.time())


class Fixed:
    """Keys that a test can change at will."""

    def __init__(self, keys: KeySet) -> None:
        self.set = keys

    def current(self) -> KeySet:
        return self.set


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def forge(keys_dir):
    return Forge(keys_dir, issuer="http://localhost:8000", clock=lambda: NOW)


@pytest.fixture
def keys(keys_dir):
    return Fixed(KeyStore(keys_dir / "public").current())


@pytest.fixture
def clock():
    return Clock(float(NOW))


@pytest.fixture
def verifier(keys, forge, clock):
    return Verifier(keys, issuer=forge.issuer, audience="wallet", clock=clock)


def reason(verifier, token):
    with pytest.raises(InvalidToken) as refusal:
        verifier.verify(token)
    return refusal.value.reason


def test_tells_who_a_user_is(verifier, forge):
    claims = forge.claims("wallet", scope="wallet:read wallet:write", roles=["staff", "finance"])

    principal = verifier.verify(forge.sign(claims))

    assert (principal.sub, principal.sid, principal.jti) == (claims["sub"], claims["sid"], claims["jti"])
    assert principal.scopes == {"wallet:read", "wallet:write"}
    assert principal.audience == ("wallet",)
    assert principal.is_staff
    assert not principal.is_service
    assert principal.has_scope("wallet:read")


def test_tells_who_acts_for_a_user(verifier, forge):
    token = forge.mint("wallet", act={"sub": "svc:gateway"})

    assert verifier.verify(token).actor == "svc:gateway"


def test_takes_a_service_by_its_own_key(verifier, forge):
    claims = forge.service_claims("wallet", "svc:catalog_variant", "listings:write")

    principal = verifier.verify(forge.sign(claims, key=forge.service_key("catalog_variant")))

    assert principal.is_service
    assert principal.sid == ""


def test_signs_for_a_service_what_another_one_takes(keys, forge):
    token = sign_for_service(
        forge.service_key("catalog_variant"),
        issuer=forge.issuer,
        service="catalog_variant",
        audience="wallet",
        scope="listings:write",
    )

    principal = Verifier(keys, issuer=forge.issuer, audience="wallet").verify(token)

    assert (principal.sub, principal.scopes) == ("svc:catalog_variant", {"listings:write"})
    assert principal.expires_at - principal.issued_at == 60


def test_takes_the_gateway_as_a_service_by_the_access_key(verifier, forge):
    token = forge.sign(forge.service_claims("wallet", "svc:gateway", "wallet:settle"))

    assert verifier.verify(token).scopes == {"wallet:settle"}


@pytest.mark.parametrize(
    ("subject", "scope"),
    [
        ("svc:gateway", "listings:write"),
        ("svc:catalog_product", "listings:write"),
        ("svc:catalog_variant", "wallet:settle"),
        ("svc:catalog_variant", "listings:write wallet:settle"),
    ],
)
def test_refuses_what_a_services_key_is_not_bound_to(verifier, forge, subject, scope):
    claims = forge.service_claims("wallet", subject, scope)

    assert reason(verifier, forge.sign(claims, key=forge.service_key("catalog_variant"))) == "key-binding"


def test_refuses_a_user_minted_by_a_service(verifier, forge):
    token = forge.sign(forge.claims("wallet"), key=forge.service_key("catalog_variant"))

    assert reason(verifier, token) == "key-binding"


@pytest.mark.case("B11")
@pytest.mark.parametrize(
    "claims",
    [{"roles": ["staff"]}, {"sid": "a"}, {"amr": ["otp"]}, {"auth_time": NOW}, {"roles": []}],
    ids=lambda claims: next(iter(claims)),
)
def test_refuses_a_service_that_says_what_only_a_user_is(verifier, forge, claims):
    own = forge.service_claims("wallet", "svc:catalog_variant", "listings:write") | claims

    assert reason(verifier, forge.sign(own, key=forge.service_key("catalog_variant"))) == "claim-type"


def test_refuses_another_service_under_the_access_key(verifier, forge):
    claims = forge.service_claims("wallet", "svc:catalog_variant", "listings:write")

    assert reason(verifier, forge.sign(claims)) == "key-binding"


def test_takes_rs256_from_an_rsa_key(keys, forge, clock):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    jwk |= {"kid": thumbprint(jwk), "alg": "RS256", "use": "sig", "holder": "gateway"}
    keys.set = parse_jwks(json.dumps({"keys": [jwk]}).encode())
    claims = forge.claims("wallet")
    token = jwt.encode(claims, private, "RS256", headers={"kid": jwk["kid"], "typ": "at+jwt"})

    verifier = Verifier(keys, issuer=forge.issuer, audience="wallet", clock=clock)

    assert verifier.verify(token).sub == claims["sub"]


def test_signs_a_header_of_exactly_three_members(forge):
    header = jwt.get_unverified_header(sign({"a": 1}, forge.access, "at+jwt"))

    assert header == {"alg": "ES256", "kid": forge.access.kid, "typ": "at+jwt"}


def test_keeps_kinds_of_tokens_apart(keys, forge, clock):
    public = public_jwk(forge.refresh.private_key, holder="gateway")
    refresh_keys = Fixed(parse_jwks(json.dumps({"keys": [public]}).encode()))
    refresher = Verifier(refresh_keys, issuer=forge.issuer, audience="gateway", kind=REFRESH, clock=clock)
    access = Verifier(keys, issuer=forge.issuer, audience="gateway", clock=clock)
    names = ("iss", "aud", "sub", "iat", "exp", "jti", "sid")
    claims = {name: forge.claims("gateway", exp=NOW + 86_400)[name] for name in names}
    token = sign(claims, forge.refresh, "rt+jwt")

    assert refresher.verify(token).sid == claims["sid"]
    assert reason(access, token) == "typ"
    assert reason(access, sign(claims, forge.refresh, "at+jwt")) == "kid-unknown"
    assert reason(refresher, forge.mint("gateway")) == "typ"


def test_answers_from_its_cache_until_the_token_is_dead(verifier, forge, clock, monkeypatch):
    token = forge.mint("wallet", exp=NOW + 60)
    first = verifier.verify(token)
    monkeypatch.setattr("chassis.tokens.jwt.decode", None)
    clock.now = NOW + 64.9

    assert verifier.verify(token) is first
    clock.now = NOW + 65.0
    monkeypatch.undo()
    assert reason(verifier, token) == "expired"


def test_asks_again_when_the_keys_have_changed(verifier, forge, keys):
    token = forge.mint("wallet")
    verifier.verify(token)
    keys.set = KeySet({}, version=2)

    assert reason(verifier, token) == "kid-unknown"


def test_says_before_it_computes_a_signature(verifier, forge):
    called = []
    token = forge.mint("wallet")
    unknown = verifier.known(token)

    for _ in range(2):
        verifier.verify(token, before_signature=lambda: called.append(1))

    assert (unknown, len(called)) == (None, 1)
    assert verifier.known(token) == verifier.verify(token)


def test_computes_no_signature_when_it_is_stopped(verifier, forge):
    def stop():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        verifier.verify(forge.mint("wallet"), before_signature=stop)


@pytest.mark.parametrize("token", ["a.b.c", "", "x" * 5000])
def test_says_nothing_of_what_is_no_token(verifier, token):
    called = []

    with pytest.raises(InvalidToken):
        verifier.verify(token, before_signature=lambda: called.append(1))
    assert called == []


def test_forgets_the_oldest_when_its_cache_is_full(keys, forge, clock):
    verifier = Verifier(keys, issuer=forge.issuer, audience="wallet", cache_size=2, clock=clock)
    tokens = [forge.mint("wallet") for _ in range(4)]

    seen = [verifier.verify(token) for token in tokens]

    assert list(verifier._cache) == tokens[2:]
    assert verifier.verify(tokens[3]) is seen[3]


def test_keeps_nothing_without_a_cache(keys, forge, clock):
    verifier = Verifier(keys, issuer=forge.issuer, audience="wallet", cache_size=0, clock=clock)
    token = forge.mint("wallet")

    assert verifier.verify(token) == verifier.verify(token)
    assert verifier._cache == {}


def test_goes_on_when_another_thread_changes_the_cache(keys, forge, clock):
    class Changing(dict):
        def __iter__(self):
            raise RuntimeError("dictionary changed size during iteration")

    verifier = Verifier(keys, issuer=forge.issuer, audience="wallet", cache_size=1, clock=clock)
    verifier._cache = Changing(other=None)

    assert verifier.verify(forge.mint("wallet")).audience == ("wallet",)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_reads_the_one_authorization_header(verifier, forge, scheme):
    token = forge.mint("wallet")

    assert verifier.authenticate([f"{scheme} {token}"]) == verifier.verify(token)


@pytest.mark.parametrize("values", [[], [""]])
def test_takes_no_header_and_an_empty_one_for_nobody(verifier, values):
    assert verifier.authenticate(values) is None


@pytest.mark.parametrize(
    "value",
    ["Bearer", "Bearer ", "Bearer  x", "Bearer\tx", "Basic eA==", 'Bearer "x"', " ", "Bearer a,Bearer b"],
)
def test_refuses_a_header_it_cannot_read(verifier, value):
    with pytest.raises(InvalidToken, match="authorization-malformed"):
        verifier.authenticate([value])


def test_refuses_two_headers_even_if_both_are_good(verifier, forge):
    good = f"Bearer {forge.mint('wallet')}"

    with pytest.raises(InvalidToken, match="authorization-twice"):
        verifier.authenticate([good, good])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"exp": NOW - 5}, "expired"),
        ({"iat": NOW + 6, "nbf": NOW, "exp": NOW + 60}, "not-yet-valid"),
        ({"nbf": NOW + 6}, "not-yet-valid"),
        ({"auth_time": NOW + 6}, "not-yet-valid"),
        ({"iat": NOW - 1000, "exp": NOW + 60}, "lifetime"),
        ({"iat": NOW, "exp": NOW}, "lifetime"),
        ({"exp": True}, "claim-type"),
        ({"exp": "1790000000"}, "claim-type"),
        ({"exp": 2**53}, "claim-type"),
        ({"exp": 10**17}, "claims-not-json"),
        ({"exp": NOW + 0.5}, "claims-not-json"),
        ({"iat": 0}, "claim-type"),
        ({"sub": "1 OR 1=1"}, "claim-type"),
        ({"sub": ""}, "claim-type"),
        ({"jti": ["x"]}, "claim-type"),
        ({"aud": ["wallet"] * 11}, "claim-type"),
        ({"scope": ["wallet:read"]}, "claim-type"),
        ({"scope": "wallet:read  wallet:write"}, "claim-type"),
        ({"scope": "a" * 1025}, "claim-type"),
        ({"roles": "admin"}, "claim-type"),
        ({"roles": ["x"] * 11}, "claim-type"),
        ({"act": "svc:gateway"}, "claim-type"),
        ({"token_type": "refresh"}, "claim-type"),
        ({"sid": None}, "claim-missing"),
        ({"client_id": None}, "claim-missing"),
        ({"iss": "http://localhost:8000/"}, "issuer"),
        ({"aud": "walle"}, "audience"),
        ({"other": {"a": [[[[[[[1]]]]]]]}}, "claims-not-flat"),
        ({"other": {"a": {"b": {}}}}, None),
    ],
)
def test_believes_a_claim_only_in_its_exact_form(verifier, forge, changes, expected):
    token = forge.mint("wallet", **changes)

    if expected is None:
        verifier.verify(token)
    else:
        assert reason(verifier, token) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ({"jku": "http://127.0.0.1/"}, "header-members"),
        ({"typ": None}, "header-members"),
        ({"typ": "JWT"}, "typ"),
        ({"typ": 1}, "typ"),
        ({"kid": "../../dev/null"}, "kid-malformed"),
        ({"kid": 7}, "kid-malformed"),
        ({"kid": "A" * 43}, "kid-unknown"),
        ({"alg": "none"}, "alg"),
        ({"alg": ["ES256"]}, "alg"),
        ({"kid": "x" * 600}, "header-too-long"),
    ],
)
def test_believes_a_header_only_in_its_exact_form(verifier, forge, header, expected):
    assert reason(verifier, forge.sign(forge.claims("wallet"), header=header)) == expected


def test_refuses_a_key_nobody_published_under_a_published_id(verifier, forge):
    header = {"kid": forge.access.kid}

    assert reason(verifier, forge.sign(forge.claims("wallet"), key=new_key(), header=header)) == "signature"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda token: token + "A", "signature-form"),
        (lambda token: token[:-1] + "B", "base64-not-canonical"),
        (lambda token: token + "=", "not-compact"),
        (lambda token: token.rsplit(".", 1)[0] + ".", "not-compact"),
        (lambda token: token + "A" * 4096, "too-long"),
        (lambda token: "A" + token[1:], "header-not-json"),
        (lambda token: "A." + token.split(".", 1)[1], "base64"),
        (lambda token: "\u0660" + token[1:], "not-compact"),
    ],
)
def test_believes_only_the_one_compact_form(verifier, forge, change, expected):
    assert reason(verifier, change(forge.mint("wallet"))) == expected


@pytest.mark.parametrize(
    "payload", [b"[]", b"1", b'"x"', b"null", b"{", b"\xff", b'{"a":1,"a":2}', b'{"a":NaN}']
)
def test_refuses_a_payload_that_is_no_object(verifier, forge, payload):
    assert reason(verifier, forge.sign(payload)).startswith("claims-not-")


def test_says_that_a_required_claim_is_missing(verifier, forge):
    assert reason(verifier, forge.mint("wallet", iss=None)) == "claim-missing"


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*"))
def test_raises_invalid_token_and_nothing_else_whatever_the_text(verifier, token):
    with pytest.raises(InvalidToken):
        verifier.verify(token)


claim_names = st.sampled_from(["exp", "iat", "nbf", "sub", "aud", "iss", "scope", "roles", "act", "jti"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["exp", "iat", "nbf", "sub", "aud", "iss", "scope", "roles", "act", "jti"]),
    value=json_values,
)
def test_survives_any_claim_under_a_good_signature(verifier, forge, name, value):
    claims = forge.claims("wallet") | {name: value}

    try:
        principal = verifier.verify(forge.sign(claims))
    except InvalidToken:
        return
    assert principal.expires_at <= NOW + 900
