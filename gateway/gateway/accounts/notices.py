"""Mail that tells the owner of an account what was done with it, for it may have been somebody else.

It says nothing that whoever did it could choose, and leads to the shop's origin alone (ASVS 5.0 6.3.5 and
6.3.7).
"""

from typing import Final

from gateway.accounts.models import User
from gateway.limits.operations import Claim, count
from gateway.limits.quotas import NOTICE
from gateway.mail import operations as mail

PASSWORD_CHANGED: Final = "the password was changed"  # noqa: S105 (words)
APP_ADDED: Final = "an authenticator app was set up"
APP_REMOVED: Final = "the authenticator app was removed"
PASSKEY_ADDED: Final = "a passkey was added"
PASSKEY_REMOVED: Final = "a passkey was removed"
CODES_MADE: Final = "new recovery codes were made"


def tell_of_change(user: User, what: str) -> None:
    """Mail a user, in the caller's transaction, how the ways to log in to their account have changed."""
    if _is_news(user, what):
        mail.send(name="account_changed", to=user.email, what=what)


def tell_of_device(user: User, *, kind: str, network: str) -> None:
    """The same of a log-in from a device that is new to them; kind says what it is, network where."""
    if _is_news(user, "new device"):
        mail.send(name="new_device", to=user.email, kind=kind, network=network)


def _is_news(user: User, what: str) -> bool:
    # What makes mail can be repeated at will, and everybody's mail waits in one outbox.
    return not count([Claim(NOTICE, (str(user), what))]).exceeds(NOTICE)
