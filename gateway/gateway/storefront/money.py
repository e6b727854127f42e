"""Amounts of money in words."""

from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel.numbers import format_currency, get_currency_precision

LOCALE: Final = "en"


@lru_cache(maxsize=4096)
def money(amount_minor: int, currency: str) -> str:
    """An amount of minor units as people write it, with the currency's own number of digits (ISO 4217)."""
    major = Decimal(amount_minor).scaleb(-get_currency_precision(currency))
    return str(format_currency(major, currency, locale=LOCALE))


def major_units(amount_minor: int, currency: str) -> str:
    """An amount of minor units as a plain decimal number, for machines."""
    return str(Decimal(amount_minor).scaleb(-get_currency_precision(currency)))
