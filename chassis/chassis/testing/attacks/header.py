"""Attacks on how a request carries its token: rows D1 to D3."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final
from urllib.parse import urlencode

from chassis.testing.attacks.case import Aim, Answer, Attack, Parts, attack

_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)
_JSON: Final = (("Content-Type", "application/json"),)


def _twice() -> Iterator[Attack]:
    pairs: dict[str, Callable[[Aim], tuple[str, ...]]] = {
        "the same twice": lambda aim: (f"Bearer {aim.token}",) * 2,
        "two different ones": lambda aim: (f"Bearer {aim.token}", f"Bearer {aim.token}"),
        "a good one, then a bad one": lambda aim: (f"Bearer {aim.token}", "Bearer a.b.c"),
        "a bad one, then a good one": lambda aim: ("Bearer a.b.c", f"Bearer {aim.token}"),
        "an empty one, then a good one": lambda aim: ("", f"Bearer {aim.token}"),
        "a good one, then an empty one": lambda aim: (f"Bearer {aim.token}", ""),
        "Basic, then a good one": lambda aim: ("Basic YTpi", f"Bearer {aim.token}"),
        "three": lambda aim: (f"Bearer {aim.token}",) * 3,
    }
    for name, values in pairs.items():
        build = partial(_authorization, values)
        yield attack("D1", f"Authorization {name}", build, edge=Answer.MALFORMED)


def _authorization(values: Callable[[Aim], tuple[str, ...]], aim: Aim) -> Parts:
    return Parts(values(aim))


def _spellings() -> Iterator[Attack]:
    refused = {
        "two in one": "Bearer {token}, Bearer {token}",
        "two in one without scheme": "Bearer {token},{token}",
        "a comma after it": "Bearer {token},",
        "two spaces": "Bearer  {token}",
        "a tab": "Bearer\t{token}",
        "no space": "Bearer{token}",
        "a colon": "Bearer: {token}",
        "an equals sign": "Bearer={token}",
        "Basic": "Basic {token}",
        "Token": "Token {token}",
        "JWT": "JWT {token}",
        "DPoP": "DPoP {token}",
        "no scheme": "{token}",
        "scheme alone": "Bearer",
        "quoted": 'Bearer "{token}"',
        "in single quotes": "Bearer '{token}'",
        "as a parameter": 'Bearer token="{token}"',
        "a parameter after it": "Bearer {token};a=b",
        "in percent signs": "Bearer {token}%20",
        "the scheme twice": "Bearer Bearer {token}",
    }
    for name, text in refused.items():
        yield attack("D2", name, partial(_spelled, text))
    # Granian hands a value with such bytes over as an empty one, which counts as none.
    yield attack("D2", "a no-break space", partial(_spelled, "Bearer\xa0{token}"), service=Answer.ANONYMOUS)
    for name in ("bearer", "BEARER", "bEaReR"):
        yield attack("D2", name, partial(_spelled, f"{name} {{token}}"), Answer.ACCEPTED)


def _spelled(text: str, aim: Aim) -> Parts:
    return Parts((text.format(token=aim.token),))


def _elsewhere() -> Iterator[Attack]:
    places: dict[str, Callable[[str], Parts]] = {
        "in ?access_token=": lambda token: Parts(query=f"access_token={token}"),
        "in ?jwt=": lambda token: Parts(query=f"jwt={token}"),
        "in ?token=": lambda token: Parts(query=f"token={token}"),
        "in ?Authorization=": lambda token: Parts(query=f"Authorization=Bearer%20{token}"),
        "in a form field": lambda token: Parts(
            headers=_FORM, body=urlencode({"access_token": token}).encode()
        ),
        "in a JSON field": lambda token: Parts(
            headers=_JSON, body=json.dumps({"access_token": token}).encode()
        ),
        "in a cookie jwt": lambda token: Parts(headers=(("Cookie", f"jwt={token}"),)),
        "in a cookie access_token": lambda token: Parts(headers=(("Cookie", f"access_token={token}"),)),
        "in X-Authorization": lambda token: Parts(headers=(("X-Authorization", f"Bearer {token}"),)),
        "in Proxy-Authorization": lambda token: Parts(headers=(("Proxy-Authorization", f"Bearer {token}"),)),
        "in X-Forwarded-Authorization": lambda token: Parts(
            headers=(("X-Forwarded-Authorization", f"Bearer {token}"),)
        ),
        "in X-Access-Token": lambda token: Parts(headers=(("X-Access-Token", token),)),
    }
    for name, place in places.items():
        yield attack("D3", name, partial(_placed, place), Answer.ANONYMOUS)


def _placed(place: Callable[[str], Parts], aim: Aim) -> Parts:
    return place(aim.token)


HEADER_ATTACKS: Final = (*_twice(), *_spellings(), *_elsewhere())
"""Rows D1 to D3."""
