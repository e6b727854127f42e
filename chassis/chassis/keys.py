"""Keys: the public set that every verifier reads, and the private key that a holder signs with."""

import base64
import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
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
from chassis.files import stamp_of
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
# Moduli of one widely used chip are powers of 65537 by each of these (CVE-2017-15361), and can be factored.
_WEAK_CHIP_PRIMES: Final = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_STATE_FILE: Final = "state.json"
_IN_WAITING: Final = ("next", "retiring")

_Stamp = tuple[int, int, int]
_Reading = TypeVar("_Reading")

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


class _LastGood(Generic[_Reading]):
    """The last good reading of files, read again within a second of a change.

    A file that is half-written, hostile or gone changes nothing but a metric and a log line. Safe to share
    between threads.
    """

    def __init__(
        self,
        path: Path,
        stamp: Callable[[], _Stamp],
        read: Callable[[int], _Reading],
        clock: Callable[[], float],
    ) -> None:
        """path is for the log; stamp tells one state of the files from another; read gets the number of the
        reading.

        Raises: what read raises the first time, and OSError.
        """
        self._path = path
        self._stamp_of_now = stamp
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._version = 1
        self._stamp = stamp()
        self._value = read(1)
        self._checked_at = clock()
        self.confirmed_at = time.time()
        """When the reading was last found good, in Unix seconds."""

    def value(self) -> _Reading:
        """The reading. Looks at the files at most once a second, whatever the number of calls."""
        if self._clock() - self._checked_at >= RELOAD_SECONDS:
            self._refresh()
        return self._value

    def _refresh(self) -> None:
        if not self._lock.acquire(blocking=False):
            return  # Another thread is reading; the last good one serves meanwhile.
        try:
            self._checked_at = self._clock()
            stamp = self._stamp_of_now()
            if stamp != self._stamp:
                self._value = self._read(self._version + 1)
                self._version += 1
                self._stamp = stamp
                _logger.info("Loaded new keys.", extra={"keys": str(self._path)})
            self.confirmed_at = time.time()
        except (OSError, BadKeySet, ConfigurationError) as exc:
            _reload_failures.inc()
            _logger.error("Kept the last good keys.", extra={"reason": str(exc)})
        finally:
            self._lock.release()


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
        try:
            self._set = _LastGood(self._path, lambda: stamp_of(self._path), self._read, clock)
        except (OSError, BadKeySet) as exc:
            raise ConfigurationError(f"no usable keys in {self._path}: {exc}") from exc
        _stores.add(self)

    def current(self) -> KeySet:
        """The last good set. Looks at the file at most once a second, whatever the number of calls."""
        return self._set.value()

    @property
    def confirmed_at(self) -> float:
        """When the set was last found good, in Unix seconds."""
        return self._set.confirmed_at

    def _read(self, version: int) -> KeySet:
        return _read(self._path, version=version)


class SigningKeys:
    """The keys of one kind (`access`, `refresh` or `service`) in a holder's own folder.

    They are followed as a KeyStore is: whoever signs asks for the key each time, so a rotation needs no
    restart.
    """

    def __init__(self, folder: Path, kind: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read them for the first time.

        Raises: ConfigurationError when there is no key to sign with.
        """
        self._folder = folder
        self._kind = kind
        try:
            self._keys = _LastGood(folder, lambda: _stamp_of_folder(folder), self._read, clock)
        except OSError as exc:
            raise ConfigurationError(f"{folder} cannot be read: {exc.strerror}.") from exc

    @property
    def active(self) -> SigningKey:
        """The key to sign with now."""
        return self._keys.value().active

    def current(self) -> KeySet:
        """The public halves of those in use, the next and the retiring ones too: for tokens that nobody but
        their gateway reads.
        """
        return self._keys.value().all

    def _read(self, version: int) -> "_OwnKeys":
        states = _states(self._folder)
        paths = sorted(self._folder.glob(f"{self._kind}-*.pem"))
        active = _load(_choose_active(self._folder, self._kind, states), self._kind)
        others = [_load(path, self._kind) for path in paths if states.get(_kid_of(path)) in _IN_WAITING]
        members = [public_jwk(key.private_key, holder=GATEWAY) for key in (active, *others)]
        return _OwnKeys(active, _key_set(members, version))


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
    alg, RSA below 2048 bits or known to be weak, `use` other than sig, key_ops, and a key without a holder.
    Raises: BadKeySet.
    """
    try:
        members = parse_object(data).get("keys")
    except ValueError as exc:
        raise BadKeySet("not a JSON object") from exc
    if not isinstance(members, list) or not members:
        raise BadKeySet("no keys in the set")
    return _key_set(members, version)


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
    return _load(_choose_active(folder, kind, _states(folder)), kind)


@dataclass(frozen=True, slots=True)
class _OwnKeys:
    active: SigningKey
    all: KeySet


def _choose_active(folder: Path, kind: str, states: Mapping[str, str]) -> Path:
    paths = sorted(folder.glob(f"{kind}-*.pem"))
    active = [path for path in paths if states.get(_kid_of(path)) == "active"]
    chosen = active or [path for path in paths if _kid_of(path) not in states]
    if len(chosen) != 1:
        raise ConfigurationError(f"{folder} must hold exactly one active {kind} key, found {len(chosen)}.")
    return chosen[0]


def _load(path: Path, kind: str) -> SigningKey:
    try:
        private_key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ConfigurationError(f"{path} cannot be read as a private key.") from exc
    if not isinstance(private_key, EllipticCurvePrivateKey) or not isinstance(private_key.curve, SECP256R1):
        raise ConfigurationError(f"{path} is not a P-256 key.")
    kid = thumbprint(public_jwk(private_key))
    if path.stem != f"{kind}-{kid}":
        raise ConfigurationError(f"{path} is not named after its own thumbprint.")
    return SigningKey(kid, "ES256", private_key)


def _read(path: Path, *, version: int) -> KeySet:
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise BadKeySet("the file is too large")
    return parse_jwks(data, version=version)


def _key_set(members: Iterable[Any], version: int) -> KeySet:
    keys: dict[str, VerifyKey] = {}
    for member in members:
        key = _parse_member(member)
        if key.kid in keys:
            raise BadKeySet("a kid stands twice in the set")
        keys[key.kid] = key
    return KeySet(MappingProxyType(keys), version)


def _stamp_of_folder(folder: Path) -> _Stamp:
    # Every change of the keys ends with a new state; without one the only key counts, which may be another.
    try:
        return stamp_of(folder / _STATE_FILE)
    except FileNotFoundError:
        return stamp_of(folder)


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
    if isinstance(jwk.key, RSAPublicKey):
        _check_rsa(jwk.key)
    if member["alg"] == "ES256" and member.get("crv") != "P-256":
        raise BadKeySet("an ES256 key is not on P-256")
    return jwk


def _check_rsa(key: RSAPublicKey) -> None:
    modulus = key.public_numbers().n
    if key.key_size < _MIN_RSA_BITS:
        raise BadKeySet("an RSA key is too short")
    if all(modulus % prime in {pow(65537, k, prime) for k in range(prime)} for prime in _WEAK_CHIP_PRIMES):
        raise BadKeySet("an RSA key can be factored")


def _kid_of(path: Path) -> str:
    return path.stem.partition("-")[2]


def _states(folder: Path) -> dict[str, str]:
    path = folder / _STATE_FILE
    if not path.exists():
        return {}
    try:
        return {kid: entry["state"] for kid, entry in json.loads(path.read_bytes()).items()}
    except (OSError, ValueError, AttributeError, TypeError, KeyError, RecursionError) as exc:
        raise ConfigurationError(f"{path} is malformed.") from exc


def _coordinate(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes(32)).rstrip(b"=").decode()
