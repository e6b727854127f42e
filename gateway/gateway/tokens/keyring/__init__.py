"""Writes and checks the keys folder; needs neither Django nor settings, so any command can use it."""

from gateway.tokens.keyring.checks import check
from gateway.tokens.keyring.folder import (
    EVERY_KIND,
    ISSUER_JWKS_FILE,
    KINDS,
    SERVICE_SCOPES,
    KeyInfo,
    UnusableKey,
    list_keys,
)
from gateway.tokens.keyring.life import (
    EVERY_KEY,
    Choice,
    Refused,
    add_next,
    init,
    promote,
    retire,
    revoke,
)

__all__ = [
    "EVERY_KEY",
    "EVERY_KIND",
    "ISSUER_JWKS_FILE",
    "KINDS",
    "SERVICE_SCOPES",
    "Choice",
    "KeyInfo",
    "Refused",
    "UnusableKey",
    "add_next",
    "check",
    "init",
    "list_keys",
    "promote",
    "retire",
    "revoke",
]
