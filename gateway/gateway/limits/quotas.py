"""Every limit of the gateway's web: how many of what within which time, and why that many."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Limit:
    """At most quota within seconds, counted for each of what per names.

    The window begins with the first and does not move. One that does not refuse is asked whether it is
    exceeded. is_shared: many people can stand behind one address.
    """

    name: str
    quota: int
    seconds: int
    per: str
    refuses: bool = True
    is_shared: bool = False

    @property
    def most(self) -> int:
        """The quota in this installation."""
        return self.quota * settings.PEOPLE_PER_ADDRESS if self.is_shared else self.quota


# Failed log-ins. A success gives back its own attempt and no other.
# People mistype a few times. At this rate one network gets 1,440 guesses a day at one account.
LOG_IN: Final = Limit("login", 5, 300, "account and network, or known browser")
# One address that tries one password on many accounts.
LOG_IN_ADDRESS: Final = Limit("login-address", 30, 600, "address", is_shared=True)
# Many addresses that try one account: past this a code is asked of devices that the account does not know.
# It refuses nobody, for then anybody could lock anybody out.
LOG_IN_UNKNOWN: Final = Limit("login-unknown-device", 20, 3600, "account", refuses=False)
# How long a mailed log-in code is good, and so long no other is mailed: three mails an hour.
LOG_IN_CODE: Final = Limit("login-code", 1, 1200, "account", refuses=False)

# Guesses of what a password alone does not open. A code of six digits stands against a million.
# Whoever has the password but not the device uses up what strangers have, and not what its owner has.
OTP: Final = Limit("otp", 10, 900, "account, or account and known device")
REAUTHENTICATE: Final = Limit("reauthenticate", 10, 900, "account")
CODE: Final = Limit("code", 30, 900, "address", is_shared=True)
# Not a guess, but each one of a visitor keeps a session, which costs a row.
CHALLENGE: Final = Limit("challenge", 100, 900, "address", is_shared=True)

# What makes accounts and mail.
SIGN_UP: Final = Limit("sign-up", 30, 3600, "address", is_shared=True)
RESET: Final = Limit("reset", 30, 3600, "address", is_shared=True)
# Nobody's mailbox is flooded from one place, nor from many.
MAIL: Final = Limit("mail", 5, 3600, "account and network, or known browser")
MAIL_UNKNOWN: Final = Limit("mail-unknown-device", 30, 3600, "account")
# Mails that tell of what was done, each of one kind of thing; past that it is done without another.
NOTICE: Final = Limit("notice", 10, 3600, "account and what was done", refuses=False)

# A client renews every five minutes; this is for one that has gone mad.
REFRESH: Final = Limit("refresh", 3000, 60, "address", is_shared=True)

LIMITS: Final = (
    *(LOG_IN, LOG_IN_ADDRESS, LOG_IN_UNKNOWN, LOG_IN_CODE, OTP, REAUTHENTICATE, CODE, CHALLENGE),
    *(SIGN_UP, RESET, MAIL, MAIL_UNKNOWN, NOTICE, REFRESH),
)
