"""Attacks on the choice of algorithm and key: rows A1 to A14, A23 to A25, and A28."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from chassis.keys import JWKS_FILE, SigningKey, public_jwk
from chassis.testing.attacks.case import ABSENT, Aim, Answer, Attack, bearer, changed, with_header
from chassis.testing.forge import encode, new_key

_COMMON_SECRETS: Final = Path(__file__).with_name("common_secrets.txt").read_text().splitlines()


def _unsigned(header: dict[str, Any], signature: bool, aim: Aim) -> str:
    text = f"{encode(changed(aim.header, header))}.{encode(aim.claims)}"
    return aim.signed_text(text) if signature else f"{text}."


def _mac(secret: Callable[[Aim], bytes], alg: str, aim: Aim) -> str:
    text = f"{encode(aim.header | {'alg': alg})}.{encode(aim.claims)}"
    digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[alg]
    return f"{text}.{encode(hmac.digest(secret(aim), text.encode(), digest))}"


def _public(encoding: Encoding, aim: Aim) -> bytes:
    public_key = aim.forge.access.private_key.public_key()
    return public_key.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def _own_jwk(aim: Aim) -> bytes:
    return json.dumps(public_jwk(aim.forge.access.private_key)).encode()


def _jwks(aim: Aim) -> bytes:
    return (aim.forge.keys_dir / "public" / JWKS_FILE).read_bytes()


_PUBLIC_SECRETS: Final[tuple[tuple[str, str, Callable[[Aim], bytes]], ...]] = (
    ("A9", "public key as PEM", partial(_public, Encoding.PEM)),
    ("A10", "public key as PEM without newline", lambda aim: _public(Encoding.PEM, aim).rstrip()),
    ("A11", "public key as DER", partial(_public, Encoding.DER)),
    ("A12", "public key as JWK text", _own_jwk),
    ("A12", "bytes of jwks.json", _jwks),
    ("A12", "its kid", lambda aim: aim.forge.access.kid.encode()),
)


def _algorithms() -> Iterator[Attack]:
    spellings = [("A1", "none"), ("A2", "None"), ("A3", "nOnE"), ("A4", ""), ("A5", None), ("A6", ABSENT)]
    for id, alg in spellings:
        name = "missing" if alg is ABSENT else json.dumps(alg)
        yield bearer(id, f"alg {name}, no signature", partial(_unsigned, {"alg": alg}, False))
        yield bearer(id, f"alg {name}, true signature", partial(_unsigned, {"alg": alg}, True))
    yield bearer("A7", "alg a list", with_header(alg=["ES256"]))
    yield bearer("A7", "alg a dict", with_header(alg={"ES256": True}))
    yield bearer("A7", "alg a number", with_header(alg=256))
    yield bearer("A8", "alg with a trailing space", with_header(alg="ES256 "))
    yield bearer("A8", "alg in lower case", with_header(alg="es256"))
    for id, name, secret in _PUBLIC_SECRETS:
        for alg in ("HS256", "HS384", "HS512"):
            yield bearer(id, f"{alg} keyed with {name}", partial(_mac, secret, alg))


def _common_secrets() -> Iterator[Attack]:
    for word in ["", *_COMMON_SECRETS]:
        yield bearer("A13", f"HS256 keyed with {word!r}", partial(_mac, partial(_word, word), "HS256"))
    for index in range(4):
        yield bearer("A13", f"HS256 keyed with the target's secret {index}", partial(_own_secret, index))


def _word(word: str, aim: Aim) -> bytes:
    return word.encode()


def _own_secret(index: int, aim: Aim) -> str:
    secrets = aim.secrets or ("",)
    return _mac(lambda aim: secrets[index % len(secrets)].encode(), "HS256", aim)


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    """An RSA key that nobody published."""
    return rsa.generate_private_key(65537, 2048)


def _rsa(alg: str, aim: Aim) -> str:
    text = f"{encode(aim.header | {'alg': alg})}.{encode(aim.claims)}"
    pad = padding.PKCS1v15() if alg == "RS256" else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return f"{text}.{encode(rsa_key().sign(text.encode(), pad, hashes.SHA256()))}"


def _other_hash(alg: str, hash: hashes.HashAlgorithm, size: int, aim: Aim) -> str:
    text = f"{encode(aim.header | {'alg': alg})}.{encode(aim.claims)}"
    r, s = decode_dss_signature(aim.forge.access.private_key.sign(text.encode(), ec.ECDSA(hash)))
    return f"{text}.{encode(r.to_bytes(size) + s.to_bytes(size))}"


def _other_algorithms() -> Iterator[Attack]:
    yield bearer("A14", "RS256 with the kid of an ES256 key", partial(_rsa, "RS256"))
    yield bearer("A14", "PS256 with the kid of an ES256 key", partial(_rsa, "PS256"))
    yield bearer("A14", "ES384 with our key", partial(_other_hash, "ES384", hashes.SHA384(), 48))
    yield bearer("A14", "ES384 with our key, 64 bytes", partial(_other_hash, "ES384", hashes.SHA384(), 32))
    yield bearer("A14", "ES512 with our key", partial(_other_hash, "ES512", hashes.SHA512(), 66))
    yield bearer("A14", "ES256K with our key", partial(_other_hash, "ES256K", hashes.SHA256(), 32))
    yield bearer("A14", "ES256 over SHA-384", partial(_other_hash, "ES256", hashes.SHA384(), 32))


def _embedded_jwk(aim: Aim, *, own_kid: bool) -> str:
    key = new_key()
    kid = key.kid if own_kid else aim.forge.access.kid
    return aim.signed(aim.header | {"kid": kid, "jwk": public_jwk(key.private_key)}, key=key)


def _embedded_certificate(aim: Aim) -> str:
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mercato")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.private_key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key.private_key, hashes.SHA256())
    )
    der = certificate.public_bytes(Encoding.DER)
    return aim.signed(aim.header | {"x5c": [base64.b64encode(der).decode()]}, key=key)


def _remote(member: str, aim: Aim, *, signed_by_attacker: bool = False) -> str:
    key = new_key() if signed_by_attacker else None
    return aim.signed(aim.header | {member: f"{aim.listener}{member}"}, key=key)


def _foreign_keys() -> Iterator[Attack]:
    yield bearer("A23", "embedded jwk of the attacker, our kid", partial(_embedded_jwk, own_kid=False))
    yield bearer("A23", "embedded jwk of the attacker, its kid", partial(_embedded_jwk, own_kid=True))
    yield bearer("A23", "x5c of the attacker", _embedded_certificate)
    yield bearer("A23", "signed by a key nobody published, our kid", lambda aim: aim.signed(key=new_key()))
    for member in ("jku", "x5u"):
        yield bearer("A24", f"{member}, truly signed", partial(_remote, member))
        yield bearer(
            "A24", f"{member}, signed by the attacker", partial(_remote, member, signed_by_attacker=True)
        )


_KIDS: Final[tuple[tuple[str, Any], ...]] = (
    ("a path to nothing", "../../../../../../dev/null"),
    ("a path to the environment", "/proc/self/environ"),
    ("SQL", "' OR 1=1--"),
    ("SQL that yields a key", "' UNION SELECT 'secret'--"),
    ("a command", "|sleep 10"),
    ("a substituted command", "$(sleep 10)"),
    ("a URL", "http://127.0.0.1:9/jwks.json"),
    ("10 KB", "k" * 10_240),
    ("a number", 1),
    ("null", None),
    ("a list", ["a"]),
    ("a dict", {"a": "b"}),
    ("true", True),
    ("missing", ABSENT),
    ("empty", ""),
    ("43 characters of no key", "A" * 43),
    ("with NUL", "A" * 42 + "\0"),
)


def _look_alike(aim: Aim) -> str:
    # The first character as its full-width twin, which folds to the same under NFKC.
    kid = aim.forge.access.kid
    return aim.signed(aim.header | {"kid": chr(ord(kid[0]) + 0xFEE0) + kid[1:]})


def _psychic_path(aim: Aim) -> str:
    # Keyed with the empty content of the file that the kid points to.
    text = f"{encode(aim.header | {'alg': 'HS256', 'kid': '/dev/null'})}.{encode(aim.claims)}"
    return f"{text}.{encode(hmac.digest(b'', text.encode(), hashlib.sha256))}"


def _key_ids() -> Iterator[Attack]:
    for name, kid in _KIDS:
        yield bearer("A25", f"kid {name}", with_header(kid=kid))
    yield bearer("A25", "kid a look-alike in Unicode", _look_alike)
    yield bearer("A25", "kid with a trailing newline", lambda aim: _kid(aim, f"{aim.forge.access.kid}\n"))
    yield bearer("A25", "kid in lower case", lambda aim: _kid(aim, aim.forge.access.kid.swapcase()))
    yield bearer("A25", "kid a path, MAC keyed with nothing", _psychic_path)


def _kid(aim: Aim, kid: str) -> str:
    return aim.signed(aim.header | {"kid": kid})


def _unusable_keys() -> Iterator[Attack]:
    # One that is retired, or not published yet, is to a verifier a key that nobody published.
    yield bearer("A26", "signed by a key nobody published, its kid", lambda aim: _own(aim, new_key()))
    yield bearer("A26", "signed by the refresh key, its kid", lambda aim: _own(aim, aim.forge.refresh))
    yield bearer("A26", "kid of the refresh key", lambda aim: _kid(aim, aim.forge.refresh.kid))
    yield bearer(
        "A26", "kid of a service's key", lambda aim: _kid(aim, aim.forge.service_key("catalog_variant").kid)
    )


def _own(aim: Aim, key: SigningKey) -> str:
    return aim.signed(aim.header | {"kid": key.kid}, key=key)


def _types() -> Iterator[Attack]:
    wrong: list[tuple[str, Any]] = [
        ("JWT", "JWT"),
        ("missing", ABSENT),
        ("rt+jwt", "rt+jwt"),
        ("logout+jwt", "logout+jwt"),
        ("empty", ""),
        ("null", None),
        ("a list", ["at+jwt"]),
        ("with a trailing space", "at+jwt "),
        ("application twice", "application/application/at+jwt"),
        ("a look-alike in Unicode", "\u0430t+jwt"),
    ]
    for name, typ in wrong:
        yield bearer("A28", f"typ {name}", with_header(typ=typ))
    for typ in ("AT+JWT", "application/at+jwt", "Application/AT+JWT"):
        yield bearer("A28", f"typ {typ}", with_header(typ=typ), Answer.ACCEPTED)


KEY_ATTACKS: Final = (
    *_algorithms(),
    *_common_secrets(),
    *_other_algorithms(),
    *_foreign_keys(),
    *_key_ids(),
    *_unusable_keys(),
    *_types(),
)
"""Rows A1 to A14, A23 to A26, A28."""
