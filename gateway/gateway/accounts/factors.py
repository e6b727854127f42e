"""Second factors: what somebody has, beside the password that they know (RFC 6238, NIST SP 800-63B)."""

import base64
import binascii
import hmac
import logging
import re
import time
from functools import cache
from typing import Final

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.encoding import force_bytes

from chassis.problems import CHALLENGE, DomainError
from gateway.accounts.models import User
from gateway.accounts.roles import ONE_TIME_CODE, PASSWORD
from gateway.limits.operations import give_back, take
from gateway.limits.quotas import OTP

_logger = logging.getLogger(__name__)

PERIOD: Final = 30
"""Seconds that a code of an authenticator app stands for."""

_TOLERANCE: Final = 1  # Steps before and after the present one, for clocks that differ.
_LEAST_BYTES: Final = 16
_STEP: Final = "last_step"
_TOTP_CODE: Final = re.compile(r"[0-9]{6}", re.ASCII)
_RECOVERY_CODE: Final = re.compile(r"[0-9]{8}", re.ASCII)
_FACTORS: Final = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class OtpRequired(DomainError):
    """The password is right, and the account has a second factor, of which no code was sent."""

    code = "otp-required"
    status = 401
    title = "A code of the second factor is needed"
    headers = {"WWW-Authenticate": CHALLENGE}


class WrongOtp(DomainError):
    """The code is wrong, too old, or was used before: all read the same."""

    code = "wrong-otp"
    status = 401
    title = "The code is wrong or was used before"
    headers = {"WWW-Authenticate": CHALLENGE}


class SecondFactorRequired(DomainError):
    """The groups would let this user in, who logged in without a second factor."""

    code = "second-factor-required"
    status = 403


class BadSecret(ValueError):
    """This is no secret that codes can be made from."""


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth's, but no secret stands in the database as it is."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return "Mercato"


def has_second_factor(user: User) -> bool:
    """Whether the user must show more than a password: an authenticator app or a passkey."""
    return bool(Authenticator.objects.filter(user=user, type__in=_FACTORS).exists())


def prove(*, user: User, otp: str, device: str = "") -> tuple[str, ...]:
    """How (amr, RFC 8176) a user has logged in whose password was right, with this code or none ("").

    Where there is no second factor a code is not looked at. device is what the user knows the visitor by,
    whose tries are counted apart from those of strangers.
    Raises: OtpRequired, WrongOtp, gateway.limits.operations.TooManyRequests.
    """
    if not has_second_factor(user):
        return (PASSWORD,)
    if not otp:
        raise OtpRequired
    taken = take(OTP, str(user), device)
    if not use_otp(user, otp):
        raise WrongOtp
    give_back(taken)
    return (PASSWORD, ONE_TIME_CODE)


def use_otp(user: User, code: str) -> bool:
    """Whether this is a code of the user's, which then is good no more: see spend_otp."""
    return spend_otp(user, code) is not None


def spend_otp(user: User, code: str, *, now: float | None = None) -> Authenticator | None:
    """What a code came from: the authenticator app, or the recovery codes; None where it is not good.

    Each is good once, whatever process it is shown to: codes of an app only in the order of their time, and
    none but that of the present 30 seconds, the last and the next (RFC 6238 section 5.2).
    now is in Unix seconds.
    """
    code = "".join(code.split()).replace("-", "")
    try:
        if _TOTP_CODE.fullmatch(code):
            return _spend_totp(user, code, time.time() if now is None else now)
        return _spend_recovery_code(user, code) if _RECOVERY_CODE.fullmatch(code) else None
    except InvalidToken:
        # Kept under a SECRET_KEY that is gone. No code can be right; the runbook says what helps.
        _logger.error("A second factor cannot be decrypted.", extra={"sub": str(user)})
        return None


@transaction.atomic
def set_totp(user: User, secret: str, *, code: str = "", now: float | None = None) -> bool:
    """Let this secret (base32, 128 bits or more) be the one of the user's authenticator app, and see to it
    that there are recovery codes. Returns whether anything changed; the same again changes nothing.

    code is the one by which the app was just confirmed; it is good no more. Recovery codes of another app
    are replaced. now is in Unix seconds.
    Raises: BadSecret.
    """
    secret = _checked(secret)
    User.objects.select_for_update().get(pk=user.pk)
    device = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if device is not None and _has_secret(device, secret):
        return False
    steps = _steps(time.time() if now is None else now)
    used = max((step for step in steps if _code_at(secret, step) == code), default=0)
    data = {"secret": MFAAdapter().encrypt(secret), _STEP: used}
    if device is not None:
        Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    Authenticator.objects.update_or_create(
        user=user, type=Authenticator.Type.TOTP, defaults={"data": data, "last_used_at": None}
    )
    RecoveryCodes.activate(user)
    return True


@transaction.atomic
def _spend_totp(user: User, code: str, now: float) -> Authenticator | None:
    # Locked, for a copy that another process reads could be spent a second time.
    device = Authenticator.objects.select_for_update().filter(user=user, type=Authenticator.Type.TOTP).first()
    if device is None:
        return None
    secret, last = _secret_of(device), device.data.get(_STEP, 0)
    matching = [step for step in _steps(now) if hmac.compare_digest(_code_at(secret, step), code)]
    fresh = [step for step in matching if step > last]
    if not fresh:
        return None
    device.data[_STEP] = fresh[0]
    device.last_used_at = timezone.now()
    device.save(update_fields=["data", "last_used_at"])
    return device


@transaction.atomic
def _spend_recovery_code(user: User, code: str) -> Authenticator | None:
    device = (
        Authenticator.objects.select_for_update()
        .filter(user=user, type=Authenticator.Type.RECOVERY_CODES)
        .first()
    )
    return device if device is not None and RecoveryCodes(device).validate_code(code) else None


def _steps(now: float) -> range:
    step = int(now) // PERIOD
    return range(step - _TOLERANCE, step + _TOLERANCE + 1)


def _code_at(secret: str, step: int) -> str:
    return str(format_hotp_value(hotp_value(secret, step)))


def _secret_of(device: Authenticator) -> str:
    return MFAAdapter().decrypt(device.data["secret"])


def _has_secret(device: Authenticator, secret: str) -> bool:
    try:
        return hmac.compare_digest(_secret_of(device), secret)
    except InvalidToken:
        return False  # Kept under a SECRET_KEY that is gone: nobody can use it any more.


def _checked(secret: str) -> str:
    secret = secret.upper().rstrip("=")
    secret += "=" * (-len(secret) % 8)
    try:
        size = len(base64.b32decode(secret))
    except (binascii.Error, ValueError) as exc:
        raise BadSecret("A TOTP secret is written in base32.") from exc
    if size < _LEAST_BYTES:
        raise BadSecret("A TOTP secret has at least 128 bits.")
    return secret


@cache
def _cipher() -> MultiFernet:
    # Other secrets of the process are made from the same key, so this one has a name of its own.
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key_from(secret)) for secret in secrets])


def _key_from(secret: str | bytes) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"gateway.accounts.factors")
    return base64.urlsafe_b64encode(derive.derive(force_bytes(secret)))
