"""Where sessions of browsers are kept: in PostgreSQL, so that a copy of the database opens none of them."""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, SessionBase, UpdateError
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac

from gateway.accounts.models import StoredSession

SID: Final = "sid"
BEGAN_AT: Final = "began_at"
AUTHENTICATED_AT: Final = "authenticated_at"
SEEN_AT: Final = "seen_at"
USER_AGENT: Final = "user_agent"
IP_PREFIX: Final = "ip_prefix"
_TIMES: Final = (BEGAN_AT, AUTHENTICATED_AT, SEEN_AT)
_KEY_LENGTH: Final = 32
_NONCE_BYTES: Final = 12


class SessionStore(SessionBase):
    """A session by its key, which is the value of the cookie and stands in no database.

    A row is found by the SHA-256 of the key, and what it holds is encrypted under the key: a half-done
    sign-up has a mailed code in its session, a new authenticator app its secret.
    """

    @classmethod
    def clear_expired(cls) -> None:
        """Delete the sessions that nobody came back for."""
        StoredSession.objects.filter(expires_at__lt=timezone.now()).delete()

    def load(self) -> dict[str, Any]:
        key = str(self.session_key)
        row = StoredSession.objects.filter(pk=hash_of(key), expires_at__gt=Now()).first()
        if row is None:
            self._session_key = None  # What a browser made up is never the key of a session.
            return {}
        return _decrypted(key, bytes(row.data))

    def exists(self, session_key: str) -> bool:
        return StoredSession.objects.filter(pk=hash_of(session_key)).exists()

    def create(self) -> None:
        said = dict(self.items())  # Read first: under the new key there is nothing yet.
        self._session_key = get_random_string(_KEY_LENGTH, VALID_KEY_CHARS)
        self._session_cache = said
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Keep the session. Raises: UpdateError when it was ended meanwhile."""
        if self.session_key is None:
            return self.create()
        said = dict(self.items())
        fields = _columns(said) | {
            "data": _encrypted(self.session_key, said),
            "expires_at": self.get_expiry_date(),
        }
        pk = hash_of(self.session_key)
        if must_create:
            StoredSession.objects.create(pk=pk, **fields)
        elif not StoredSession.objects.filter(pk=pk).update(**fields):
            raise UpdateError
        return None

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            StoredSession.objects.filter(pk=hash_of(key)).delete()


def hash_of(session_key: str) -> str:
    """The name of a session in the database. Keys are random and long, so this needs no salt."""
    return sha256(session_key.encode()).hexdigest()


def _columns(said: Mapping[str, Any]) -> dict[str, Any]:
    # What lists and the ends of sessions go by; the session itself says the same.
    times = {name: datetime.fromisoformat(said[name]) if name in said else None for name in _TIMES}
    return times | {
        "user_id": said.get(SESSION_KEY),
        "sid": said.get(SID),
        "user_agent": said.get(USER_AGENT, ""),
        "ip_prefix": said.get(IP_PREFIX, ""),
    }


def _encrypted(session_key: str, said: Mapping[str, Any]) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _cipher(session_key).encrypt(nonce, json.dumps(said).encode(), None)


def _decrypted(session_key: str, data: bytes) -> dict[str, Any]:
    nonce, sealed = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
    try:
        said: dict[str, Any] = json.loads(_cipher(session_key).decrypt(nonce, sealed, None))
    except InvalidTag:
        return {}  # Written under another SECRET_KEY: nobody is logged in with it any more.
    return said


def _cipher(session_key: str) -> AESGCM:
    # With the secret of the process in it, so that who can write to the database cannot make a session up.
    return AESGCM(salted_hmac("gateway.accounts.session_store", session_key, algorithm="sha256").digest())
