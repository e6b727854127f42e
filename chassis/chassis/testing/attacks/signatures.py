"""Attacks on the signature and on what it covers: rows A15 to A17, and A19."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.testing.attacks.case import OTHER_SUBJECT, Aim, Answer, Attack, bearer
from chassis.testing.forge import decode, encode

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_NAMES: Final = ("header", "payload", "signature")


def _signature(make: Callable[[bytes], bytes], aim: Aim) -> str:
    text, _, signature = aim.token.rpartition(".")
    return f"{text}.{encode(make(decode(signature)))}"


def _numbers(r: int, s: int) -> Callable[[bytes], bytes]:
    return lambda raw: r.to_bytes(32) + s.to_bytes(32)


def _malleated(raw: bytes) -> bytes:
    return raw[:32] + (_ORDER - int.from_bytes(raw[32:])).to_bytes(32)


def _der(aim: Aim) -> str:
    text = aim.token.rpartition(".")[0]
    return f"{text}.{encode(aim.forge.access.private_key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))}"


def _signatures() -> Iterator[Attack]:
    zero = [
        ("r = s = 0", 0, 0),
        ("r = s = n", _ORDER, _ORDER),
        ("r = 0", 0, 1),
        ("s = 0", 1, 0),
        ("r = s = 1", 1, 1),
    ]
    for name, r, s in zero:
        yield bearer("A15", f"signature {name}", partial(_signature, _numbers(r, s)))
    yield bearer("A15", "r replaced by zero", partial(_signature, lambda raw: bytes(32) + raw[32:]))
    yield bearer("A15", "64 zero bytes", partial(_signature, lambda raw: bytes(64)))
    yield bearer("A15", "64 bytes of ones", partial(_signature, lambda raw: b"\xff" * 64))
    yield bearer("A16", "DER signature", _der)
    yield bearer("A16", "signature of 63 bytes", partial(_signature, lambda raw: raw[:63]))
    yield bearer("A16", "signature of 65 bytes", partial(_signature, lambda raw: raw + b"\0"))
    yield bearer("A16", "signature of 65 bytes, zero first", partial(_signature, lambda raw: b"\0" + raw))
    yield bearer("A16", "signature halves swapped", partial(_signature, lambda raw: raw[32:] + raw[:32]))
    yield bearer("A17", "malleated signature", partial(_signature, _malleated), Answer.ACCEPTED)


def _flipped(segment: int, place: float, aim: Aim) -> str:
    parts = aim.token.split(".")
    data = bytearray(decode(parts[segment]))
    data[int((len(data) - 1) * place)] ^= 1
    parts[segment] = encode(bytes(data))
    return ".".join(parts)


def _swapped(aim: Aim) -> str:
    header, _, signature = aim.token.split(".")
    return f"{header}.{encode(aim.claims | {'sub': OTHER_SUBJECT})}.{signature}"


def _tampered() -> Iterator[Attack]:
    for segment, name in enumerate(_NAMES):
        for where, place in (("first", 0.0), ("middle", 0.5), ("last", 1.0)):
            yield bearer(
                "A19", f"a bit flipped in the {where} byte of the {name}", partial(_flipped, segment, place)
            )
    yield bearer("A19", "payload of another valid token", _swapped)


SIGNATURE_ATTACKS: Final = (*_signatures(), *_tampered())
"""Rows A15 to A17, A19."""
