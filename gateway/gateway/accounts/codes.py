"""Codes that are mailed to API clients: who can read them has the mailbox."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from chassis.problems import DomainError
from gateway.accounts.models import EmailCode, User
from gateway.accounts.tries import try_in_vain

LIFETIME: Final = timedelta(minutes=15)
MOST_TRIES: Final = 5
_DIGITS: Final = 6


class WrongCode(DomainError):
    """The code is wrong, expired, used, tried too often, or nobody was ever sent one: all read the same."""

    code = "wrong-code"
    status = 400
    title = "The code is wrong or no longer good"


@transaction.atomic
def new_code(*, user: User, purpose: EmailCode.Purpose, now: datetime | None = None) -> str:
    """A code of six digits for a purpose, good once within 15 minutes; the one before is good no more."""
    code = "".join(secrets.choice("0123456789") for _ in range(_DIGITS))
    EmailCode.objects.update_or_create(
        user=user,
        purpose=purpose,
        defaults={
            "code_mac": _mac(user, purpose, code),
            "expires_at": (now or timezone.now()) + LIFETIME,
            "tries": 0,
        },
    )
    return code


def use_code(
    *,
    email: str,
    purpose: EmailCode.Purpose,
    code: str,
    then: Callable[[User], None],
    now: datetime | None = None,
) -> None:
    """Do something for whoever was sent this code. A wrong one counts as a try, and five are all there are.

    Raises: WrongCode.
    """
    # The refusal comes back as a value: an exception inside the transaction would undo the count.
    if not _use(email, purpose, code, then, now or timezone.now()):
        raise WrongCode


@transaction.atomic
def _use(
    email: str, purpose: EmailCode.Purpose, code: str, then: Callable[[User], None], now: datetime
) -> bool:
    user = User.objects.with_email(email).filter(is_active=True).first()
    sent = EmailCode.objects.select_for_update().filter(user=user, purpose=purpose).first()
    if user is None or sent is None:
        try_in_vain(email)
        return False
    is_live = sent.expires_at > now and sent.tries < MOST_TRIES
    if not secrets.compare_digest(sent.code_mac, _mac(user, purpose, code)) or not is_live:
        # Written even when it counts no more, for that takes time which tells of the account.
        sent.tries = min(sent.tries + 1, MOST_TRIES)
        sent.save(update_fields=["tries"])
        return False
    sent.delete()
    then(user)
    return True


def _mac(user: User, purpose: EmailCode.Purpose, code: str) -> str:
    said = f"{user.public_id}:{purpose}:{code}"
    return salted_hmac("gateway.accounts.codes", said, algorithm="sha256").hexdigest()
