"""Tries of codes that must be counted beside the session, and the same work where there is no code to try."""

from datetime import timedelta
from typing import Any, Final

from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from gateway.accounts.models import CodeTries

MOST_TRIES: Final = 3
"""As many as allauth lets a session have."""

_KEPT: Final = timedelta(minutes=30)  # A code is good for half of that.


def take_try(state: dict[str, Any]) -> bool:
    """Whether the code of a process of allauth, by its state, may be tried once more; counts that it was.

    Parallel requests read the same session, and a slow one puts back what it has read: neither gives more.
    """
    forget_expired()
    key = _key(f"{state['email']}:{state['at']}:{state.get('code', '')}")
    CodeTries.objects.get_or_create(key=key, defaults={"expires_at": timezone.now() + _KEPT})
    return bool(CodeTries.objects.filter(key=key, tries__lt=MOST_TRIES).update(tries=F("tries") + 1))


def make_in_vain(email: str) -> None:
    """The work of making a code, for an e-mail that has no account."""
    defaults = {"expires_at": timezone.now() + _KEPT, "tries": 0}
    CodeTries.objects.update_or_create(key=_key(email.lower()), defaults=defaults)


def try_in_vain(email: str) -> None:
    """The work of counting a try, for an e-mail to which no code was sent."""
    CodeTries.objects.filter(key=_key(email.lower())).update(tries=1)


def forget_expired() -> None:
    """Let go of what counts no more."""
    CodeTries.objects.filter(expires_at__lt=timezone.now()).delete()


def _key(name: str) -> str:
    return salted_hmac("gateway.accounts.tries", name, algorithm="sha256").hexdigest()
