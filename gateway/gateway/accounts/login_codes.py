"""Codes that are mailed when somebody logs in from a device that is new to an account which is under attack.

None is kept anywhere: a code follows from the window of time of its limit, and is good as long as that. So
tries of others use none up, and whoever reads the mailbox can always log in.
"""

import hashlib
import hmac
import secrets
from typing import Final

from django.conf import settings
from django.db import transaction

from gateway.accounts.models import User
from gateway.limits import operations as limits
from gateway.limits.operations import Claim, Count
from gateway.limits.quotas import LOG_IN_CODE
from gateway.mail import operations as mail

_DIGITS: Final = 8


@transaction.atomic
def look_at(*, email: str, user: User | None, code: str) -> Count | None:
    """What the code of this moment is counted by when this is it, None when it is not.

    Sees to it that one was mailed. But for that mail, at most one for each window, the work is the same for
    an e-mail that has no account.
    """
    [window] = limits.count([Claim(LOG_IN_CODE, (email,))]).counts
    right = _code(email, window)
    if user is not None and user.is_active and not window.is_exceeded:
        mail.send(name="login_code", to=user.email, code=right)
    is_right = secrets.compare_digest(right.encode(), "".join(code.split()).encode())
    return window if is_right and user is not None else None


def spend(window: Count) -> bool:
    """Let a code be good no more; False when another request has just done so."""
    return limits.end_window(window)


def _code(email: str, window: Count) -> str:
    said = f"gateway.accounts.login_codes\n{email}\n{window.ends_at.timestamp()}".encode()
    digest = hmac.new(settings.SECRET_KEY.encode(), said, hashlib.sha256).digest()
    return f"{int.from_bytes(digest) % 10**_DIGITS:0{_DIGITS}}"
