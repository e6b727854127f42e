"""Fill the shop for its demo through the doors that anybody else must use."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from mercato.accounts import logged_in
from mercato.api import Api, ApiRefused
from mercato.demo.catalogue import fingerprint
from mercato.demo.filling import count_steps, fill
from mercato.home import read_json, write_private_json
from mercato.personas import (
    FINANCE,
    PERSONAS,
    Funding,
    Login,
    new_user,
    prepare_logins,
    read_logins,
    with_identity,
    write_logins,
)
from mercato.postgres import identity
from mercato.topology import SERVICES, System, refuse_demo
from mercato.totp import Codes
from mercato.users import create_users

_STAMP = "seed"
_UNAUTHORIZED = 401
_NEEDS_CODE = "otp-required"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Seeded:
    """What a seed changed: users made, wallet adjustments booked, things put into the shop."""

    users: int
    adjustments: int
    things: int


def seed(system: System, *, progress: Progress = lambda _done, _of: None) -> Seeded:
    """Make the personas, fund their wallets and fill the shop, leaving alone what is there.

    `progress` gets done and of, in this thread, and may raise to end the work.
    Raises: ApiRefused, UsersRefused, Failure on an origin that is not for demos.
    """
    refuse_demo(system.origin)
    api = Api(system.edge_url, system.origin, Codes(system.home.codes_file))
    logins, made = _people(system, api)
    seeded = seed_shop(api, logins, progress=progress)
    note_seeded(system)
    return replace(seeded, users=made)


def seed_shop(api: Api, logins: Iterable[Login], *, progress: Progress = lambda _done, _of: None) -> Seeded:
    """Fund the wallets of people who can log in, and fill the shop, leaving alone what is there.

    `progress` as in seed(). Raises: ApiRefused.
    """
    by_persona = {login.persona: login for login in logins}
    people = len(PERSONAS) + sum(len(persona.funding) for persona in PERSONAS)
    of = people + count_steps()
    progress(len(PERSONAS), of)
    booked = 0
    for done, is_new in enumerate(_fund_wallets(api, by_persona), start=len(PERSONAS) + 1):
        booked += is_new
        progress(done, of)
    things = fill(api, by_persona, progress=lambda done: progress(people + done, of))
    return Seeded(users=0, adjustments=booked, things=things)


def is_seeded(system: System) -> bool:
    """Whether these databases were seeded with these personas and this catalogue, and the log-ins stand."""
    stamp = _stamp(system)
    return bool(stamp) and read_json(system.home.stamps_file).get(_STAMP) == stamp


def note_seeded(system: System) -> None:
    """Remember that these databases are seeded, so that no start does it again.

    Raises: Failure.
    """
    write_private_json(system.home.stamps_file, read_json(system.home.stamps_file) | {_STAMP: _stamp(system)})


def _people(system: System, api: Api) -> tuple[list[Login], int]:
    """The log-ins, all of them known to the gateway, and how many had to be made."""
    logins = prepare_logins(system.home)
    unknown = [login for login in logins if not login.sub or not _is_known(api, login)]
    if unknown:
        made = {user.email: user for user in create_users(system, [new_user(login) for login in unknown])}
        logins = [with_identity(one, made[one.email]) if one.email in made else one for one in logins]
        write_logins(system.home, logins)
    return logins, len(unknown)


def _is_known(api: Api, login: Login) -> bool:
    """Whether the gateway knows the password, and that there is a second factor. Spends no code."""
    try:
        api.logout(api.login_without_code(login))
    except ApiRefused as exc:
        if exc.status != _UNAUTHORIZED:
            raise
        return exc.code == _NEEDS_CODE and bool(login.totp_secret)
    return not login.totp_secret


def _fund_wallets(api: Api, logins: Mapping[str, Login]) -> Iterator[bool]:
    """Book what the wallets begin with, as finance; yields for each adjustment whether it is new."""
    with logged_in(api, logins[FINANCE]) as finance:
        for persona in PERSONAS:
            if not persona.funding:
                continue
            login = _identified(api, logins[persona.name])
            for number, funding in enumerate(persona.funding, start=1):
                # The subject is in the key: a persona made anew in another database is another wallet.
                key = f"seed:{persona.name}:{number}:{login.sub}"
                yield not finance.post("/wallet/adjustments", _adjustment(login, funding), key=key).is_replay


def _identified(api: Api, login: Login) -> Login:
    """The log-in with its subject, which only the gateway knows where the people were made elsewhere."""
    if login.sub:
        return login
    tokens = api.login(login)
    api.logout(tokens)
    return replace(login, sub=tokens.subject)


def _adjustment(login: Login, funding: Funding) -> dict[str, object]:
    return {
        "sub": login.sub,
        "direction": "credit" if funding.amount_minor > 0 else "debit",
        "amount_minor": abs(funding.amount_minor),
        "currency": "EUR",
        "reason": funding.reason,
    }


def _stamp(system: System) -> str:
    identities = [identity(system.databases[service.name].app) for service in SERVICES]
    logins = [(login.persona, login.sub, bool(login.totp_secret)) for login in read_logins(system.home)]
    if not all(identities):
        return ""
    content = json.dumps([identities, logins, [asdict(persona) for persona in PERSONAS], fingerprint()])
    return hashlib.sha256(content.encode()).hexdigest()
