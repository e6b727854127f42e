"""Passkeys: keys that a device keeps and uses for this site alone (WebAuthn Level 2).

Every one is discoverable and asks for a finger, a face or a PIN, so it stands for a log-in of its own.
"""

import base64
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from chassis.ids import uuid7
from gateway.accounts import notices
from gateway.accounts.models import User

MOST: Final = 20
"""How many a user can have."""

_CHALLENGE: Final = "passkey_challenge"
_SECONDS: Final = 300  # That a challenge is good for.
_VERIFIED: Final = UserVerificationRequirement.REQUIRED
# What the parsers of fido2 raise for bytes that are not what they should be, or that are nested without end.
_MALFORMED: Final = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error),
    RecursionError,
)


class NotProved(Exception):
    """What a browser sent proves nothing."""


class TooManyPasskeys(Exception):
    """The user has as many as there can be."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner knows it."""

    id: str
    name: str
    added_at: datetime
    used_at: datetime | None


def are_possible() -> bool:
    """Whether browsers can have passkeys for this site: not where it has an address instead of a name."""
    try:
        ip_address(_host().strip("[]"))
    except ValueError:
        return True
    return False


def passkey(device: Authenticator) -> Passkey:
    """What there is to say about a row."""
    return Passkey(device.data["id"], device.data["name"], device.created_at, device.last_used_at)


def begin_adding(store: SessionBase, user: User) -> dict[str, Any]:
    """What a browser needs to make a passkey (PublicKeyCredentialCreationOptions)."""
    who = PublicKeyCredentialUserEntity(name=user.email, id=user.public_id.bytes, display_name=user.email)
    options, state = _server().register_begin(
        who,
        _credentials(rows_of(user)),
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=_VERIFIED,
    )
    _remember(store, state)
    return dict(options)


@transaction.atomic
def add(store: SessionBase, user: User, *, name: str, credential: Any) -> list[str]:
    """Keep the passkey that a browser made, and see to it that there are recovery codes: those that are new.

    The user is told by mail.
    Raises: NotProved, TooManyPasskeys.
    """
    state = _recall(store)
    try:
        made = _server().register_complete(state, credential)
    except _MALFORMED as exc:
        raise NotProved from exc
    User.objects.select_for_update().get(pk=user.pk)
    if rows_of(user).count() >= MOST:
        raise TooManyPasskeys
    if made.credential_data is None:
        raise NotProved
    data = {"id": str(uuid7()), "name": name, "counter": made.counter}
    data["credential"] = base64.b64encode(made.credential_data).decode()
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)
    notices.tell_of_change(user, notices.PASSKEY_ADDED)
    has_codes = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).exists()
    codes: list[str] = [] if has_codes else RecoveryCodes.activate(user).get_unused_codes()
    return codes


def begin_using(store: SessionBase, user: User | None) -> dict[str, Any]:
    """What a browser needs to use a passkey of this user, or of whoever has one."""
    known = _credentials(rows_of(user)) if user else None
    options, state = _server().authenticate_begin(known, user_verification=_VERIFIED)
    _remember(store, state)
    return dict(options)


def use(store: SessionBase, user: User | None, credential: Any) -> Authenticator:
    """The passkey that a browser has just used: one of this user's, or of whoever it names.

    Raises: NotProved.
    """
    state = _recall(store)
    try:
        answer = AuthenticationResponse.from_dict(credential)
        owner = user or User.objects.get(public_id=UUID(bytes=answer.response.user_handle))
        return _used(owner, state, answer)
    except (*_MALFORMED, User.DoesNotExist) as exc:
        raise NotProved from exc


def rename(user: User, passkey_id: UUID, name: str) -> None:
    """Call a passkey something else. Raises: Authenticator.DoesNotExist."""
    device = rows_of(user).get(data__id=str(passkey_id))
    device.data["name"] = name
    device.save(update_fields=["data"])


def rows_of(user: User) -> QuerySet[Authenticator]:
    """The passkeys of a user, the oldest first."""
    rows: QuerySet[Authenticator] = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    return rows.order_by("id")


@transaction.atomic
def _used(owner: User, state: Any, answer: AuthenticationResponse) -> Authenticator:
    devices = {_credential(device).credential_id: device for device in rows_of(owner).select_for_update()}
    found = _server().authenticate_complete(state, _credentials(devices.values()), answer)
    device = devices[found.credential_id]
    _count(device, answer.response.authenticator_data)
    device.last_used_at = timezone.now()
    device.save(update_fields=["data", "last_used_at"])
    return device


def _count(device: Authenticator, said: AuthenticatorData) -> None:
    # Devices that count show by it that nobody has a copy of the key (WebAuthn section 6.1.1).
    if (said.counter or device.data["counter"]) and said.counter <= device.data["counter"]:
        raise NotProved
    device.data["counter"] = said.counter


def _credentials(devices: Any) -> Sequence[AttestedCredentialData]:
    return [_credential(device) for device in devices]


def _credential(device: Authenticator) -> AttestedCredentialData:
    return AttestedCredentialData(base64.b64decode(device.data["credential"]))


def _remember(store: SessionBase, state: Any) -> None:
    store[_CHALLENGE] = {"state": dict(state), "at": time.time()}


def _recall(store: SessionBase) -> Any:
    # Good once, whatever comes of it.
    known = store.pop(_CHALLENGE, None)
    if known is None or time.time() - known["at"] > _SECONDS:
        raise NotProved
    return known["state"]


def _host() -> str:
    return str(urlsplit(settings.ORIGIN).hostname)


@cache
def _server() -> Fido2Server:
    # One origin and no other: fido2's own check lets every subdomain in.
    return Fido2Server(
        PublicKeyCredentialRpEntity(name="Mercato", id=_host()),
        verify_origin=lambda origin: origin == settings.ORIGIN,
    )
