"""What we do when Django or allauth tell of something: every receiver of signals stands here."""

from typing import Any, Final
from uuid import UUID

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import authentication_step_completed, password_changed, password_reset
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from gateway.accounts import notices, sessions
from gateway.accounts.models import User
from gateway.accounts.roles import ONE_TIME_CODE, PASSKEY, PASSWORD
from gateway.limits import devices
from gateway.limits.visitors import network_of

_MEANS: Final = {
    Authenticator.Type.TOTP: ONE_TIME_CODE,
    Authenticator.Type.RECOVERY_CODES: ONE_TIME_CODE,
    Authenticator.Type.WEBAUTHN: PASSKEY,
}


@receiver(authentication_step_completed)
def remember_the_step(
    sender: object, request: HttpRequest, user: User, passwordless: bool = False, **more: Any
) -> None:
    """The second step may come minutes after the first, and the password may have changed in between."""
    sessions.note_step(request.session, user, is_whole=passwordless)


@receiver(user_logged_in)
def remember_the_log_in(sender: object, request: HttpRequest, user: User, **more: Any) -> None:
    network = network_of(request.META.get("REMOTE_ADDR", ""))
    sessions.begin(
        request.session,
        user,
        amr=_means_of(request, user),
        user_agent=request.META.get("HTTP_USER_AGENT", "")[:200],
        ip_prefix=network,
    )
    with transaction.atomic():
        if devices.remember_browser(user, request):
            notices.tell_of_device(user, kind="a browser", network=network)


@receiver(password_reset)
def know_this_browser(sender: object, request: HttpRequest, user: User, **more: Any) -> None:
    """Whoever reads the mail of an account needs no code from there to log in."""
    devices.remember_browser(user, request)


@receiver(user_logged_out)
def end_the_session(sender: object, request: HttpRequest, user: User | None, **more: Any) -> None:
    session = sessions.browser_session(request)
    if session is not None:
        sessions.end_one(session.user, UUID(session.sid))


@receiver(password_changed)
def keep_this_session(sender: object, request: HttpRequest, user: User, **more: Any) -> None:
    """Every session from before the change is void but the one in which it was made."""
    sessions.prove_again(request.session, user.credentials_changed_at)
    devices.remember_browser(user, request)


def _means_of(request: HttpRequest, user: User) -> set[str]:
    # allauth keeps a record of each step of a log-in. A sign-up ends in one without: its password was
    # chosen a moment ago.
    records = get_authentication_records(request, user)
    return {_MEANS.get(record.get("type", ""), PASSWORD) for record in records} or {PASSWORD}
