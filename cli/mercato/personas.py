"""The demo's people: one for each kind of right, with log-ins generated on this machine."""

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace

from mercato.failures import Failure
from mercato.home import Home, UnreadableFile, read_json, write_private_json
from mercato.topology import allows_demo
from mercato.totp import new_secret
from mercato.users import KnownUser, NewUser


class UnknownPersona(Failure):
    """There is no log-in of that name."""


class DemoIsThere(Failure):
    """Demo log-ins were made here for another origin, and must not be at this one."""


@dataclass(frozen=True)
class Funding:
    """One adjustment that a wallet begins with, in minor units of EUR; negative takes away."""

    amount_minor: int
    reason: str


@dataclass(frozen=True)
class Persona:
    """Somebody to try the shop as."""

    name: str
    groups: tuple[str, ...]
    funding: tuple[Funding, ...] = ()

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"

    @property
    def is_staff(self) -> bool:
        return self.groups != ("customer",)


@dataclass(frozen=True)
class Login:
    """A persona's log-in; staff have an authenticator app, whose secret is in base32.

    `sub` and `scopes` are empty until the gateway has made the user.
    """

    persona: str
    email: str
    password: str
    totp_secret: str | None = None
    sub: str = ""
    scopes: tuple[str, ...] = ()


CATALOGUE_EDITOR = "catalogue-editor"
STOCK_KEEPER = "stock-keeper"
MARKETING = "marketing"
FINANCE = "finance"
PERSONAS = (
    Persona(
        "shopper",
        ("customer",),
        (
            Funding(45_000, "Opening credit"),
            Funding(7_500, "Gift card"),
            Funding(-2_500, "Gift card corrected"),
        ),
    ),
    Persona("shopper-2", ("customer",), (Funding(10_000, "Opening credit"), Funding(2_000, "Loyalty bonus"))),
    Persona(CATALOGUE_EDITOR, ("catalogue-editor",)),
    Persona(STOCK_KEEPER, ("stock-keeper",)),
    Persona(MARKETING, ("marketing",)),
    Persona(FINANCE, ("finance",)),
    Persona("support", ("support",)),
    Persona("superuser", ("superuser",)),
)


def read_logins(home: Home) -> list[Login]:
    """The log-ins in the order of the personas; empty before the first seed.

    Raises: UnreadableFile.
    """
    try:
        logins = [Login(**entry) for entry in read_json(home.logins_file).get("logins", [])]
    except TypeError as exc:
        raise UnreadableFile(f"{home.logins_file} has unknown entries; move it away") from exc
    return [replace(login, scopes=tuple(login.scopes)) for login in logins]


def find_login(home: Home, persona: str) -> Login:
    """The log-in of one persona.

    Raises: UnknownPersona, UnreadableFile.
    """
    for login in read_logins(home):
        if login.persona == persona:
            return login
    names = ", ".join(persona.name for persona in PERSONAS)
    raise UnknownPersona(f"there is no log-in {persona!r}; there are: {names} (made by mercato up)")


def prepare_logins(home: Home) -> list[Login]:
    """A log-in for each persona, with a new password where there was none, and for staff a second factor.

    They are written before they are used: a crash must not leave a user whose password nobody knows.

    Raises: UnreadableFile, Failure.
    """
    kept = {login.persona: login for login in read_logins(home)}
    logins = [_with_factor(kept.get(persona.name) or _new_login(persona), persona) for persona in PERSONAS]
    if logins != list(kept.values()):
        write_logins(home, logins)
    return logins


def write_logins(home: Home, logins: Iterable[Login]) -> None:
    """Replace the file of log-ins, mode 0600.

    Raises: Failure.
    """
    write_private_json(home.logins_file, {"logins": [asdict(login) for login in logins]})


def refuse_to_publish(home: Home, origin: str) -> None:
    """Raises: DemoIsThere where there are demo log-ins, and the origin is one at which none may exist."""
    if home.logins_file.exists() and not allows_demo(origin):
        raise DemoIsThere(
            f"this shop has demo log-ins, which must not exist on {origin}: "
            "start it with new volumes, or another data directory"
        )


def new_user(login: Login) -> NewUser:
    """What the gateway needs to make the persona."""
    groups = next(persona.groups for persona in PERSONAS if persona.name == login.persona)
    return NewUser(login.email, login.password, groups, login.totp_secret)


def with_identity(login: Login, user: KnownUser) -> Login:
    """The log-in with what the gateway says of its user."""
    return replace(login, sub=user.sub, scopes=user.scopes)


def _new_login(persona: Persona) -> Login:
    return Login(persona.name, persona.email, new_password())


def _with_factor(login: Login, persona: Persona) -> Login:
    # Those made by a version before this one have none.
    is_missing = persona.is_staff and not login.totp_secret
    return replace(login, totp_secret=new_secret()) if is_missing else login


def new_password() -> str:
    """A password that is nowhere but here: 96 random bits."""
    return secrets.token_urlsafe(12)
