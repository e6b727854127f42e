"""Keys: the public set that every verifier reads, and the private key that a holder signs with."""

import base64
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from chassis.env import ConfigurationError
from chassis.metrics import look_up
from chassis.strict_json import parse_object

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

JWKS_FILE: Final = "jwks.json"
GATEWAY: Final = "gateway"
ALGORITHMS: Final = frozenset({"ES256", "RS256"})
MAX_FILE_BYTES: Final = 64 * 1024
RELOAD_SECONDS: Final = 1.0

_THUMBPRINT_MEMBERS: Final = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_FAMILY: Final = {"ES256": "EC", "RS256": "RSA"}
_MIN_RSA_BITS: Final = 2048

_logger = logging.getLogger(__name__)
_reload_failures = Counter(
    "mercato_keys_reload_failures", "Key sets that were refused while the last good one went on."
)


class BadKeySet(Exception):
    """A key set that must not be used; the text says why."""


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A published key: what it may verify is bound to it, never taken from a token.

    holder is `gateway` for access keys, else the folder name of the service that holds the private half;
    scopes is what a service's key may grant, and empty for the gateway's, which may grant any.
    """

    kid: str
    alg: str
    jwk: jwt.PyJWK
    holder: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one reading of the file; version counts the readings of a store."""

    keys: Mapping[str, VerifyKey]
    version: int = 0


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the key id and algorithm that go into the header of what it signs."""

    kid: str
    alg: str
    private_key: EllipticCurvePrivateKey


class KeyStore:
    """The public keys in a directory, read again within a second of a change.

    A reader keeps the last good set: a file that is half-written, hostile or gone changes nothing but
    a metric and a log line. Safe to share between threads.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the set for the first time.

        Raises: ConfigurationError when there is no usable set to start with.
        """
        self._path = directory / JWKS_FILE
        self._clock = clock
        self._lock = Lock()
        try:
            self._stamp = _stamp(self._path)
            self._set = _read(self._path, version=1)
        except (OSError, BadKeySet) as exc:
            raise ConfigurationError(f"no usable keys in {self._path}: {exc}") from exc
        self._checked_at = clock()
        self.confirmed_at = time.time()
        """When the set was last found good, in Unix seconds."""
        _stores.add(self)

    def current(self) -> KeySet:
        """The last good set. Looks at the file at most once a second, whatever the number of calls."""
        if self._clock() - self._checked_at >= RELOAD_SECONDS:
            self._refresh()
        return self._set

    def _refresh(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # Another thread is reading; the last good set serves meanwhile.
        try:
            self._checked_at = self._clock()
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._set = _read(self._path, version=self._set.version + 1)
                self._stamp = stamp
                _logger.info("Loaded a new key set.", extra={"kids": sorted(self._set.keys)})
            self.confirmed_at = time.time()
        except (OSError, BadKeySet) as exc:
            _reload_failures.inc()
            _logger.error("Kept the last good key set.", extra={"reason": str(exc)})
        finally:
            self._lock.release()


class _Sets(Collector):
    """What the stores of this process hold; the worst of them counts."""

    def collect(self) -> "Iterator[Metric]":
        stores = list(_stores)
        sizes = [len(store.current().keys) for store in stores]
        yield GaugeMetricFamily("mercato_keys", "Public keys in the set.", value=min(sizes, default=0))
        yield GaugeMetricFamily(
            "mercato_keys_confirmed_timestamp_seconds",
            "When the key set was last found good.",
            value=min((store.confirmed_at for store in stores), default=0),
        )


_stores: WeakSet[KeyStore] = WeakSet()
look_up(_Sets())


def parse_jwks(data: bytes, *, version: int = 0) -> KeySet:
    """The keys of a JWK Set (RFC 7517), all or none.

    Refuses private or symmetric members, a kid twice or not the key's own thumbprint, a missing or unknown
    alg, RSA below 2048 bits, `use` other than sig, key_ops, and a key without a holder.
    Raises: BadKeySet.
    """
    try:
        members = parse_object(data).get("keys")
    except ValueError as exc:
        raise BadKeySet("not a JSON object") from exc
    if not isinstance(members, list) or not members:
        raise BadKeySet("no keys in the set")
    keys: dict[str, VerifyKey] = {}
    for member in members:
        key = _parse_member(member)
        if key.kid in keys:
            raise BadKeySet("a kid stands twice in the set")
        keys[key.kid] = key
    return KeySet(MappingProxyType(keys), version)


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """The SHA-256 thumbprint of a public key (RFC 7638), 43 characters: our key ids.

    Raises: BadKeySet when a required member is missing.
    """
    try:
        required = {name: jwk[name] for name in _THUMBPRINT_MEMBERS[jwk["kty"]]}
    except (KeyError, TypeError) as exc:
        raise BadKeySet("not an EC or RSA key") from exc
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()


def public_jwk(key: EllipticCurvePrivateKey, **members: str) -> dict[str, str]:
    """The public half of a P-256 key as a JWK for ES256 with its kid, and the members given."""
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    return jwk | {"kid": thumbprint(jwk), "use": "sig", "alg": "ES256"} | members


def load_signing_key(folder: Path, kind: str) -> SigningKey:
    """The key of this kind (`access`, `refresh` or `service`) that a holder signs with now.

    It is the one that `state.json` of the folder calls active, else the only one that the file does not know.
    Raises: ConfigurationError when there is none, more than one to choose from, or one that cannot be used.
    """
    paths = sorted(folder.glob(f"{kind}-*.pem"))
    states = _states(folder)
    active = [path for path in paths if states.get(_kid_of(path)) == "active"]
    chosen = active or [path for path in paths if _kid_of(path) not in states]
    if len(chosen) != 1:
        raise ConfigurationError(f"{folder} must hold exactly one active {kind} key, found {len(chosen)}.")
    try:
        private_key = load_pem_private_key(chosen[0].read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ConfigurationError(f"{chosen[0]} cannot be read as a private key.") from exc
    if not isinstance(private_key, EllipticCurvePrivateKey) or not isinstance(private_key.curve, SECP256R1):
        raise ConfigurationError(f"{chosen[0]} is not a P-256 key.")
    kid = thumbprint(public_jwk(private_key))
    if chosen[0].stem != f"{kind}-{kid}":
        raise ConfigurationError(f"{chosen[0]} is not named after its own thumbprint.")
    return SigningKey(kid, "ES256", private_key)


def _read(path: Path, *, version: int) -> KeySet:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise BadKeySet("the file is too large")
    return parse_jwks(data, version=version)


def _stamp(path: Path) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_mtime_ns, status.st_ino, status.st_size


def _parse_member(member: Any) -> VerifyKey:
    if not isinstance(member, dict):
        raise BadKeySet("a key is not an object")
    if _PRIVATE_MEMBERS & member.keys():
        raise BadKeySet("a key carries private members")
    alg, holder, scope = member.get("alg"), member.get("holder"), member.get("scope", "")
    if not isinstance(alg, str) or alg not in ALGORITHMS or member.get("kty") != _FAMILY[alg]:
        raise BadKeySet("a key has no algorithm of ours")
    if member.get("use") != "sig" or "key_ops" in member:
        raise BadKeySet("a key is not for signatures alone")
    if not isinstance(holder, str) or not holder or not isinstance(scope, str):
        raise BadKeySet("a key has no holder")
    if (holder == GATEWAY) == bool(scope):
        raise BadKeySet("a service's key needs a scope, the gateway's must have none")
    if member.get("kid") != thumbprint(member):
        raise BadKeySet("a kid is not its key's thumbprint")
    return VerifyKey(member["kid"], alg, _load_jwk(member), holder, frozenset(scope.split()))


def _load_jwk(member: dict[str, Any]) -> jwt.PyJWK:
    try:
        jwk = jwt.PyJWK(member)
    except (jwt.PyJWTError, ValueError, TypeError) as exc:
        raise BadKeySet("a key is malformed") from exc
    if isinstance(jwk.key, RSAPublicKey) and jwk.key.key_size < _MIN_RSA_BITS:
        raise BadKeySet("an RSA key is too short")
    if member["alg"] == "ES256" and member.get("crv") != "P-256":
        raise BadKeySet("an ES256 key is not on P-256")
    return jwk


def _kid_of(path: Path) -> str:
    return path.stem.partition("-")[2]


def _states(folder: Path) -> dict[str, str]:
    path = folder / "state.json"
    if not path.exists():
        return {}
    try:
        return {kid: entry["state"] for kid, entry in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as exc:
        raise ConfigurationError(f"{path} is malformed.") from exc


def _coordinate(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(32)).rstrip(b"=").decode()
